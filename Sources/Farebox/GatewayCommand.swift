import AsyncCalls
import Commands
import ControllerRuntime
import Gateway
import Glibc
import Payments
import Telemetry

/// `farebox gateway`.
enum GatewayCommand {
    static let description = CommandDescription(
        "gateway", "passes calls to functions",
        discussion: """
            Serves callers on port 8080, and health and metrics on port 9090. Routes are the
            cluster's Functions and EndpointSlices, or those of a file, without any cluster.
            """,
        options: ProcessSetting.options + [
            .init("routes", value: "FILE", "fixed routes instead of a cluster's"),
            .init("payments", value: "URL", "with --routes: where paid calls are leased"),
            .init("payments-token", value: "FILE", "with --payments: the token for leases"),
            .init("async", value: "FILE", "with --routes: the section async of a configuration, by itself"),
            .init("root-domain", value: "DOMAIN", "below which owners have their hosts"),
            .init("address", value: "ADDRESS", "to listen on (default 0.0.0.0)"),
            .init("port", value: "PORT", "for callers (default 8080)"),
            .init("tls-folder", value: "FOLDER", "serve TLS with the certificates in it"),
            .init("tls-port", value: "PORT", "for callers by TLS (default 8443)"),
            .init("plain-http2", "take HTTP/2 without TLS too, by prior knowledge"),
            .init("internal-address", value: "ADDRESS", "for health and metrics (default 0.0.0.0)"),
            .init("internal-port", value: "PORT", "for health and metrics (default 9090)"),
            .init("loops", value: "N", "event loops (default: one a processor)"),
        ],
        examples: ["farebox gateway --routes routes.yaml --port 8000"])

    @Sendable static func run(_ options: Options) async throws {
        let service: GatewayService
        if let file = options["routes"] {
            let routes = try StaticRoutes(file: file)
            var base = GatewayConfiguration()
            if let url = options["payments"] {
                let defaults = PaymentsConfiguration()
                base.payment = PaymentAccess(
                    internalURL: url, tokenPath: options["payments-token"] ?? defaults.tokenPath, publicURL: nil)
            }
            base.async = try options["async"].map(AsyncSetting.read)
            service = try GatewayService(
                configuration: try configuration(options, base: base), routes: .fixed(routes),
                registry: MetricsRegistry())
        } else {
            let setting = try ProcessSetting(options)
            var base = setting.configuration.gateway.configuration
            base.rootDomain = setting.configuration.rootDomain
            base.functionsNamespace = setting.configuration.functionsNamespace
            base.payment = setting.configuration.payments.access
            base.async = setting.configuration.async.enabled ? setting.configuration.async : nil
            base.nodeName = getenv("NODE_NAME").map { String(cString: $0) }
            service = try GatewayService(
                configuration: try configuration(options, base: base), routes: .cluster(try setting.client()),
                registry: setting.metrics)
        }
        try await runUntilSignal(grace: .seconds(45)) { try await service.run() }
    }

    private static func configuration(
        _ options: Options, base: GatewayConfiguration
    ) throws -> GatewayConfiguration {
        var configuration = base
        configuration.rootDomain = options["root-domain"] ?? base.rootDomain
        configuration.address = options["address"] ?? base.address
        configuration.port = try options.number("port") ?? base.port
        configuration.acceptsPlainHTTP2 = options["plain-http2"] != nil || base.acceptsPlainHTTP2
        if options["tls-folder"] != nil || options["tls-port"] != nil {
            var tls = base.tls ?? GatewayTLS()
            tls.folder = options["tls-folder"] ?? tls.folder
            tls.port = try options.number("tls-port") ?? tls.port
            configuration.tls = tls
        }
        configuration.internalAddress = options["internal-address"] ?? base.internalAddress
        configuration.internalPort = try options.number("internal-port") ?? base.internalPort
        configuration.loops = try options.number("loops") ?? base.loops
        return configuration
    }
}

extension PaymentsConfiguration {
    /// How the gateway reaches payments; nil where nobody takes money.
    fileprivate var access: PaymentAccess? {
        isSetUp ? PaymentAccess(internalURL: internalURL, tokenPath: tokenPath, publicURL: publicURL) : nil
    }
}
