import Telemetry

/// What the publisher counts.
struct PublisherMetrics: Sendable {
    private let objects: CounterFamily

    init(_ registry: MetricsRegistry) {
        objects = registry.counter(
            "farebox_payments_receipt_objects_total", "Receipt objects that show streams, by what was done.",
            labels: ["action"])
    }

    func published() { objects.labels("written").increment() }
    func removed() { objects.labels("removed").increment() }
    func skipped(_ count: UInt64) { objects.labels("skipped").increment(by: count) }
}
