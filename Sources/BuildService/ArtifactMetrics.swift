import HTTP
import Telemetry

/// What the artifact store counts.
struct ArtifactMetrics: Sendable {
    private let requests: CounterFamily
    private let used: Gauge
    private let removed: Counter

    init(_ registry: MetricsRegistry) {
        requests = registry.counter(
            "farebox_artifacts_requests_total", "Requests to the artifact store.", labels: ["method", "code"])
        used = registry.gauge("farebox_artifacts_used_bytes", "Bytes of all stored artifacts.").labels()
        removed = registry.counter("farebox_artifacts_removed_total", "Artifacts removed by retention.").labels()
    }

    func count(_ method: HTTPMethod, _ status: HTTPStatus) {
        let known: [HTTPMethod] = [.get, .head, .put]
        requests.labels(known.contains(method) ? method.rawValue : "other", String(status.code)).increment()
    }

    func swept(removed count: Int, usedBytes: Int) {
        removed.increment(by: UInt64(count))
        used.set(usedBytes)
    }
}
