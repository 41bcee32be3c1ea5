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
        "builder", "builds folders that are posted to it; keeps build contexts and logs",
        discussion: """
            Serves the Function Builder API on port 8080, artifacts by digest on port 8082, the
            log API on port 8083, and health and metrics on port 9090: the sections `buildAPI`,
            `artifacts` and `logs` of the file. Without a cluster there are artifacts alone.
            """,
        options: ProcessSetting.options)

    @Sendable static func run(_ options: Options) async throws {
        let setting = try ProcessSetting(options)
        let configuration = setting.configuration.artifacts
        let problems =
            configuration.validate().map { "artifacts." + $0 }
            + setting.configuration.repositories.logs.validate().map { "logs." + $0 }
            + setting.configuration.buildAPI.validate().map { "buildAPI." + $0 }
        guard problems.isEmpty else { throw ProcessError(problems.joined(separator: "; ")) }
        let artifacts = try ArtifactServer(configuration: configuration, registry: setting.metrics)
        let api = try cluster(setting)
        let logs = try api.map { try logServer(setting, artifacts, $0) }
        let builds = api.map { buildServer(setting, artifacts, $0) }
        try await runUntilSignal(grace: .seconds(20)) {
            try artifacts.start()
            try logs?.start()
            try builds?.start()
            try await withThrowingTaskGroup { group in
                group.addTask { try await artifacts.run() }
                if let logs { group.addTask { try await logs.run() } }
                if let builds { group.addTask { try await builds.run() } }
                try await group.waitForAll()
            }
        }
    }

    /// The cluster; nil outside of one, where nobody could be asked who may read, and nothing could be built.
    private static func cluster(_ setting: ProcessSetting) throws -> Client? {
        do {
            return try setting.client()
        } catch ConfigurationError.nothingFound {
            Logger(label: "builder").warning("There is no cluster, so no logs are served and nothing is built")
            return nil
        }
    }

    private static func logServer(
        _ setting: ProcessSetting, _ artifacts: ArtifactServer, _ api: Client
    ) throws -> LogServer {
        let repositories = setting.configuration.repositories
        return try LogServer(
            configuration: repositories.logs,
            surroundings: LogServer.Surroundings(
                buildsNamespace: repositories.buildsNamespace,
                registryCredentials: repositories.registry.credentials?.key),
            tokens: artifacts.tokens, api: api, registry: setting.metrics)
    }

    private static func buildServer(
        _ setting: ProcessSetting, _ artifacts: ArtifactServer, _ api: Client
    ) -> BuildAPIServer {
        let repositories = setting.configuration.repositories
        return BuildAPIServer(
            configuration: setting.configuration.buildAPI,
            surroundings: BuildAPIServer.Surroundings(
                builds: repositories.buildConfiguration, buildsMaximum: repositories.builder.buildsMaximum,
                registryCredentials: repositories.registry.credentials?.key,
                registry: repositories.registryClientConfiguration),
            artifacts: artifacts, api: api, registry: setting.metrics)
    }
}
