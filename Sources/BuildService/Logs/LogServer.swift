public import Builds
import ClusterAccess
import ControllerRuntime
import HTTP
public import KubernetesClient
public import KubernetesTypes
public import Telemetry

/// The log API of the builder: it keeps the logs of builds, and hands out logs of builds and functions.
///
/// It has a port of its own: people reach it, and build pods do not.
public final class LogServer: Sendable {
    private let server: HTTPServer
    private let informers: SharedInformers
    private let store: any LogStore
    private let metrics: LogMetrics
    private let rule: LogRetention
    private let logger = Logger(label: "logs")

    /// How often old logs are looked for.
    private static let sweepInterval = Duration.seconds(3600)
    /// Each is a person or a dashboard that reads.
    private static let connectionsMaximum = 512

    /// What the server needs to know beside the section `logs`.
    public struct Surroundings: Sendable {
        /// Where builds run.
        public var buildsNamespace: String
        /// The Secret with the registries' passwords, which logs must not show; nil when there is none.
        public var registryCredentials: ObjectKey?
        /// The numeric address to listen on.
        public var address = "0.0.0.0"

        /// Makes surroundings.
        public init(buildsNamespace: String, registryCredentials: ObjectKey?) {
            self.buildsNamespace = buildsNamespace
            self.registryCredentials = registryCredentials
        }
    }

    /// Opens the store and prepares to listen.
    ///
    /// - Parameters:
    ///   - configuration: It must be valid.
    ///   - tokens: Of the key that is shared with the operator.
    ///   - api: For pods and their logs, Repositories, and reviews of access.
    /// - Throws: `LogStoreError`.
    public convenience init(
        configuration: LogsConfiguration, surroundings: Surroundings, tokens: ArtifactTokens, api: any KubernetesAPI,
        registry: MetricsRegistry
    ) throws {
        self.init(
            configuration: configuration, surroundings: surroundings, tokens: tokens, api: api, registry: registry,
            store: try configuration.store(client: HTTPClient()))
    }

    init(
        configuration: LogsConfiguration, surroundings: Surroundings, tokens: ArtifactTokens, api: any KubernetesAPI,
        registry: MetricsRegistry, store: any LogStore
    ) {
        self.store = store
        rule = configuration.rule
        metrics = LogMetrics(registry)
        informers = SharedInformers(api: api)
        let secrets = BuildSecretSource(
            api: api, credentials: surroundings.registryCredentials, tokens: tokens)
        let handler = LogHandler(
            store: store, tokens: tokens.logs, access: AccessDesk(review: AccessReview(api: api)),
            repositories: RepositoryIndex(informers, ownNamespace: configuration.ownNamespace),
            builds: BuildLogSource(
                api: api, buildsNamespace: surroundings.buildsNamespace, masker: { try await secrets.masker(for: $0) }),
            functions: FunctionLogSource(api: api), metrics: metrics, configuration: configuration)
        var settings = HTTPServerConfiguration()
        settings.address = surroundings.address
        settings.port = configuration.port
        settings.name = "logs"
        settings.bodyBytesMaximum = UInt64(configuration.logBytesMaximum) + (1 << 20)
        settings.connectionsMaximum = Self.connectionsMaximum
        server = HTTPServer(configuration: settings, handler: handler)
    }

    /// Listens.
    ///
    /// - Returns: The port, which the kernel chose where the configuration says 0.
    /// - Throws: When the address cannot be listened on.
    @discardableResult
    public func start() throws -> UInt16 { try server.start() }

    /// Serves until the task is cancelled, then lets answers under way finish for a moment.
    ///
    /// ``start()`` comes first.
    public func run() async throws {
        informers.start()
        do {
            try await withThrowingTaskGroup { group in
                group.addTask { try await self.server.run() }
                group.addTask { await self.sweepForEver() }
                try await group.waitForAll()
            }
        } catch {
            await informers.stop()
            throw error
        }
        await informers.stop()
    }

    private func sweepForEver() async {
        while !Task.isCancelled {
            do {
                let result = try await store.sweep(rule)
                metrics.swept(removed: result.removed, usedBytes: result.usedBytes)
                if result.removed > 0 { logger.info("Removed old logs", ["count": result.removed]) }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("Old logs cannot be looked for", ["error": "\(error)"])
            }
            // Retention is a matter of days: nothing tells when a log grows old, so it is looked for once in a while.
            try? await Task.sleep(for: Self.sweepInterval)
        }
    }
}
