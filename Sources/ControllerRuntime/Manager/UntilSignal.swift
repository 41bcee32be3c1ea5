import Glibc
import Synchronization

/// Runs the one part of a process that has no controllers, until it ends or a signal comes.
///
/// The first SIGTERM or SIGINT cancels the part and gives it `grace` to finish; a second one, or the end of the grace,
/// ends the process at once with code 1.
///
/// - Parameters:
///   - grace: How long the part may take to finish.
///   - body: The part; cancellation is how it learns that it should finish.
/// - Throws: What the part throws.
public func runUntilSignal(grace: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws {
    let running = Task { try await body() }
    let isStopping = Atomic(false)
    let deadline = Mutex<Task<Void, Never>?>(nil)
    let registration = SignalWatcher.shared.listen { _ in
        guard !isStopping.exchange(true, ordering: .relaxed) else { _exit(1) }
        running.cancel()
        deadline.withLock { deadline in
            deadline = Task {
                guard (try? await Task.sleep(for: grace)) != nil else { return }
                _exit(1)
            }
        }
    }
    defer {
        SignalWatcher.shared.ignore(registration)
        deadline.withLock { $0?.cancel() }
    }
    do {
        try await running.value
    } catch is CancellationError where isStopping.load(ordering: .relaxed) {
        // That is how a part ends that was told to.
    }
}
