import AdminService
import Commands
import ControllerRuntime

/// `farebox admin`.
enum AdminCommand {
    static let description = CommandDescription(
        "admin", "serves OpenFaaS' REST API",
        discussion: """
            Serves faas-cli and other clients of OpenFaaS on port 8085, and health and metrics
            on port 9090: the section `admin` of the file. Callers have the name and the
            password of the mounted Secret, or a token of the cluster. Calls of functions are
            passed on to the gateway.
            """,
        options: ProcessSetting.options + [
            .init("port", value: "PORT", "for clients (default 8085)"),
            .init("internal-port", value: "PORT", "for health and metrics (default 9090)"),
            .init("credentials", value: "FOLDER", "with name and password (default /etc/farebox-admin)"),
            .init("gateway", value: "URL", "where calls are passed on to"),
        ],
        examples: ["farebox admin --config farebox.yaml --gateway http://127.0.0.1:8080"])

    @Sendable static func run(_ options: Options) async throws {
        let setting = try ProcessSetting(options)
        var configuration = setting.configuration.admin
        configuration.port = try options.number("port") ?? configuration.port
        configuration.internalPort = try options.number("internal-port") ?? configuration.internalPort
        configuration.credentialsFolder = options["credentials"] ?? configuration.credentialsFolder
        configuration.gatewayURL = options["gateway"] ?? configuration.gatewayURL
        configuration.version = VersionCommand.version
        let problems = configuration.validate()
        guard problems.isEmpty else {
            let text = problems.map { "admin." + $0 }.joined(separator: "; ")
            throw ProcessError("the configuration is wrong: " + text)
        }
        let server = try AdminServer(
            configuration: configuration, api: try setting.client(), registry: setting.metrics)
        try await runUntilSignal(grace: .seconds(30)) {
            try server.start()
            try await server.run()
        }
    }
}
