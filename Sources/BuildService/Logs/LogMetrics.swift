import HTTP
import Telemetry

/// What the log API counts; no label holds the name of a tenant's object.
struct LogMetrics: Sendable {
    private let requests: CounterFamily
    private let followers: Gauge
    private let used: Gauge
    private let removed: Counter

    init(_ registry: MetricsRegistry) {
        requests = registry.counter(
            "farebox_logs_requests_total", "Requests to the log API.", labels: ["kind", "code"])
        followers = registry.gauge("farebox_logs_streams", "Logs that are being sent now.").labels()
        used = registry.gauge("farebox_logs_used_bytes", "Bytes of all stored logs.").labels()
        removed = registry.counter("farebox_logs_removed_total", "Stored logs removed by retention.").labels()
    }

    func count(_ kind: String, _ status: HTTPStatus) { requests.labels(kind, String(status.code)).increment() }

    func streamBegan() { followers.increment() }
    func streamEnded() { followers.decrement() }

    func swept(removed count: Int, usedBytes: Int) {
        removed.increment(by: UInt64(count))
        used.set(usedBytes)
    }
}
