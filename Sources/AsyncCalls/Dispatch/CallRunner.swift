/// Makes calls.
public protocol CallRunner: Sendable {
    /// Makes one attempt at a call; ends soon after the task is cancelled.
    ///
    /// - Parameters:
    ///   - call: The call.
    ///   - attempt: Which attempt it is, counted from 1.
    func run(_ call: AsyncCall, attempt: Int) async -> CallOutcome

    /// What holds for the calls of a lane.
    func rules(of lane: CallLane) -> LaneRules

    /// A call was put away after this outcome.
    func buried(_ call: AsyncCall, after outcome: CallOutcome)
}

extension CallRunner {
    /// As the dispatcher's settings have it.
    public func rules(of lane: CallLane) -> LaneRules { LaneRules() }
}
