/// The wait before each retry: doubling from `base`, never above `ceiling`, shortened at random by up to `jitter`.
///
/// It holds no state; whoever retries counts the failures and starts anew after a success.
public struct Backoff: Sendable, Hashable {
    /// The wait after the first failure.
    public let base: Duration
    /// The longest wait.
    public let ceiling: Duration
    /// How much of each wait chance may take away, from 0 (nothing) to 1 (all).
    public let jitter: Double

    /// Makes a backoff.
    ///
    /// - Parameters:
    ///   - base: The wait after the first failure; above zero.
    ///   - ceiling: The longest wait; at least `base` and at most a year.
    ///   - jitter: The random share of each wait, from 0 to 1. The default, 0, gives the same waits always.
    public init(base: Duration, ceiling: Duration, jitter: Double = 0) {
        precondition(base > .zero && base <= ceiling, "a backoff grows from above zero to its ceiling")
        precondition(ceiling <= .seconds(366 * 86_400), "a backoff ends at a year")
        self.base = base
        self.ceiling = ceiling
        self.jitter = Jitter(jitter).fraction
    }

    /// Returns the wait after `failures` failures in a row, before jitter.
    ///
    /// - Parameter failures: Failures so far, counting from 1.
    /// - Returns: A duration of at most `ceiling`.
    public func delayWithoutJitter(afterFailures failures: Int) -> Duration {
        precondition(failures >= 1, "failures count from 1")
        var delay = base
        var doublings = failures - 1
        while doublings > 0, delay < ceiling {  // Ends within 60 rounds, however small the base: 2^60 ns are 36 years.
            delay += delay
            doublings -= 1
        }
        return min(delay, ceiling)
    }

    /// Returns the wait after `failures` failures in a row.
    ///
    /// - Parameters:
    ///   - failures: Failures so far, counting from 1.
    ///   - generator: Where chance comes from.
    /// - Returns: A duration of at most `ceiling`.
    public func delay(afterFailures failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        Jitter(jitter).shortened(delayWithoutJitter(afterFailures: failures), using: &generator)
    }

    /// Returns the wait after `failures` failures in a row.
    ///
    /// - Parameter failures: Failures so far, counting from 1.
    /// - Returns: A duration of at most `ceiling`.
    public func delay(afterFailures failures: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return delay(afterFailures: failures, using: &generator)
    }
}
