import Gateway
import Telemetry

/// `farebox gateway`: runs the gateway.
enum GatewayCommand {
    /// Reads the command line and serves until the process ends.
    static func run(_ arguments: [String]) async throws {
        let options = try GatewayOptions(arguments)
        let registry = MetricsRegistry()
        registry.registerProcessMetrics()
        let service = GatewayService(
            configuration: options.configuration, routes: .fixed(try StaticRoutes(file: options.routesFile)),
            registry: registry)
        try await service.run()
    }
}
