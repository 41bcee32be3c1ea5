public import Timing

/// Repeats a read-change-write when somebody else wrote in between.
///
/// Source: client-go, `util/retry` DefaultRetry: 5 steps, 10 ms apart, 10 % jitter.
public struct ConflictRetry: Sendable {
    /// How often to try in all.
    public var steps: Int
    /// The wait between two tries.
    public var pause: Duration
    /// What lengthens the wait, so that two writers do not keep step.
    public var jitter: Jitter

    /// Makes the rule; by default client-go's.
    public init(steps: Int = 5, pause: Duration = .milliseconds(10), jitter: Jitter = Jitter(0.1)) {
        precondition(steps >= 1, "there is at least one try")
        self.steps = steps
        self.pause = pause
        self.jitter = jitter
    }

    /// Runs `change` until it does not end in a conflict.
    ///
    /// - Parameter change: Reads the object afresh, changes it and writes it.
    /// - Returns: What `change` returned.
    /// - Throws: What `change` threw; the conflict itself after the last step.
    public func run<Answer>(_ change: () async throws -> Answer) async throws -> Answer {
        for _ in 1..<steps {
            do {
                return try await change()
            } catch let error as KubernetesError where error.isConflict {
                try await Task.sleep(for: jitter.lengthened(pause))
            }
        }
        return try await change()
    }
}
