import Glibc
import Synchronization
import Threads

/// Tells of SIGTERM and SIGINT as they come.
///
/// The handler may do next to nothing, so it writes the signal's number into a pipe, and a thread of its own reads them
/// there. There is one watcher for the life of the process: signals belong to the process.
final class SignalWatcher: Sendable {
    static let shared = SignalWatcher()

    /// The writing end, for the handler: an atomic, since a handler must not touch anything that may be half initialised.
    private static let writingEnd = Atomic<Int32>(-1)

    /// What a listener is known by.
    struct Registration: Hashable, Sendable {
        fileprivate let number: Int
    }

    private struct Guarded {
        var listeners: [Registration: @Sendable (Int32) -> Void] = [:]
        var lastNumber = 0
        var hasThread = false
    }

    private static let signals = [SIGTERM, SIGINT]

    private let guarded = Mutex(Guarded())
    private let readingEnd: Int32

    private init() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            readingEnd = -1
            return
        }
        readingEnd = ends[0]
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        Self.writingEnd.store(ends[1], ordering: .sequentiallyConsistent)
    }

    /// Calls `listener` on a thread of its own for each signal from now on.
    ///
    /// While somebody listens, the signals no longer end the process by themselves.
    func listen(_ listener: @escaping @Sendable (Int32) -> Void) -> Registration {
        guarded.withLock { guarded in
            guarded.lastNumber += 1
            let registration = Registration(number: guarded.lastNumber)
            guarded.listeners[registration] = listener
            guard readingEnd >= 0 else {
                return registration
            }
            if !guarded.hasThread {
                guarded.hasThread = true
                startThread()
            }
            for number in Self.signals {
                var action = sigaction()
                action.__sigaction_handler.sa_handler = { number in
                    let saved = errno
                    var byte = UInt8(truncatingIfNeeded: number)
                    _ = write(SignalWatcher.writingEnd.load(ordering: .relaxed), &byte, 1)
                    errno = saved
                }
                action.sa_flags = SA_RESTART
                _ = sigaction(number, &action, nil)
            }
            return registration
        }
    }

    /// Ends a registration; after the last one the signals end the process again.
    func ignore(_ registration: Registration) {
        guarded.withLock { guarded in
            guarded.listeners[registration] = nil
            guard guarded.listeners.isEmpty else {
                return
            }
            for number in Self.signals {
                _ = signal(number, SIG_DFL)
            }
        }
    }

    private func startThread() {
        _ = DetachedThread.start { SignalWatcher.shared.readSignals() }
    }

    private func readSignals() {
        var byte: UInt8 = 0
        while true {
            let count = read(readingEnd, &byte, 1)
            if count < 0, errno == EINTR {
                continue
            }
            guard count == 1 else {
                return
            }
            for listener in guarded.withLock({ $0.listeners }).values {
                listener(Int32(byte))
            }
        }
    }
}
