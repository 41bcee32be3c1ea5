import Synchronization

/// A door that opens once: whoever waits before that goes on when it opens, whoever comes later does not wait.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var lastTicket: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    var isOpen: Bool { state.withLock { $0.isOpen } }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters {
            waiter.resume()
        }
    }

    /// Waits until the gate is open.
    ///
    /// - Throws: `CancellationError` when the calling task is cancelled before that.
    func wait() async throws {
        let ticket = state.withLock { state in
            state.lastTicket &+= 1
            return state.lastTicket
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    // A cancellation before this point found no waiter: it shows here. A later one finds it.
                    guard !state.isOpen, !Task.isCancelled else {
                        return true
                    }
                    state.waiters[ticket] = continuation
                    return false
                }
                if goesOn {
                    continuation.resume()
                }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
        }
        if !isOpen {
            throw CancellationError()
        }
    }
}
