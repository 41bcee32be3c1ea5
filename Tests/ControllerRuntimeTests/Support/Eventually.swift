import Testing
import Timing

/// Waits until a state is reached; fails the test when it is not within the limit.
func eventually(
    _ what: Comment, within limit: Duration = .seconds(300), sourceLocation: SourceLocation = #_sourceLocation,
    _ isReached: @Sendable () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while try await !isReached() {
        guard ContinuousClock.now < deadline else {
            Issue.record("not reached: \(what)", sourceLocation: sourceLocation)
            throw DeadlineExceeded(limit: limit)
        }
        try await ContinuousClock().sleep(for: .milliseconds(2))
    }
}

/// Runs something in the background while `body` runs, then cancels it and waits for its end.
func during<Result: Sendable>(
    _ background: @escaping @Sendable () async -> Void, _ body: @Sendable () async throws -> Result
) async throws -> Result {
    let task = Task { await background() }
    do {
        let result = try await body()
        task.cancel()
        await task.value
        return result
    } catch {
        task.cancel()
        await task.value
        throw error
    }
}
