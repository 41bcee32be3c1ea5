import CEpoll
import Glibc

/// One connection to an endpoint: connecting, serving an exchange, or idle in the pool.
final class UpstreamConnection: Channel, @unchecked Sendable {
    /// Bytes of a request kept for sending it once more; larger ones are not repeated.
    static let unansweredBytesMaximum = 64 * 1024

    /// `MSG_PEEK` of <sys/socket.h>: look without taking.
    private static let peek: Int32 = 2

    let endpoint: UpstreamEndpoint
    private unowned let pool: UpstreamPool
    /// The exchange it serves.
    var exchange: ProxyExchange?
    var isIdle = false
    private(set) var isConnected = false
    /// Whether an earlier exchange used it: it may have been closed by the other side without us knowing yet.
    private(set) var isReused = false
    /// What was sent of the present request while nothing came back.
    private(set) var unanswered: [UInt8] = []
    /// Whether `unanswered` is all that was sent.
    private(set) var isUnansweredWhole = true
    /// Whether the kernel has taken any byte of the present request.
    private(set) var hasSent = false
    /// Part of a response's head.
    var input: [UInt8] = []

    /// Starts to connect to `endpoint`; `nil` when that fails at once.
    init?(pool: UpstreamPool, loop: EventLoop, endpoint: UpstreamEndpoint) {
        let descriptor = socket(
            endpoint.address.family, socket_stream, 0)
        guard descriptor >= 0 else { return nil }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        let result = endpoint.address.withSocketAddress { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else {
            Glibc.close(descriptor)
            return nil
        }
        self.endpoint = endpoint
        self.pool = pool
        super.init(loop: loop, descriptor: descriptor, interest: Channel.connectionInterest | EPOLLOUT.rawValue)
    }

    /// Whether nothing has come on the idle connection: neither its end, whose event may still be waiting, nor bytes.
    var isQuiet: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Self.peek) < 0 && errno == EAGAIN
    }

    /// Sends bytes of a request; while connecting they wait.
    ///
    /// - Returns: `false` when the connection is broken, which is left to the caller to handle.
    func sendRequest(_ bytes: Span<UInt8>) -> Bool {
        remember(bytes)
        guard isConnected else {
            keep(bytes)
            return true
        }
        guard let sent = send(bytes) else { return false }
        hasSent = hasSent || sent > 0
        return true
    }

    /// The first bytes of the response are here: the request is not sent again.
    func answered() {
        unanswered.removeAll(keepingCapacity: true)
        isUnansweredWhole = false
    }

    /// Makes it ready for its next exchange and gives it back to the pool.
    func release() {
        exchange = nil
        isReused = true
        hasSent = false
        isUnansweredWhole = true
        unanswered.removeAll(keepingCapacity: true)
        input = []
        pool.give(self)
    }

    private func remember(_ bytes: Span<UInt8>) {
        guard isUnansweredWhole else { return }
        guard unanswered.count + bytes.count <= Self.unansweredBytesMaximum else {
            unanswered = []
            isUnansweredWhole = false
            return
        }
        unanswered.append(bytes)
    }

    // MARK: Events

    override func writable() {
        if !isConnected {
            var code: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
            guard code == 0 else {
                failed()
                return
            }
            isConnected = true
            hasSent = true
            exchange?.upstreamConnected()
            guard isOpen else { return }
        }
        flush()
    }

    override func readable() {
        guard isConnected else {
            // An error of connecting shows as readable too.
            writable()
            return
        }
        switch receive() {
        case .bytes(let count):
            let passed = passOn(count)
            guard passed < count else { break }
            guard !isIdle, let exchange else {
                // Nothing was asked: whatever this is belongs to no request.
                close()
                return
            }
            exchange.upstreamReceived(UnsafeBufferPointer(rebasing: loop.readBuffer[passed..<count]).span)
        case .nothing:
            break
        case .end:
            if let exchange {
                exchange.upstreamEnded()
            } else {
                close()
            }
        case .failure:
            failed()
        }
    }

    override func failed() {
        if let exchange {
            exchange.upstreamFailed()
        } else {
            close()
        }
    }

    override func outputFell() {
        exchange?.upstreamOutputFell()
    }

    override func drained() {
        exchange?.upstreamDrained()
    }

    override func timedOut() {
        if let exchange {
            exchange.upstreamTimedOut()
        } else {
            close()
        }
    }

    override func closed() {
        exchange = nil
        if isIdle {
            isIdle = false
            pool.forget(self)
        }
    }
}
