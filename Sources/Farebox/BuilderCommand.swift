import BuildService
import Commands
import ControllerRuntime
import Telemetry

/// `farebox builder`.
enum BuilderCommand {
    static let description = CommandDescription(
        "builder", "keeps build contexts for build Jobs",
        discussion: """
            Serves artifacts by digest on port 8082, and health and metrics on port 9090. It
            needs no cluster: its configuration is the section `artifacts` of the file.
            """,
        options: ProcessSetting.options)

    @Sendable static func run(_ options: Options) async throws {
        let setting = try ProcessSetting(options)
        let configuration = setting.configuration.artifacts
        let problems = configuration.validate()
        guard problems.isEmpty else { throw ProcessError("artifacts: " + problems.joined(separator: "; ")) }
        let server = try ArtifactServer(configuration: configuration, registry: setting.metrics)
        try await runUntilSignal(grace: .seconds(20)) { try await server.run() }
    }
}
