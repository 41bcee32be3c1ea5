import Cryptography
import HTTP
import JSON
import Scaling

/// Tells the operator, on the internal port, how busy functions are that scale by it.
struct LoadTeller: Sendable {
    private let source: RouteSource
    /// Counts begin anew with each process.
    private let name = Hex.encode(randomBytes(8))
    private let since = ContinuousClock.now

    init(source: RouteSource) {
        self.source = source
    }

    /// The report of this moment.
    var response: HTTPResponse {
        let report = LoadReport(
            gateway: name, uptimeSeconds: since.duration(to: .now) / .seconds(1), functions: source.loads())
        guard let body = try? JSONWriter().encode(report) else {
            // Only a number that JSON has no form for; the operator then knows that it knows nothing.
            return HTTPResponse(.internalServerError)
        }
        return HTTPResponse(
            .ok, headers: HTTPHeaders([("Content-Type", "application/json"), ("Cache-Control", "no-store")]),
            body: .bytes(body))
    }
}
