import Glibc

/// A thread for calls that block, which must never hold a thread of Swift's shared pool.
///
/// It ends by itself; nobody waits for it, and nothing can stop it.
public enum DetachedThread {
    /// Runs `body` on a new thread.
    ///
    /// - Returns: 0, or the system's error number: then `body` never runs.
    public static func start(_ body: @escaping @Sendable () -> Void) -> Int32 {
        let context = Unmanaged.passRetained(Work(body)).toOpaque()
        var thread = pthread_t()
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

    /// Carries the closure through C.
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
