/// The time for an operation was over.
public struct DeadlineExceeded: Error, Hashable, CustomStringConvertible {
    /// How long the operation was allowed to take.
    public let limit: Duration

    /// One line for a person.
    public var description: String { "not finished within \(limit.goStyle)" }

    /// Makes the error.
    ///
    /// - Parameter limit: How long the operation was allowed to take.
    public init(limit: Duration) {
        self.limit = limit
    }
}

/// Runs an operation and cancels it when it takes longer than `limit`.
///
/// It is structured: it returns only after the operation did, so an operation that ignores cancellation is waited for.
/// When the operation finishes with a result although the limit has passed, the limit still counts.
///
/// - Parameters:
///   - limit: How long the operation may take.
///   - clock: What measures it; a test passes its own.
///   - operation: What to run.
/// - Returns: What the operation returned.
/// - Throws: ``DeadlineExceeded``, or what the operation threw before that.
public func withDeadline<Result: Sendable>(
    _ limit: Duration, clock: some Clock<Duration> = ContinuousClock(),
    _ operation: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: RaceOutcome<Result>.self) { group in
        group.addTask { .finished(try await operation()) }
        group.addTask {
            do {
                try await clock.sleep(for: limit)
                return .deadlinePassed
            } catch {
                return .timerCancelled  // The caller was cancelled; the operation has the last word.
            }
        }
        defer { group.cancelAll() }
        while let outcome = try await group.next() {
            switch outcome {
            case .finished(let result): return result
            case .deadlinePassed: throw DeadlineExceeded(limit: limit)
            case .timerCancelled: continue
            }
        }
        throw CancellationError()  // Not reached: the operation always ends one way or the other.
    }
}

/// What one of the two tasks of a race against the clock reports.
private enum RaceOutcome<Result: Sendable>: Sendable {
    case finished(Result)
    case deadlinePassed
    case timerCancelled
}
