/// A rate limit that allows bursts, as a value: it knows no clock and never waits.
///
/// Counted as the generic cell rate algorithm does, in time instead of tokens, so that nothing is rounded and nothing
/// has to be refilled. A clock that goes backwards grants nothing and breaks nothing.
public struct TokenBucket: Sendable, Hashable {
    /// How many tokens are there after a long rest.
    public let capacity: Int
    /// The time in which one token comes back.
    public let interval: Duration

    /// When the bucket will be full again; in the past means that it is full.
    private var fullAt: ContinuousClock.Instant?

    /// Makes a full bucket.
    ///
    /// - Parameters:
    ///   - capacity: How many tokens it holds; from 1 to a million.
    ///   - interval: The time in which one token comes back; above zero and at most a day.
    public init(capacity: Int, interval: Duration) {
        precondition((1...1_000_000).contains(capacity), "a bucket holds from 1 to a million tokens")
        precondition(interval > .zero && interval <= .seconds(86_400), "a token comes back within a day")
        self.capacity = capacity
        self.interval = interval
    }

    /// Takes one token if one is there.
    ///
    /// - Parameter now: The current time.
    /// - Returns: Nil when a token was taken; else how long until one is there.
    public mutating func take(at now: ContinuousClock.Instant) -> Duration? {
        let wait = timeUntilToken(at: now)
        guard wait == .zero else { return wait }
        fullAt = max(fullAt ?? now, now) + interval
        return nil
    }

    /// Takes one token now or from the future, for callers that queue.
    ///
    /// - Parameter now: The current time.
    /// - Returns: How long the caller has to wait before it acts; zero when a token was there.
    public mutating func reserve(at now: ContinuousClock.Instant) -> Duration {
        let wait = timeUntilToken(at: now)
        fullAt = max(fullAt ?? now, now) + interval
        return wait
    }

    /// Whether the bucket is as new, so that a table of many buckets can drop it.
    ///
    /// - Parameter now: The current time.
    /// - Returns: Whether all tokens are there.
    public func isFull(at now: ContinuousClock.Instant) -> Bool {
        (fullAt ?? now) <= now
    }

    private func timeUntilToken(at now: ContinuousClock.Instant) -> Duration {
        let debt = now.duration(to: fullAt ?? now)
        return max(.zero, debt + interval - interval * capacity)
    }
}
