import Synchronization
import Timing

/// How often wallets are asked, over time: each answered query is kept in the ledger for a day, and anybody may ask.
final class QueryRate: Sendable {
    private let bucket: Mutex<TokenBucket>

    /// Makes a rate.
    ///
    /// - Parameter perSecond: Queries in a second in the long run, from 1 to 100 000; twice as many at once after a rest.
    init(perSecond: Int) {
        bucket = Mutex(TokenBucket(capacity: 2 * perSecond, interval: .seconds(1) / perSecond))
    }

    /// Takes one query; else how long until there is one.
    func take(at now: ContinuousClock.Instant = .now) -> Duration? {
        bucket.withLock { $0.take(at: now) }
    }
}
