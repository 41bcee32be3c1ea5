/// Makes calls.
public protocol CallRunner: Sendable {
    /// Makes one attempt at a call; ends soon after the task is cancelled.
    ///
    /// - Parameters:
    ///   - call: The call.
    ///   - attempt: Which attempt it is, counted from 1.
    func run(_ call: AsyncCall, attempt: Int) async -> CallOutcome

    /// How many calls of a lane may be under way at once; nil for as many as the dispatcher makes.
    func concurrencyMaximum(of lane: CallLane) -> Int?

    /// A call was put away after this outcome.
    func buried(_ call: AsyncCall, after outcome: CallOutcome)
}

extension CallRunner {
    /// As many as the dispatcher makes.
    public func concurrencyMaximum(of lane: CallLane) -> Int? { nil }
}
