/// What holds for the calls of one lane; what is nil is as the dispatcher's settings have it.
public struct LaneRules: Hashable, Sendable {
    /// How many may be under way at once.
    public var concurrency: Int?
    /// How often a call is tried.
    public var attemptsMaximum: Int?
    /// The wait after the first attempt.
    public var minimum: Duration?
    /// The longest wait.
    public var maximum: Duration?
    /// Statuses of answers after which a call is tried again.
    public var statuses: Set<Int>?

    /// Makes rules that change nothing.
    public init() {}
}
