import CEpoll
import Glibc

/// A listening socket: accepts connections for one loop.
final class ListenerChannel: Channel, @unchecked Sendable {
    /// Connections accepted per turn, so that a burst of them does not hold up those that are open.
    static let acceptsPerTurnMaximum = 64
    /// Connections that may wait in the kernel to be accepted, where `net.core.somaxconn` allows as many.
    static let backlog = 4096
    /// How long accepting rests when the process is out of descriptors or memory.
    static let restNanoseconds: UInt64 = 200_000_000

    private unowned let server: ServerLoop
    /// Whether its clients speak TLS.
    private let isSecure: Bool

    init(server: ServerLoop, descriptor: Int32, isSecure: Bool) {
        self.server = server
        self.isSecure = isSecure
        super.init(loop: server.loop, descriptor: descriptor, interest: EPOLLIN.rawValue)
    }

    override func readable() {
        for _ in 0..<Self.acceptsPerTurnMaximum {
            guard isOpen, isReading, acceptOne() else { return }
        }
    }

    /// Accepts every connection that waits, before the socket is closed.
    func acceptWaiting() {
        var count = 0
        while count < Self.backlog, acceptOne() {
            count += 1
        }
    }

    /// Accepts one connection, if there is one; returns whether there may be more.
    private func acceptOne() -> Bool {
        while true {
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = withUnsafeMutableBytes(of: &address) { bytes in
                accept4(
                    descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, &length,
                    socket_accepted)
            }
            if accepted < 0 {
                switch errno {
                case EINTR, ECONNABORTED, EPROTO: continue
                case EAGAIN: return false
                default:
                    // EMFILE and its like persist until something is closed; trying on would spin.
                    pauseReading()
                    loop.setDeadline(of: self, after: Self.restNanoseconds)
                    return false
                }
            }
            var on: Int32 = 1
            setsockopt(accepted, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            server.adopt(accepted, remoteAddress: SocketAddress(address).host, isSecure: isSecure)
            return true
        }
    }

    override func timedOut() {
        if server.connectionCount < server.connectionsMaximum {
            resumeReading()
        }
    }
}
