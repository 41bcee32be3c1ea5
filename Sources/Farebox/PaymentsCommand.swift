import Commands
import ControllerRuntime
import Cryptography
import FoundationEssentials
import KubernetesClient
import Operator
import PaymentService
import Payments
import YAML

/// `farebox payments`.
enum PaymentsCommand {
    static let description = CommandDescription(
        "payments", "takes payments and leases paid calls",
        discussion: """
            Serves SPSP queries and receipts on port 8084, and leases, balances, health and
            metrics on port 9090: the section `payments` of the file. Functions and prices are
            the cluster's, or those of a file, without any cluster. Of several replicas on
            PostgreSQL one writes to the cluster, by the Lease farebox-payments.
            """,
        options: ProcessSetting.options + [
            .init("functions", value: "FILE", "fixed functions and prices instead of a cluster's"),
            .init("port", value: "PORT", "for payers (default 8084)"),
            .init("internal-port", value: "PORT", "for leases, health and metrics (default 9090)"),
        ],
        examples: ["farebox payments --config farebox.yaml --functions functions.yaml"])

    @Sendable static func run(_ options: Options) async throws {
        let setting = try ProcessSetting(options)
        var configuration = setting.configuration.payments
        let problems = configuration.validate()
        guard problems.isEmpty else {
            let text = problems.map { "payments." + $0 }.joined(separator: "; ")
            throw ProcessError("the configuration is wrong: " + text)
        }
        configuration.port = try options.number("port") ?? configuration.port
        configuration.internalPort = try options.number("internal-port") ?? configuration.internalPort
        if let path = options["functions"] {
            try await serve(configuration, setting, directory: try fixedDirectory(path))
        } else {
            try await serveCluster(configuration, setting)
        }
    }

    /// Serves without a cluster.
    private static func serve(
        _ configuration: PaymentsConfiguration, _ setting: ProcessSetting, directory: FixedDirectory
    ) async throws {
        let ledger = try await StoredLedger.open(configuration.ledger)
        let service = try PaymentsService(
            configuration: configuration, ledger: ledger, directory: directory, registry: setting.metrics)
        try await runUntilSignal(grace: .seconds(30)) {
            try await service.start()
            try await service.run()
        }
        ledger.close()
    }

    /// Serves a cluster's Functions, and keeps them and Receipts in step with the ledger.
    private static func serveCluster(_ configuration: PaymentsConfiguration, _ setting: ProcessSetting) async throws {
        guard let asset = configuration.asset else {
            throw ProcessError("payments.hostPointer and payments.asset are missing: whom to pay, and in what")
        }
        let api = try setting.client()
        let manager = try makeManager(configuration, setting, api: api)
        let namespace = setting.configuration.functions.namespace
        let directory = FunctionDirectory(informers: manager.informers, namespace: namespace, asset: asset)
        let ledger = try await StoredLedger.open(configuration.ledger)
        let service = try PaymentsService(
            configuration: configuration, ledger: ledger, directory: directory, registry: setting.metrics)
        PaymentControllers.install(
            in: manager, api: api,
            parts: PaymentControllers.Parts(
                ledger: ledger, desk: service.desk, asset: asset, namespace: namespace,
                homeNamespace: namespace ?? FareboxConfiguration.systemNamespace))
        manager.addRunnable("payments", needsLeadership: false) {
            try await service.start()
            try await service.run()
        }
        try await manager.run()
        ledger.close()
    }

    /// Where there is one replica at most, nobody has to be elected, and an idle cluster sees nothing of us but watches.
    private static func makeManager(
        _ configuration: PaymentsConfiguration, _ setting: ProcessSetting, api: Client
    ) throws -> Manager {
        var managing = ManagerConfiguration()
        managing.healthAddress = nil  // The internal port of payments serves health and metrics.
        guard configuration.ledger.postgres != nil else {
            return Manager(api: api, configuration: managing, metrics: setting.metrics)
        }
        let host = ProcessInfo.processInfo.environment["POD_NAME"] ?? ProcessInfo.processInfo.hostName
        let election = LeaderElectionConfiguration(
            namespace: FareboxConfiguration.systemNamespace, name: "farebox-payments",
            identity: host + "_" + Hex.encode(randomBytes(8)))
        managing.leaderElection = election
        let leaseAPI = try setting.client {
            $0.userAgent += " leader-election"
            $0.requestTimeout = election.requestTimeout
        }
        return Manager(api: api, leaseAPI: leaseAPI, configuration: managing, metrics: setting.metrics)
    }

    /// Which functions take money, from a file.
    private static func fixedDirectory(_ path: String) throws -> FixedDirectory {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw ProcessError("\(path) cannot be read")
        }
        do {
            return try YAMLReader(unknownKeys: .refuse).decode(FixedDirectory.self, from: Array(data))
        } catch {
            throw ProcessError("\(path): \(error)")
        }
    }
}
