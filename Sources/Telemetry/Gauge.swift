import Synchronization

/// A number that goes up and down; all methods are safe from any thread.
public final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)  // The bit pattern of 0.0 is 0.

    init() {}

    /// The current value.
    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    /// Replaces the value.
    ///
    /// - Parameter value: The new one.
    public func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    /// Replaces the value.
    ///
    /// - Parameter value: The new one.
    public func set(_ value: Int) {
        set(Double(value))
    }

    /// Changes the value.
    ///
    /// - Parameter amount: What to add; negative takes away.
    public func add(_ amount: Double) {
        var current = bits.load(ordering: .relaxed)
        while true {
            let wanted = (Double(bitPattern: current) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(
                expected: current, desired: wanted, ordering: .relaxed)
            if exchanged { return }
            current = original
        }
    }

    /// Adds one.
    public func increment() { add(1) }

    /// Takes one away.
    public func decrement() { add(-1) }
}
