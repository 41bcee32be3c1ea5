import BuildService
import Builds
import Commands
import ControllerRuntime
import KubernetesClient
import Operator
import Telemetry

/// `farebox builder`.
enum BuilderCommand {
    static let description = CommandDescription(
        "builder", "keeps build contexts and logs",
        discussion: """
            Serves artifacts by digest on port 8082, the log API on port 8083, and health and
            metrics on port 9090: the sections `artifacts` and `logs` of the file. Without a
            cluster there are no logs.
            """,
        options: ProcessSetting.options)

    @Sendable static func run(_ options: Options) async throws {
        let setting = try ProcessSetting(options)
        let configuration = setting.configuration.artifacts
        let problems =
            configuration.validate().map { "artifacts." + $0 }
            + setting.configuration.repositories.logs.validate().map { "logs." + $0 }
        guard problems.isEmpty else { throw ProcessError(problems.joined(separator: "; ")) }
        let artifacts = try ArtifactServer(configuration: configuration, registry: setting.metrics)
        let logs = try logServer(setting, artifacts)
        try await runUntilSignal(grace: .seconds(20)) {
            try artifacts.start()
            try logs?.start()
            try await withThrowingTaskGroup { group in
                group.addTask { try await artifacts.run() }
                if let logs { group.addTask { try await logs.run() } }
                try await group.waitForAll()
            }
        }
    }

    /// The log API; nil outside a cluster, where nobody could be asked who may read.
    private static func logServer(_ setting: ProcessSetting, _ artifacts: ArtifactServer) throws -> LogServer? {
        let api: Client
        do {
            api = try setting.client()
        } catch ConfigurationError.nothingFound {
            Logger(label: "builder").warning("There is no cluster, so no logs are served")
            return nil
        }
        let repositories = setting.configuration.repositories
        return try LogServer(
            configuration: repositories.logs,
            surroundings: LogServer.Surroundings(
                buildsNamespace: repositories.buildsNamespace,
                registryCredentials: repositories.registry.credentials?.key),
            tokens: artifacts.tokens, api: api, registry: setting.metrics)
    }
}
