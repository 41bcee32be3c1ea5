public import Builds
import HTTP
public import KubernetesClient
public import KubernetesTypes
public import Telemetry

/// The Function Builder API: clients post a folder as a signed tar, and get an image and its log.
///
/// It has a port of its own. Builds are the same Jobs that pushes are built by.
public final class BuildAPIServer: Sendable {
    private let server: HTTPServer
    private let desk: BuildDesk
    private let secretKeys: BuildSecretKeyFile

    /// What the server needs to know beside its own section.
    public struct Surroundings: Sendable {
        /// How Jobs are made.
        public var builds: BuildConfiguration
        /// So many builds run at once in all, those of pushes included.
        public var buildsMaximum: Int
        /// The Secret with the registries' passwords; nil when there is none.
        public var registryCredentials: ObjectKey?
        /// How registries are reached.
        public var registry: RegistryClient.Configuration

        /// Makes surroundings.
        public init(
            builds: BuildConfiguration, buildsMaximum: Int, registryCredentials: ObjectKey?,
            registry: RegistryClient.Configuration
        ) {
            self.builds = builds
            self.buildsMaximum = buildsMaximum
            self.registryCredentials = registryCredentials
            self.registry = registry
        }
    }

    /// The registry is asked whether there is anything to do at all: that is not worth a long wait.
    private static let registryTimeout = Duration.seconds(3)
    /// A head and what an upload is cut into; the handler counts the content.
    private static let connectionsMaximum = 256

    /// Prepares to listen.
    ///
    /// - Parameters:
    ///   - configuration: It must be valid.
    ///   - artifacts: Keeps the contexts.
    ///   - api: For Jobs, their Secrets, pods and logs.
    public convenience init(
        configuration: BuildAPIConfiguration, surroundings: Surroundings, artifacts: ArtifactServer,
        api: any KubernetesAPI, registry: MetricsRegistry
    ) {
        self.init(
            configuration: configuration, surroundings: surroundings, folder: artifacts.folder,
            tokens: artifacts.tokens, api: api, registry: registry)
    }

    init(
        configuration: BuildAPIConfiguration, surroundings: Surroundings, folder: ArtifactFolder,
        tokens: ArtifactTokens, api: any KubernetesAPI, registry: MetricsRegistry,
        pace: BuildShepherd.Pace = BuildShepherd.Pace(),
        digest: (@Sendable (ImageReference) async -> String?)? = nil
    ) {
        let metrics = BuildAPIMetrics(registry)
        let secrets = BuildSecretSource(api: api, credentials: surroundings.registryCredentials, tokens: tokens)
        let memory = BuildSecretMemory()
        let masker: @Sendable (Pod) async throws -> LogMasker = { pod in
            try await secrets.masker(for: pod, hiding: try memory.values(for: pod))
        }
        var asking = surroundings.registry
        asking.timeout = Self.registryTimeout
        // The administrator names the registries, and they may be in the cluster's network.
        let client = HTTPClient(configuration: HTTPClientConfiguration(addresses: .any))
        let registryClient = RegistryClient(client: client, configuration: asking)
        var shepherd = BuildShepherd(
            jobs: BuildJobs(api: api, configuration: surroundings.builds, tokens: tokens),
            registryDigest: digest ?? { image in
                guard let credentials = try? await secrets.registryCredentials() else { return nil }
                return try? await registryClient.digest(of: image, credentials: credentials)
            },
            hasContext: { digest in
                let isThere = try? await BlockingThread.run {
                    guard folder.sizeBytes(digest: digest) != nil else { return false }
                    folder.touch(digest: digest)
                    return true
                }
                return isThere ?? false
            },
            masker: masker, buildsMaximum: surroundings.buildsMaximum)
        shepherd.pace = pace
        desk = BuildDesk(
            shepherd: shepherd, rules: configuration.rules,
            admission: BuildAdmission(
                inflightMaximum: configuration.inflightMaximum, queueMaximum: configuration.queueMaximum),
            retention: configuration.retentionTime, memory: memory, metrics: metrics)
        let follower = BuildFollower(
            source: BuildLogSource(
                api: api, buildsNamespace: surroundings.builds.namespace,
                masker: masker))
        secretKeys = BuildSecretKeyFile(path: configuration.buildSecretKeyPath)
        var settings = HTTPServerConfiguration()
        settings.address = configuration.address
        settings.port = configuration.port
        settings.name = "builds"
        // The handler counts for itself, so that clients get an answer in their dialect.
        settings.bodyBytesMaximum = .max
        settings.connectionsMaximum = Self.connectionsMaximum
        server = HTTPServer(
            configuration: settings,
            handler: BuildHandler(
                configuration: configuration, folder: folder, desk: desk, follower: follower, metrics: metrics))
    }

    /// Listens.
    ///
    /// - Returns: The port, which the kernel chose where the configuration says 0.
    /// - Throws: When the address cannot be listened on.
    @discardableResult
    public func start() throws -> UInt16 {
        do {
            _ = try secretKeys.read()
        } catch {
            // Builds without secrets go on, and so do the other tasks of this process; `GET /ready` says it as well.
            Logger(label: "builder-api").error("Build secrets cannot be opened", ["error": "\(error)"])
        }
        return try server.start()
    }

    /// Serves until the task is cancelled; then it tells whoever follows a build, and ends.
    ///
    /// Builds go on. ``start()`` comes first.
    public func run() async throws {
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup { group in
                group.addTask { try await self.server.run() }
                group.addTask { await self.desk.run() }
                try await group.waitForAll()
            }
        } onCancel: {
            desk.isClosing.set(true)
        }
    }
}
