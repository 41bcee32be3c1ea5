import Audit
import Builds
import Commands
import ControllerRuntime
import Cryptography
import FoundationEssentials
import Gateway
import HTTP
import KubernetesClient
import KubernetesTypes
import Operator
import Telemetry

/// `farebox operator`.
enum OperatorCommand {
    static let description = CommandDescription(
        "operator", "makes functions of Repositories and runs them",
        discussion: """
            Of all replicas one leads, by the Lease farebox-operator; the others stand by.
            Health and metrics are on port 9090.
            """,
        options: ProcessSetting.options + [
            .init("internal-port", value: "PORT", "for health and metrics (default 9090)")
        ])

    @Sendable static func run(_ options: Options) async throws {
        let setting = try ProcessSetting(options)
        let configuration = setting.configuration
        guard configuration.problems.isEmpty else {
            throw ProcessError("the configuration is wrong: " + configuration.problems.joined(separator: "; "))
        }
        let identity = Self.identity()
        let election = LeaderElectionConfiguration(
            namespace: FareboxConfiguration.systemNamespace, name: "farebox-operator", identity: identity)
        let api = try setting.client()
        let leaseAPI = try setting.client {
            $0.userAgent += " leader-election"
            $0.requestTimeout = election.requestTimeout
        }
        var managing = ManagerConfiguration()
        managing.leaderElection = election
        managing.healthPort = try options.number("internal-port") ?? managing.healthPort
        let manager = Manager(api: api, leaseAPI: leaseAPI, configuration: managing, metrics: setting.metrics)
        let recorder = EventRecorder(api: api, controller: "farebox.dev/operator", instance: identity)
        manager.add(recorder)
        let audit = configuration.audit.log(source: "operator", registry: setting.metrics)
        manager.addRunnable("audit", needsLeadership: false) { await audit.run() }
        install(in: manager, api: api, configuration: configuration, recorder: recorder, audit: audit)
        try await manager.run()
    }

    private static func install(
        in manager: Manager, api: any KubernetesAPI, configuration: FareboxConfiguration, recorder: EventRecorder,
        audit: AuditLog
    ) {
        // The registry and the artifact store are the administrator's, and mostly on private addresses.
        let client = HTTPClient(configuration: HTTPClientConfiguration(addresses: .any))
        let guarded = HTTPClient(configuration: HTTPClientConfiguration(addresses: .publicOnly))
        let repositories = configuration.repositories
        let asking = repositories.registryClientConfiguration
        FunctionController.install(
            in: manager, api: api, configuration: configuration.functions,
            resolver: RegistryImageResolver(
                own: RegistryClient(client: client, configuration: asking),
                others: RegistryClient(client: guarded, configuration: asking),
                ownRegistries: repositories.ownRegistries, api: api, secret: repositories.registry.credentials),
            recorder: recorder)
        var scaling = AutoscalerConfiguration()
        scaling.namespace = configuration.functions.namespace
        scaling.gatewayNamespace = FareboxConfiguration.systemNamespace
        scaling.gatewayPort = configuration.gateway.configuration.internalPort
        Autoscaler.install(in: manager, api: api, configuration: scaling, recorder: recorder)
        RepositoryController.install(
            in: manager, api: api, configuration: repositories, functions: configuration.functions, client: client,
            recorder: recorder, audit: audit)
        // Where payments are taken, their own process deals with Receipts.
        if configuration.functions.payments == nil { ReceiptController.install(in: manager, api: api) }
    }

    /// Who we are among all candidates: the pod's name, and a random part for a container that starts again in it.
    private static func identity() -> String {
        let host = ProcessInfo.processInfo.environment["POD_NAME"] ?? ProcessInfo.processInfo.hostName
        return host + "_" + Hex.encode(randomBytes(8))
    }
}
