import Synchronization
import Testing
import Timing

@Suite("Deadlines")
struct DeadlineTests {
    private struct Refused: Error {}

    @Test("An operation in time gives its result")
    func inTime() async throws {
        let result = try await withDeadline(.seconds(600)) { 42 }

        #expect(result == 42)
    }

    @Test("An operation that takes too long is cancelled and reported")
    func tooLong() async {
        let wasCancelled = Mutex(false)

        let error = await #expect(throws: DeadlineExceeded.self) {
            try await withDeadline(.milliseconds(5)) {
                try await untilCancelled()
                wasCancelled.withLock { $0 = Task.isCancelled }
            }
        }

        #expect(error == DeadlineExceeded(limit: .milliseconds(5)))
        #expect(error?.description == "not finished within 5ms")
        #expect(wasCancelled.withLock { $0 })
    }

    @Test("What the operation throws is passed on")
    func failure() async {
        await #expect(throws: Refused.self) {
            try await withDeadline(.seconds(600)) { throw Refused() }
        }
    }

    @Test("When the caller is cancelled the operation still has the last word")
    func callerCancelled() async throws {
        let task = Task {
            try await withDeadline(.seconds(600)) {
                try await untilCancelled()
                return "cleaned up"
            }
        }

        task.cancel()

        #expect(try await task.value == "cleaned up")
    }
}

/// Suspends until the current task is cancelled, and then returns normally.
private func untilCancelled() async throws {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    await withTaskCancellationHandler {
        for await _ in stream {}
    } onCancel: {
        continuation.finish()
    }
}
