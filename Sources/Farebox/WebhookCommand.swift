import Commands
import ControllerRuntime
import Webhook

/// `farebox webhook`.
enum WebhookCommand {
    static let description = CommandDescription(
        "webhook", "takes push events of Git hosts",
        discussion: """
            Serves POST /github on port 8081, and health and metrics on port 9091. Each
            delivery is verified with the secrets in the folder, files github and
            github-next, and noted on the Repositories with its URL and branch.
            """,
        options: ProcessSetting.options + [
            .init("port", value: "PORT", "for deliveries (default 8081)"),
            .init("internal-port", value: "PORT", "for health and metrics (default 9091)"),
            .init("secrets", value: "FOLDER", "with the secrets (default /etc/farebox-webhook)"),
        ])

    @Sendable static func run(_ options: Options) async throws {
        let setting = try ProcessSetting(options)
        let api = try setting.client()
        var managing = ManagerConfiguration()
        managing.healthPort = try options.number("internal-port") ?? 9091
        let manager = Manager(api: api, configuration: managing, metrics: setting.metrics)
        var configuration = WebhookConfiguration()
        configuration.port = try options.number("port") ?? configuration.port
        configuration.secretsFolder = options["secrets"] ?? configuration.secretsFolder
        WebhookProcess.install(in: manager, api: api, configuration: configuration)
        try await manager.run()
    }
}
