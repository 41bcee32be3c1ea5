public import Timing

/// Whether a call is tried again, and when: a value.
public struct RetryPolicy: Hashable, Sendable {
    /// What becomes of a call after an attempt.
    public enum Verdict: Hashable, Sendable {
        /// It is over.
        case done
        /// It is tried again after this time.
        case retry(after: Duration)
        /// It is not tried again; the text says why.
        case dead(String)
    }

    /// How often a call is tried.
    public let attemptsMaximum: Int
    /// The waits: doubling, and shortened at random by up to half so that calls that failed together come back apart.
    public let backoff: Backoff
    /// Statuses after which a call is tried again; 408, 429 and 500 to 599 for nil.
    public let statuses: Set<Int>?

    /// Makes a policy.
    ///
    /// - Parameters:
    ///   - attemptsMaximum: How often a call is tried, at least once.
    ///   - minimum: The wait after the first attempt.
    ///   - maximum: The longest wait.
    ///   - statuses: Statuses after which a call is tried again; 408, 429 and 500 to 599 for nil.
    public init(
        attemptsMaximum: Int = 10, minimum: Duration = .seconds(10), maximum: Duration = .seconds(120),
        statuses: Set<Int>? = nil
    ) {
        self.statuses = statuses
        self.attemptsMaximum = max(1, attemptsMaximum)
        backoff = Backoff(base: minimum, ceiling: max(minimum, maximum), jitter: 0.5)
    }

    /// The policy for calls of a lane with rules of its own.
    public func applying(_ rules: LaneRules) -> RetryPolicy {
        let maximum = rules.maximum ?? max(backoff.ceiling, rules.minimum ?? .zero)
        return RetryPolicy(
            attemptsMaximum: rules.attemptsMaximum ?? attemptsMaximum,
            minimum: min(rules.minimum ?? backoff.base, maximum), maximum: maximum, statuses: rules.statuses ?? statuses
        )
    }

    /// Judges an attempt.
    ///
    /// A call is tried again when there was no answer, or one of ``statuses``. What other statuses the function
    /// answers is its answer. `Retry-After` lengthens the wait, up to the longest. A call that found no place at its function
    /// waits for as long as that takes.
    ///
    /// - Parameters:
    ///   - outcome: What came of it.
    ///   - attempt: Which attempt it was, counted from 1.
    ///   - generator: Where chance comes from.
    public func verdict(
        on outcome: CallOutcome, attempt: Int, using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        let isTriedAgain = statuses?.contains(outcome.status) ?? Self.isTemporary(outcome.status)
        let isAnswered = outcome.source == .answer && !isTriedAgain
        if isAnswered, !outcome.isFinal { return .done }
        let cause = outcome.source == .answer ? "it was answered \(outcome.status)" : outcome.reason
        if outcome.isFinal { return .dead(cause) }
        if outcome.isBusy { return .retry(after: backoff.delay(afterFailures: 1, using: &generator)) }
        guard attempt < attemptsMaximum else { return .dead("attempt \(attempt) of \(attemptsMaximum): \(cause)") }
        let wait = backoff.delay(afterFailures: max(1, attempt), using: &generator)
        return .retry(after: max(wait, min(outcome.retryAfter ?? .zero, backoff.ceiling)))
    }

    /// Judges an attempt, by the system's generator.
    public func verdict(on outcome: CallOutcome, attempt: Int) -> Verdict {
        var generator = SystemRandomNumberGenerator()
        return verdict(on: outcome, attempt: attempt, using: &generator)
    }

    /// Whether a status says that another time may be better.
    static func isTemporary(_ status: Int) -> Bool {
        status == 408 || status == 429 || status >= 500
    }
}
