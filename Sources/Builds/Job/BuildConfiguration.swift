/// How the operator runs builds, the same for all of them.
public struct BuildConfiguration: Sendable, Equatable {
    /// Where Jobs and their Secrets live.
    public var namespace = "farebox-builds"
    /// The image with `buildctl-daemonless.sh`: upstream's `moby/buildkit:<version>-rootless` or one with its contract.
    public var builderImage = ""
    /// The Secret in ``namespace`` that the operator keeps the registry credentials in, for pushing and pulling.
    public var registrySecret = "farebox-registry"
    /// Where build pods fetch contexts from: the artifact store, for example `http://farebox-builder.farebox-system`.
    public var artifactsURL = ""
    /// A build may take this long, from the pod's start.
    public var timeout: Duration = .seconds(900)
    /// Memory of a build pod: BuildKit, all steps, and the state when that is in memory.
    public var memory = "2Gi"
    /// Memory that a build pod is scheduled by.
    public var memoryRequest = "512Mi"
    /// CPU that a build pod asks for; it uses what nobody else does.
    ///
    /// A kernel shares busy processors out by what pods ask for: no more than a function asks for, or builds keep functions of the
    /// same node from starting and answering.
    public var cpu = "50m"
    /// Disk for BuildKit's state: three times the context, the base images, the layers.
    public var stateBytes = "8Gi"
    /// Keeps BuildKit's state in memory instead: faster, and counted against ``memory``.
    public var keepsStateInMemory = false
    /// Registries to talk plain http to, as `host:port`.
    public var insecureRegistries: [String] = []
    /// Mirrors by registry, for example `docker.io` to `registry:5000`.
    public var mirrors: [String: String] = [:]
    /// Whether layers are kept in the registry beside the image, for the next build.
    public var usesRegistryCache = true
    /// Extra labels on build pods, for policies and quotas of the cluster.
    public var podLabels: [String: String] = [:]

    /// Makes a configuration with the defaults; ``builderImage`` and ``artifactsURL`` must still be set.
    public init() {}
}
