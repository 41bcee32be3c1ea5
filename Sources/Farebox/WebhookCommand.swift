import Audit
import Commands
import ControllerRuntime
import HTTP
import Operator
import Webhook

/// `farebox webhook`.
enum WebhookCommand {
    static let description = CommandDescription(
        "webhook", "takes the events of Git hosts",
        discussion: """
            Serves POST /github, /gitlab, /gitea and /git on port 8081, and health and metrics
            on port 9091. Each delivery is verified with the host's secrets in the folder,
            such as the files github and github-next, and carried out on the Repositories.
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
        var configuration = setting.configuration.webhook
        guard configuration.validate().isEmpty else {
            throw ProcessError("the configuration is wrong: " + setting.configuration.problems.joined(separator: "; "))
        }
        configuration.port = try options.number("port") ?? configuration.port
        configuration.secretsFolder = options["secrets"] ?? configuration.secretsFolder
        let client = HTTPClient(configuration: HTTPClientConfiguration(connectTimeout: .seconds(5)))
        let addresses: AddressPolicy =
            setting.configuration.repositories.git.allowsPrivateAddresses ? .any : .publicOnly
        let gitClient = HTTPClient(
            configuration: HTTPClientConfiguration(addresses: addresses, connectTimeout: .seconds(5)))
        let audit = setting.configuration.audit.log(source: "webhook", registry: setting.metrics)
        manager.addRunnable("audit", needsLeadership: false) { await audit.run() }
        WebhookProcess.install(
            in: manager, api: api, client: client, gitClient: gitClient, configuration: configuration, audit: audit)
        try await manager.run()
    }
}
