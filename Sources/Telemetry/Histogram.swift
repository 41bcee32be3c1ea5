/// Counts observations by size; all methods are safe from any thread.
public final class Histogram: Sendable {
    /// Bounds for the time of a request in seconds: from 1 ms to 60 s, about 2.5 apart.
    public static let requestSeconds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    let upperBounds: [Double]
    private let buckets: [Counter]
    private let total = Gauge()

    init(upperBounds: [Double]) {
        self.upperBounds = upperBounds
        buckets = (0...upperBounds.count).map { _ in Counter() }
    }

    /// Counts one observation.
    ///
    /// - Parameter value: Its size in the metric's unit; NaN is ignored.
    public func observe(_ value: Double) {
        guard !value.isNaN else { return }
        var index = 0
        while index < upperBounds.count, value > upperBounds[index] { index += 1 }
        buckets[index].increment()
        total.add(value)
    }

    /// Counts one observation of a time, in seconds.
    ///
    /// - Parameter duration: How long it took.
    public func observe(_ duration: Duration) {
        observe(duration / .seconds(1))
    }

    /// The sum of all observations.
    public var sum: Double { total.value }

    /// How many observations there were.
    public var count: UInt64 { cumulativeCounts.last ?? 0 }

    /// For each upper bound, and then for infinity, how many observations were at most that.
    var cumulativeCounts: [UInt64] {
        var running: UInt64 = 0
        return buckets.map { bucket in
            running &+= bucket.value
            return running
        }
    }
}
