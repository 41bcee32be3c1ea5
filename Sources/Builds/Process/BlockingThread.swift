import Threads

/// Runs one blocking call on a thread of its own, so that it never holds a thread of Swift's shared pool.
public enum BlockingThread {
    /// Returns what `body` returns; it runs at once, and to its end even when the task is cancelled.
    ///
    /// - Throws: When the system has no thread left.
    public static func run<R: Sendable>(_ body: @escaping @Sendable () -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let code = DetachedThread.start { continuation.resume(returning: body()) }
            if code != 0 { continuation.resume(throwing: ChildProcessError.cannotStart("a thread", code: code)) }
        }
    }
}
