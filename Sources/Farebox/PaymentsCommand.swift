import Commands
import ControllerRuntime
import FoundationEssentials
import Payments
import YAML

/// `farebox payments`.
enum PaymentsCommand {
    static let description = CommandDescription(
        "payments", "takes payments and leases paid calls",
        discussion: """
            Serves SPSP queries and receipts on port 8084, and leases, balances, health and
            metrics on port 9090: the section `payments` of the file.
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
        let ledger = try await StoredLedger.open(configuration.ledger)
        let service = try PaymentsService(
            configuration: configuration, ledger: ledger, directory: try directory(options), registry: setting.metrics)
        try await runUntilSignal(grace: .seconds(30)) {
            try await service.start()
            try await service.run()
        }
        ledger.close()
    }

    /// Which functions take money.
    private static func directory(_ options: Options) throws -> any PaymentDirectory {
        guard let path = options["functions"] else {
            throw UsageError("--functions is missing: the functions of a cluster cannot be read yet")
        }
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
