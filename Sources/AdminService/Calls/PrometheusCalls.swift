import HTTP
import JSON
import KubernetesTypes

/// Asks a Prometheus how calls went, by OpenFaaS' name of the metric.
///
/// Source: Prometheus HTTP API, "Instant queries".
struct PrometheusCalls: Sendable {
    /// What most servers keep, and no query that takes a server down.
    static let windowMaximum = Duration.seconds(30 * 86_400)
    private static let answerBytesMaximum = 1 << 20

    /// Where it is, without a slash at its end.
    private let base: String
    private let timeout: Duration
    private let client = HTTPClient()

    init(url: String, timeout: Duration = .seconds(10)) {
        self.timeout = timeout
        base = url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    /// The calls of one function.
    ///
    /// - Parameters:
    ///   - label: `<name>.<namespace>`: names of objects, which cannot end the text that they stand in.
    ///   - window: How far back.
    /// - Throws: When it cannot be asked.
    func counts(of label: String, window: Duration) async throws -> CallStatistics.Counts {
        let url = base + "/api/v1/query?query=" + PercentEncoding.encode(Self.query(label, window))
        let request = HTTPClientRequest(
            url: url, timeout: timeout, responseBytesMaximum: Self.answerBytesMaximum)
        let response = try await client.send(request)
        guard response.status == .ok else { throw CallsUnknown(reason: "Prometheus answered \(response.status)") }
        return try Self.counts(JSONReader().parse(response.body))
    }

    /// The question.
    static func query(_ label: String, _ window: Duration) -> String {
        "sum by (code) (increase(gateway_function_invocation_total{function_name=\"\(label)\"}[\(window.components.seconds)s]))"
    }

    /// Reads the answer: a vector with a value for each code.
    ///
    /// - Throws: ``CallsUnknown`` for anything else.
    static func counts(_ answer: JSONValue) throws -> CallStatistics.Counts {
        guard answer["status"] == "success", let series = answer[path: "data", "result"]?.arrayValue else {
            throw CallsUnknown(reason: "Prometheus answered with an error")
        }
        var (success, failure) = (0.0, 0.0)
        for entry in series {
            guard let code = entry[path: "metric", "code"]?.stringValue.flatMap({ Int($0) }),
                let value = entry["value"]?[1]?.stringValue.flatMap({ Double($0) }), value.isFinite, value >= 0
            else { continue }
            if (200..<400).contains(code) { success += value } else { failure += value }
        }
        // An increase is extrapolated, so it is rarely a whole number.
        return CallStatistics.Counts(
            success: UInt64(min(success.rounded(), 1e15)), failure: UInt64(min(failure.rounded(), 1e15)))
    }
}
