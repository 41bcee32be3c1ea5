public import Telemetry

/// What is counted about calls that do not wait.
public final class AsyncMetrics: Sendable {
    /// How a call ended.
    public enum End: String, Sendable {
        /// It was answered.
        case done
        /// It was put away.
        case dead
    }

    private let acceptedCalls: Counter
    private let refusedCalls: CounterFamily
    private let endedCalls: CounterFamily
    private let retries: CounterFamily

    /// Registers the metrics.
    public init(_ registry: MetricsRegistry) {
        acceptedCalls = registry.counter(
            "farebox_async_accepted_total", "Calls that were promised to be made."
        ).labels()
        refusedCalls = registry.counter(
            "farebox_async_refused_total", "Calls that were not taken on, by reason.", labels: ["reason"])
        endedCalls = registry.counter(
            "farebox_async_ended_total", "Calls and callbacks that are over.", labels: ["kind", "end"])
        retries = registry.counter(
            "farebox_async_retries_total", "Attempts that are made again later.", labels: ["kind"])
    }

    /// A call was stored.
    public func accepted() { acceptedCalls.increment() }

    /// A call was not taken on.
    public func refused(_ reason: String) { refusedCalls.labels(reason).increment() }

    /// A call is over.
    public func ended(_ kind: CallLane.Kind, _ end: End) { endedCalls.labels(kind.rawValue, end.rawValue).increment() }

    /// A call is tried again.
    public func retried(_ kind: CallLane.Kind) { retries.labels(kind.rawValue).increment() }
}
