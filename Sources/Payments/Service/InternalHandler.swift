import HTTP
import Telemetry
import Timing

/// What only our own cluster reaches: leases and balances with a token; health and metrics without.
struct InternalHandler: HTTPHandler {
    let leases: LeaseHandler
    let ledger: any PaymentLedger
    let seeds: SeedRing
    let metrics: PaymentsMetrics
    let registry: MetricsRegistry

    /// The kubelet waits as long as its probe says, a second by default: what takes longer is not ready.
    private static let readinessLimit = Duration.seconds(5)

    func handle(_ request: HTTPRequest) async -> HTTPResponse {
        if request.path.hasPrefix("/v1/") {
            let response = await leases.handle(request)
            metrics.request(Self.endpoint(request.path), response.status)
            return response
        }
        guard request.method == .get || request.method == .head else {
            var response = HTTPResponse.text(.methodNotAllowed, "method not allowed\n")
            response.headers.set("Allow", "GET, HEAD")
            return response
        }
        switch request.path {
        case "/metrics":
            return HTTPResponse(
                .ok, headers: HTTPHeaders([("Content-Type", MetricsRegistry.contentType)]),
                body: .bytes(registry.render()))
        // A store that is away does not come back by restarting this process.
        case "/healthz": return Self.health(failing: [])
        case "/readyz": return Self.health(failing: await failing())
        default: return .text(.notFound, "not found\n")
        }
    }

    private func failing() async -> [String] {
        let ledger = ledger
        let works = try? await withDeadline(Self.readinessLimit) { await ledger.isWorking() }
        return (works == true ? [] : ["ledger"]) + (seeds.isFilled ? [] : ["seeds"])
            + (leases.directory.isReady ? [] : ["functions"])
    }

    private static func health(failing: [String]) -> HTTPResponse {
        let text = failing.map { "[-]\($0) failed: reason withheld\n" }.joined()
        var response = HTTPResponse.text(failing.isEmpty ? .ok : .serviceUnavailable, failing.isEmpty ? "ok" : text)
        response.headers.set("Cache-Control", "no-store")
        return response
    }

    private static func endpoint(_ path: String) -> String {
        switch path {
        case "/v1/leases/exchange": "exchange"
        case "/v1/leases/settle": "settle"
        default: path.hasPrefix("/v1/balances/") ? "balances" : "other"
        }
    }
}
