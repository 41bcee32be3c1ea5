import Synchronization
import Timing

/// How often one address may fail to say who it is.
///
/// Bounded in memory: when too many addresses fail, those that have rested are forgotten, and then all.
final class FailureLimit: Sendable {
    /// Failures in a row before the limit is felt.
    static let burst = 20
    /// One more failure is allowed after each of these.
    static let interval = Duration.seconds(1)
    private static let addressesMaximum = 10_000

    private let interval: Duration
    private let buckets = Mutex<[String: TokenBucket]>([:])

    /// - Parameter interval: One more failure is allowed after each of these.
    init(interval: Duration = FailureLimit.interval) {
        self.interval = interval
    }

    /// How long the address has to rest before it may try what has to be asked of the API server; nil when it may now.
    func rest(of address: String, at now: ContinuousClock.Instant = .now) -> Duration? {
        buckets.withLock { buckets in
            guard var bucket = buckets[address] else { return nil }
            return bucket.take(at: now)
        }
    }

    /// Takes note of a failure.
    ///
    /// - Returns: nil while failures are few; else how long the address should rest.
    func note(_ address: String, at now: ContinuousClock.Instant = .now) -> Duration? {
        buckets.withLock { buckets in
            if buckets[address] == nil, buckets.count >= Self.addressesMaximum {
                buckets = buckets.filter { !$0.value.isFull(at: now) }
                if buckets.count >= Self.addressesMaximum { buckets = [:] }
            }
            var bucket = buckets[address] ?? TokenBucket(capacity: Self.burst, interval: interval)
            let wait = bucket.take(at: now)
            buckets[address] = bucket
            return wait
        }
    }
}
