import Telemetry

/// What the webhook tells Prometheus.
final class WebhookMetrics: Sendable {
    private let deliveries: CounterFamily
    private let seconds: HistogramFamily

    init(_ registry: MetricsRegistry) {
        deliveries = registry.counter(
            "farebox_webhook_deliveries_total", "Deliveries of Git hosts by kind of host and what came of them.",
            labels: ["host", "result"])
        seconds = registry.histogram(
            "farebox_webhook_delivery_seconds", "Time from a delivery's head to its answer in seconds.",
            labels: ["host"], buckets: Histogram.requestSeconds)
    }

    /// Counts one delivery.
    func count(_ answer: WebhookAnswer, from host: GitHostKind, took duration: Duration) {
        deliveries.labels(host.rawValue, answer.outcome).increment()
        seconds.labels(host.rawValue).observe(duration)
    }
}
