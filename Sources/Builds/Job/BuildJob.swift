import CRDs
import Cryptography
import JSON
public import KubernetesTypes

/// One build: everything the Job needs, and the objects that make it run.
///
/// The Job runs BuildKit rootless with the context tar as its remote context, pinned by digest, and pushes the image. It
/// holds no Kubernetes token and no Git credential. Its name follows from what it builds, so the same build is found
/// again and never started twice. Arguments and pod are those that `facts/buildkit.md` found to work.
public struct BuildJob: Sendable, Equatable {
    /// What is built, and for whom.
    public struct Request: Sendable, Equatable {
        /// The Repository object; for a build of no Repository a name without a namespace, which stands before Job names.
        public var repository: ObjectKey
        /// Its uid: names and labels follow from it, so that a Repository made anew shares nothing with the old one.
        public var repositoryUID: String
        /// Who owns the Repository, as displayed.
        public var owner: String
        /// The function's name in the stack.
        public var function: String
        /// The commit, for labels and the log.
        public var commit: String
        /// Digest of everything that goes into the image.
        public var inputsDigest: String
        /// Digest of the context tar, 64 hex digits.
        public var contextDigest: String
        /// The name to push.
        public var image: ImageReference
        /// Build arguments.
        ///
        /// Steps and provenance can see them: no secrets.
        public var arguments: [String: String]
        /// The longest time, when shorter than the configured one.
        public var timeout: Duration?
        /// Counts up when a build is repeated after a fault that was not its own.
        public var attempt: Int
        /// The platforms to build for, such as `linux/arm64`; none for that of the node.
        public var platforms: [String] = []
        /// Whether the image is pushed; else the build only shows that it can be built.
        public var pushes = true
        /// The names of secrets that steps may mount; their values go into the build's Secret.
        public var secretNames: [String] = []
        /// Further labels of all objects of this build.
        public var labels: [String: String] = [:]
        /// Further annotations of the Job.
        public var annotations: [String: String] = [:]

        /// Makes a request.
        public init(
            repository: ObjectKey, repositoryUID: String, owner: String, function: String, commit: String,
            inputsDigest: String, contextDigest: String, image: ImageReference, arguments: [String: String] = [:],
            timeout: Duration? = nil, attempt: Int = 1
        ) {
            self.repository = repository
            self.repositoryUID = repositoryUID
            self.owner = owner
            self.function = function
            self.commit = commit
            self.inputsDigest = inputsDigest
            self.contextDigest = contextDigest
            self.image = image
            self.arguments = arguments
            self.timeout = timeout
            self.attempt = attempt
        }
    }

    /// What is built, and for whom.
    public let request: Request
    private let configuration: BuildConfiguration

    /// Makes the build of a request.
    public init(_ request: Request, configuration: BuildConfiguration) {
        self.request = request
        self.configuration = configuration
    }

    /// The label with the Repository's uid, on Jobs, their pods and Secrets.
    public static let repositoryUIDLabel = FareboxLabel.group + "/repository-uid"
    /// The value of the component label on everything here.
    public static let component = "build"
    /// The annotation with the Repository as `namespace/name`, so that a Job leads back to it.
    public static let repositoryAnnotation = FareboxLabel.group + "/repository"
    /// The annotation with the pushed name.
    public static let imageAnnotation = FareboxLabel.group + "/image"
    /// The annotation with the digest of the inputs.
    public static let inputsAnnotation = FareboxLabel.group + "/inputs-digest"
    /// The annotation with the full commit.
    public static let commitAnnotation = FareboxLabel.group + "/commit"
    /// The annotation with the number of the attempt.
    public static let attemptAnnotation = FareboxLabel.group + "/attempt"
    /// The name of the only container.
    public static let containerName = "build"

    /// The name of Job and Secret: readable first, then 16 digits that follow from all that matters.
    public var name: String {
        let identity = [
            request.repositoryUID, request.function, request.inputsDigest, request.image.description,
            String(request.attempt),
        ].joined(separator: "\n")
        let digits = SHA256.hash(of: Array(identity.utf8)).hex.prefix(16)
        // A Job's name becomes a label value and the start of a pod's name: 63 in all, less "-" + digits + "-xxxxx".
        let head = String(
            (request.repository.name + "-" + request.function).map { $0 == "." || $0 == "_" ? "-" : $0 }.prefix(38))
        return head + "-" + digits
    }

    /// Labels of all objects of this build.
    public var labels: [String: String] {
        [
            FareboxLabel.managedBy: FareboxLabel.managedByFarebox,
            FareboxLabel.component: Self.component,
            FareboxLabel.repository: LabelValue.sanitised(request.repository.name),
            FareboxLabel.function: LabelValue.sanitised(request.function),
            FareboxLabel.commit: LabelValue.sanitised(request.commit),
            Self.repositoryUIDLabel: request.repositoryUID,
        ].merging(request.labels) { ours, _ in ours }
    }

    private var annotations: [String: String] {
        var annotations = [
            FareboxAnnotation.owner: request.owner,
            Self.imageAnnotation: request.image.description,
            Self.inputsAnnotation: request.inputsDigest,
            Self.commitAnnotation: request.commit,
            Self.attemptAnnotation: String(request.attempt),
        ]
        if !request.repository.namespace.isEmpty {
            annotations[Self.repositoryAnnotation] = request.repository.description
        }
        return annotations.merging(request.annotations) { ours, _ in ours }
    }

    /// The Job.
    public var job: Job {
        var spec = JobSpec(
            template: PodTemplateSpec(
                metadata: ObjectMeta(labels: labels.merging(configuration.podLabels) { ours, _ in ours }),
                spec: podSpec))
        spec.backoffLimit = 0
        return Job(
            metadata: ObjectMeta(
                name: name, namespace: configuration.namespace, labels: labels, annotations: annotations),
            spec: spec)
    }

    /// The Secret of this one build; owned by the Job, so that it goes when the Job goes.
    ///
    /// - Parameters:
    ///   - contextToken: The read token of this one context.
    ///   - jobUID: The uid the API server gave the Job. The pod waits for its Secret until then.
    ///   - values: What steps may mount, by the names that the request has.
    public func secret(contextToken: String, jobUID: String, values: [String: [UInt8]] = [:]) -> Secret {
        var data = [
            "buildkitd.toml": Base64Bytes(Array(BuildKitFiles.daemonConfiguration(configuration).utf8)),
            "policy.json": Base64Bytes(BuildKitFiles.sourcePolicy(url: contextURL, digest: request.contextDigest)),
            "context-token": Base64Bytes(Array(contextToken.utf8)),
        ]
        for name in request.secretNames { data[Self.secretKey(name)] = Base64Bytes(values[name] ?? []) }
        return Secret(
            metadata: ObjectMeta(
                name: name, namespace: configuration.namespace, labels: labels,
                ownerReferences: [
                    OwnerReference(
                        apiVersion: Job.descriptor.apiVersion, kind: Job.descriptor.kind, name: name, uid: jobUID,
                        controller: true, blockOwnerDeletion: true)
                ]),
            type: "Opaque", data: data)
    }

    /// What steps may mount, out of a Secret that ``secret(contextToken:jobUID:values:)`` made; nil when one is missing.
    public static func values(of names: [String], in secret: Secret) -> [String: [UInt8]]? {
        var values: [String: [UInt8]] = [:]
        for name in names {
            guard let value = secret.data[secretKey(name)] else { return nil }
            values[name] = value.bytes
        }
        return values
    }

    /// The key of a step's secret, apart from our own keys.
    private static func secretKey(_ name: String) -> String { "step." + name }

    /// The Secret that all builds share: what they push with, and nodes pull the builder image with.
    ///
    /// - Parameter dockerConfig: The registries' `config.json`, as Docker writes it.
    public static func registrySecret(dockerConfig: [UInt8], configuration: BuildConfiguration) -> Secret {
        Secret(
            metadata: ObjectMeta(
                name: configuration.registrySecret, namespace: configuration.namespace,
                labels: [
                    FareboxLabel.managedBy: FareboxLabel.managedByFarebox, FareboxLabel.component: component,
                ]),
            type: "kubernetes.io/dockerconfigjson", data: [dockerConfigKey: Base64Bytes(dockerConfig)])
    }

    private static let dockerConfigKey = ".dockerconfigjson"

    /// Where the pod fetches the context.
    var contextURL: String {
        ArtifactPath.url(base: configuration.artifactsURL, digest: request.contextDigest)
    }

    // MARK: - The pod

    private static let stateFolder = "/home/user/.local/share/buildkit"

    private var podSpec: PodSpec {
        var spec = PodSpec(containers: [container])
        spec.restartPolicy = "Never"
        spec.automountServiceAccountToken = false
        spec.enableServiceLinks = false
        // Here and not on the Job: there it would delete the pod, and the log with it.
        let timeout = min(request.timeout ?? configuration.timeout, configuration.timeout)
        spec.activeDeadlineSeconds = max(timeout.components.seconds, 1)
        // SIGTERM does nothing to the script, and there is nothing to save.
        spec.terminationGracePeriodSeconds = 1
        var security = PodSecurityContext()
        security.runAsNonRoot = true
        security.runAsUser = 1000
        security.runAsGroup = 1000
        security.fsGroup = 1000
        spec.securityContext = security
        spec.imagePullSecrets = [LocalObjectReference(name: configuration.registrySecret)]
        spec.volumes = volumes
        return spec
    }

    private var container: Container {
        var container = Container(name: Self.containerName, image: configuration.builderImage)
        let metadata = Self.stateFolder + "/metadata.json"
        // BuildKit moves a new file into place, which /dev/termination-log cannot be: write it elsewhere and copy.
        // Of an image that is not pushed there may be nothing to report.
        let copy = "cp \(metadata) /dev/termination-log"
        let report = request.pushes ? copy : "{ \(copy) || true; }"
        container.command = ["sh", "-c", "buildctl-daemonless.sh \"$@\" && " + report, "sh"]
        container.args = arguments(metadata: metadata)
        container.terminationMessagePolicy = "FallbackToLogsOnError"
        container.env = [
            EnvironmentVariable(
                name: "BUILDKITD_FLAGS",
                value: "--oci-worker-no-process-sandbox --config /etc/farebox/buildkitd.toml"),
            EnvironmentVariable(name: "DOCKER_CONFIG", value: "/etc/farebox/registry"),
            // The image's own TMPDIR lies on the root, which is read-only.
            EnvironmentVariable(name: "TMPDIR", value: "/tmp"),
        ]
        var security = SecurityContext()
        // The least that rootless BuildKit works with: newuidmap needs its file capabilities and a plain clone.
        security.capabilities = Capabilities(add: ["SETUID", "SETGID"], drop: ["ALL"])
        security.seccompProfile = .unconfined
        security.readOnlyRootFilesystem = true
        container.securityContext = security
        container.resources = resources
        container.volumeMounts = [
            VolumeMount(name: "state", mountPath: Self.stateFolder),
            VolumeMount(name: "tmp", mountPath: "/tmp"),
            VolumeMount(name: "run", mountPath: "/run/user/1000"),
            VolumeMount(name: "configuration", mountPath: "/etc/farebox", readOnly: true),
            VolumeMount(name: "secrets", mountPath: "/run/build-secrets", readOnly: true),
        ]
        return container
    }

    private func arguments(metadata: String) -> [String] {
        var arguments = [
            "build", "--progress=plain", "--frontend=dockerfile.v0",
            "--opt", "context=" + contextURL,
            // contextsubdir moves only the context; the Dockerfile is read from the whole tar.
            "--opt", "contextsubdir=context", "--opt", "filename=context/Dockerfile",
        ]
        for (key, value) in request.arguments.sorted(by: { $0.key < $1.key }) {
            arguments += ["--opt", "build-arg:\(key)=\(value)"]
        }
        if !request.platforms.isEmpty {
            arguments += ["--opt", "platform=" + request.platforms.joined(separator: ",")]
        }
        for name in request.secretNames {
            arguments += ["--secret", "id=\(name),src=/run/build-secrets/\(Self.secretKey(name))"]
        }
        arguments += [
            "--secret", "id=HTTP_AUTH_TOKEN_\(ArtifactPath.host(of: contextURL)),src=/run/build-secrets/context-token",
            "--source-policy-file", "/etc/farebox/policy.json",
        ]
        if configuration.usesRegistryCache, request.pushes {
            let cache = request.image.name + ":cache"
            arguments += [
                "--import-cache", "type=registry,ref=" + cache,
                "--export-cache", "type=registry,ref=\(cache),mode=max",
            ]
        }
        return arguments + [
            "--output", "type=image,name=\(request.image),push=\(request.pushes)", "--metadata-file", metadata,
        ]
    }

    private var resources: ResourceRequirements {
        var resources = ResourceRequirements()
        if let memory = Quantity(configuration.memory) {
            resources.limits["memory"] = memory
        }
        if let memory = Quantity(configuration.memoryRequest) { resources.requests["memory"] = memory }
        if let cpu = Quantity(configuration.cpu) { resources.requests["cpu"] = cpu }
        return resources
    }

    private var volumes: [Volume] {
        let isInMemory = configuration.keepsStateInMemory
        return [
            Volume(
                name: "state",
                emptyDir: EmptyDirVolumeSource(
                    medium: isInMemory ? "Memory" : nil, sizeLimit: Quantity(configuration.stateBytes))),
            Volume(name: "tmp", emptyDir: EmptyDirVolumeSource(sizeLimit: Quantity(configuration.stateBytes))),
            Volume(name: "run", emptyDir: EmptyDirVolumeSource(medium: "Memory", sizeLimit: Quantity("64Mi"))),
            Volume(
                name: "configuration",
                projected: ProjectedVolumeSource(sources: [
                    VolumeProjection(
                        secret: SecretProjection(
                            name: name,
                            items: [
                                KeyToPath(key: "buildkitd.toml", path: "buildkitd.toml"),
                                KeyToPath(key: "policy.json", path: "policy.json"),
                            ])),
                    VolumeProjection(
                        secret: SecretProjection(
                            name: configuration.registrySecret,
                            items: [KeyToPath(key: Self.dockerConfigKey, path: "registry/config.json")])),
                ])),
            Volume(
                name: "secrets",
                secret: SecretVolumeSource(
                    secretName: name,
                    items: (["context-token"] + request.secretNames.map(Self.secretKey)).map {
                        KeyToPath(key: $0, path: $0)
                    })),
        ]
    }
}
