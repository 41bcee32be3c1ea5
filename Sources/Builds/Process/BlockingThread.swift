import Glibc

/// Runs one blocking call on a thread of its own, so that it never holds a thread of Swift's shared pool.
public enum BlockingThread {
    /// Returns what `body` returns; it runs at once, and to its end even when the task is cancelled.
    ///
    /// - Throws: When the system has no thread left.
    public static func run<R: Sendable>(_ body: @escaping @Sendable () -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let work = Work { continuation.resume(returning: body()) }
            let code = work.start()
            if code != 0 { continuation.resume(throwing: ChildProcessError.cannotStart("a thread", code: code)) }
        }
    }

    /// Carries the closure through C.
    private final class Work: Sendable {
        private let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }

        /// Returns 0, or the error when `body` will never run.
        func start() -> Int32 {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(self).toOpaque()
            let code = pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                    return nil
                }, context)
            if code == 0 {
                pthread_detach(thread)
            } else {
                Unmanaged<Work>.fromOpaque(context).release()
            }
            return code
        }
    }
}
