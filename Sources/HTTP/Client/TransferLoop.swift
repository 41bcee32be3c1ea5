import CCurl
import Glibc
import Synchronization

/// Drives all transfers of one client on a thread of its own.
///
/// Everything libcurl does happens on that thread. Others only leave commands and wake it up.
final class TransferLoop: Sendable {
    /// What the thread is asked to do.
    enum Command: Sendable {
        case start(TransferExchange, HTTPClientRequest)
        case resume(TransferExchange)
        case cancel(TransferExchange)
    }

    private struct Inbox {
        var commands: [Command] = []
        var isClosing = false
        /// libcurl's multi handle as long as it may be woken up.
        var multi: MultiHandle?
    }

    /// A multi handle, used on the loop's thread but for waking it up.
    private struct MultiHandle: @unchecked Sendable {
        // SAFETY: `curl_multi_wakeup` is the one function libcurl allows from other threads. They call it with the
        // inbox locked, and the loop takes the handle out of the inbox before it destroys it.
        let pointer: UnsafeMutableRawPointer
    }

    /// How many connections were begun; for tests and metrics.
    let connections = ConnectionCount()
    private let configuration: HTTPClientConfiguration
    private let inbox: Mutex<Inbox>

    /// Starts the thread.
    ///
    /// Should memory or threads be short, the loop is closed from the beginning and every request fails.
    init(_ configuration: HTTPClientConfiguration) {
        self.configuration = configuration
        inbox = Mutex(Inbox())
        guard Self.isLibraryReady, let pointer = curl_multi_init() else {
            inbox.withLock { $0.isClosing = true }
            return
        }
        inbox.withLock { $0.multi = MultiHandle(pointer: pointer) }
        startThread(pointer)
    }

    /// Begins a transfer.
    func start(_ request: HTTPClientRequest, _ exchange: TransferExchange) {
        if !leave(.start(exchange, request)) { exchange.finish(.closed) }
    }

    /// Lets a paused transfer go on.
    func resume(_ exchange: TransferExchange) {
        _ = leave(.resume(exchange))
    }

    /// Ends a transfer.
    func cancel(_ exchange: TransferExchange) {
        _ = leave(.cancel(exchange))
    }

    /// Lets the running transfers end, takes no new ones, and then ends the thread.
    func close() {
        inbox.withLock { inbox in
            inbox.isClosing = true
            if let multi = inbox.multi { curl_multi_wakeup(multi.pointer) }
        }
    }

    private func leave(_ command: Command) -> Bool {
        inbox.withLock { inbox in
            guard let multi = inbox.multi else { return false }
            if case .start = command, inbox.isClosing { return false }
            inbox.commands.append(command)
            if inbox.commands.count == 1 { curl_multi_wakeup(multi.pointer) }
            return true
        }
    }

    private static let isLibraryReady = curl_global_init(3) == CURLE_OK  // CURL_GLOBAL_DEFAULT: TLS and Win32.
}

// MARK: - The thread

extension TransferLoop {
    private func startThread(_ multi: UnsafeMutableRawPointer) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<TransferLoop>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, context.toOpaque())
        if code == 0 {
            pthread_detach(thread)
        } else {
            context.release()
            inbox.withLock { $0.multi = nil }
            curl_multi_cleanup(multi)
        }
    }

    private func run() {
        // Signals belong to the main thread; SIGPIPE, which OpenSSL's writes can raise, must kill nobody.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        guard let multi = inbox.withLock({ $0.multi })?.pointer else { return }
        let table = TransferTable(multi, configuration, connections)
        while true {
            for command in takeCommands() { table.carryOut(command) }
            // Taken before reading: what waited to be read by then is no silence, however late this thread is.
            let now = ContinuousClock.now
            table.perform()
            let wait = table.expireSilent(at: now)
            if table.isEmpty, retires() { break }
            curl_multi_poll(multi, nil, 0, Int32(clamping: wait.milliseconds), nil)
        }
        curl_multi_cleanup(multi)
    }

    private func takeCommands() -> [Command] {
        inbox.withLock { inbox in
            let commands = inbox.commands
            inbox.commands = []
            return commands
        }
    }

    /// Whether the thread may end; from then on nobody wakes it up.
    private func retires() -> Bool {
        inbox.withLock { inbox in
            guard inbox.isClosing, inbox.commands.isEmpty else { return false }
            inbox.multi = nil
            return true
        }
    }
}
