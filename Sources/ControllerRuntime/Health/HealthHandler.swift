public import HTTP
import Telemetry

/// Answers `/healthz`, `/readyz` and `/metrics`; for an internal port only.
///
/// Nothing here asks the API server: when that is away, restarting this process would not help.
public struct HealthHandler: HTTPHandler {
    private let checks: [HealthChecks]
    private let metrics: @Sendable () -> [UInt8]

    /// Makes a handler.
    ///
    /// - Parameters:
    ///   - checks: Each is answered under its name.
    ///   - metrics: Renders the metrics in Prometheus's text format.
    public init(checks: [HealthChecks], metrics: @escaping @Sendable () -> [UInt8]) {
        self.checks = checks
        self.metrics = metrics
    }

    /// Answers one request; other paths get 404, other methods than GET and HEAD get 405.
    public func handle(_ request: HTTPRequest) async -> HTTPResponse {
        guard request.method == .get || request.method == .head else {
            var response = HTTPResponse.text(.methodNotAllowed, "method not allowed\n")
            response.headers.set("Allow", "GET, HEAD")
            return response
        }
        if request.path == "/metrics" {
            let headers = HTTPHeaders([("Content-Type", MetricsRegistry.contentType)])
            return HTTPResponse(.ok, headers: headers, body: .bytes(metrics()))
        }
        guard let answer = answer(path: request.path, query: request.query ?? "") else {
            return .text(.notFound, "not found\n")
        }
        var response = HTTPResponse.text(HTTPStatus(answer.status), answer.text)
        response.headers.set("Cache-Control", "no-cache, no-store, must-revalidate")
        response.headers.set("X-Content-Type-Options", "nosniff")
        return response
    }

    /// Returns the answer of the checks that a path names; nil when it names none.
    func answer(path: String, query: String) -> HealthChecks.Answer? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        guard let name = parts.first, let checks = checks.first(where: { $0.name == name }) else {
            return nil
        }
        switch parts.count {
        case 1: return checks.answer(query: Self.pairs(of: query))
        case 2: return checks.answer(check: String(parts[1]))
        default: return nil
        }
    }

    /// Splits a query; names of checks need no decoding.
    private static func pairs(of query: String) -> [(name: String, value: String)] {
        query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : "")
        }
    }
}
