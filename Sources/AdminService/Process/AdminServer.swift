import ClusterAccess
import ControllerRuntime
import HTTP
public import KubernetesClient
public import Telemetry

/// The process behind `farebox admin`: OpenFaaS' REST API for clients that know no other.
///
/// It stands apart from the gateway, which faces strangers and holds no right to change anything.
public final class AdminServer: Sendable {
    private let server: HTTPServer
    private let internalServer: HTTPServer
    private let gateway: GatewayDestination
    private let basic: BasicCredentials
    private let logger = Logger(label: "admin")

    /// Each is a person, a pipeline, or a call on its way to the gateway.
    private static let connectionsMaximum = 2048

    /// Prepares to listen.
    ///
    /// - Parameters:
    ///   - configuration: It must be valid.
    ///   - api: For Functions, Secrets, pods and their logs, and reviews of access.
    ///   - registry: Gets the metrics.
    /// - Throws: ``AdminServerError`` when the configuration is not valid.
    public convenience init(
        configuration: AdminConfiguration, api: any KubernetesAPI, registry: MetricsRegistry
    ) throws {
        try self.init(configuration: configuration, api: api, registry: registry, failures: FailureLimit())
    }

    init(
        configuration: AdminConfiguration, api: any KubernetesAPI, registry: MetricsRegistry, failures: FailureLimit
    ) throws {
        guard let address = GatewayAddress(configuration.gatewayURL),
            let callsAddress = GatewayAddress(configuration.gatewayCallsURL), configuration.validate().isEmpty
        else {
            throw AdminServerError(configuration.validate().joined(separator: "; "))
        }
        let metrics = AdminMetrics(registry)
        basic = BasicCredentials(folder: configuration.credentialsFolder)
        gateway = GatewayDestination(address)
        let handler = AdminHandler(
            api: api,
            callers: CallerDesk(
                basic: basic, access: AccessDesk(review: AccessReview(api: api)), metrics: metrics, failures: failures),
            namespaces: FunctionNamespaces(
                api: api, standard: configuration.functionsNamespace, configured: configuration.namespaces,
                followsLabels: configuration.followsLabels),
            functionLogs: FunctionLogSource(api: api),
            calls: CallStatistics(
                gateways: GatewayCalls(callsAddress),
                prometheus: configuration.prometheusURL.map { PrometheusCalls(url: $0) }),
            rules: configuration.rules, version: configuration.version,
            metrics: metrics)
        var settings = HTTPServerConfiguration()
        settings.address = configuration.address
        settings.port = configuration.port
        settings.name = "admin"
        settings.bodyBytesMaximum = UInt64(FunctionDeployment.bytesMaximum)
        settings.connectionsMaximum = Self.connectionsMaximum
        server = HTTPServer(
            configuration: settings, router: AdminRouter(gateway: gateway, rootDomain: configuration.rootDomain),
            handler: handler)
        settings.port = configuration.internalPort
        settings.name = "admin-internal"
        internalServer = HTTPServer(
            configuration: settings,
            handler: HealthHandler(checks: [HealthChecks(name: "healthz"), HealthChecks(name: "readyz")]) {
                registry.render()
            })
    }

    /// Listens.
    ///
    /// - Returns: The ports, which the kernel chose where the configuration says 0.
    /// - Throws: When an address cannot be listened on.
    @discardableResult
    public func start() throws -> (port: UInt16, internalPort: UInt16) {
        gateway.refresh()
        if !basic.isSetUp { logger.info("There is no password: only tokens of the cluster are good") }
        let port = try server.start()
        let internalPort = try internalServer.start()
        logger.info("Admin serves", ["port": port, "internalPort": internalPort])
        return (port, internalPort)
    }

    /// Serves until the task is cancelled, then lets requests under way finish.
    ///
    /// ``start()`` comes first.
    public func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await self.server.run() }
            group.addTask { try await self.internalServer.run() }
            try await group.waitForAll()
        }
    }
}

/// Why the API cannot be served, for whoever starts it.
public struct AdminServerError: Error, Hashable, CustomStringConvertible {
    /// What is wrong and what to do.
    public let description: String

    init(_ description: String) { self.description = description }
}
