import Synchronization

/// A number that only grows; all methods are safe from any thread and never wait.
public final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    init() {}

    /// The count so far.
    public var value: UInt64 { count.load(ordering: .relaxed) }

    /// Counts.
    ///
    /// - Parameter amount: How many; one by default. The count begins anew after 2^64, as Prometheus expects of a restart.
    @inline(__always)
    public func increment(by amount: UInt64 = 1) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }
}
