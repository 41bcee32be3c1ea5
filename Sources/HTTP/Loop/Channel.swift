import CEpoll
import Glibc

/// One descriptor on one loop: its registration, its interest, its unsent bytes and its deadline.
///
/// Subclasses say what its events mean. Everything runs on the loop's thread. A reader that must wait drops its interest in
/// reading; taking the interest up again tells of what came meanwhile. Connections are told of edges, which spares the kernel
/// looking at each of them once more: a read that may have left something behind asks to be told again.
class Channel: @unchecked Sendable {
    // SAFETY: a channel is touched on its loop's thread only; references that travel elsewhere come back through
    // `EventLoop.execute` before anything of the channel is used.

    /// Unsent bytes above which whoever produces them has to pause.
    static let outputPauseBytes = 256 * 1024
    /// Unsent bytes below which a paused producer goes on.
    static let outputResumeBytes = 64 * 1024
    /// What a connection waits for: bytes and the end of them, told once as they come.
    static let connectionInterest = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue

    let loop: EventLoop
    private(set) var descriptor: Int32
    fileprivate(set) var interest: UInt32
    /// What the kernel could not take yet.
    private(set) var output = OutputQueue()
    private(set) var isOpen = true
    /// Set by the loop: tells this channel's events from those of an earlier one with the same descriptor.
    var generation: UInt32 = 0
    /// Monotonic nanoseconds; kept by the loop.
    var deadline: UInt64 = .max
    /// When the loop looks at the deadline; kept by the loop.
    var timer: UInt64 = .max
    /// Where what comes goes as it is, when this is one end of a tunnel.
    private var otherEnd: TunnelEnd?

    /// Takes over `descriptor`, which must be non-blocking; `close` closes it.
    init(loop: EventLoop, descriptor: Int32, interest: UInt32) {
        self.loop = loop
        self.descriptor = descriptor
        self.interest = interest
    }

    deinit {
        if isOpen {
            Glibc.close(descriptor)
        }
    }

    var token: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor)) }

    // MARK: What a subclass says

    /// Bytes, the end of the stream or an error can be read.
    func readable() {}

    /// All bytes that waited have been sent.
    func drained() {}

    /// The bytes that wait fell below `outputResumeBytes`; producers may go on.
    func outputFell() {}

    /// The connection broke while reading is paused, or sending failed.
    func failed() { close() }

    /// The deadline has come.
    func timedOut() { close() }

    /// The turn that `EventLoop.atTurnEnd` was called in is over; the channel may be closed meanwhile.
    func turnEnded() {}

    /// The descriptor was closed.
    func closed() {}

    // MARK: Events

    func handle(_ events: UInt32) {
        if events & EPOLLOUT.rawValue != 0 {
            writable()
            guard isOpen else { return }
        }
        if events & EPOLLIN.rawValue != 0, isReading {
            readable()
            if events & EPOLLRDHUP.rawValue != 0, isOpen, isReading {
                // The end was told of with what came before it, and has not been read.
                loop.updateInterest(of: self)
            }
        } else if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
            if isReading {
                readable()
            } else if events & EPOLLERR.rawValue != 0 {
                failed()
            }
            // Else both sides have ended, and what came before that can still be read: resuming tells of it.
        }
    }

    /// The socket takes bytes again; a connecting socket overrides it to learn the outcome.
    func writable() {
        flush()
    }

    /// Whether the kernel tells us of bytes to read.
    var isReading: Bool { interest & EPOLLIN.rawValue != 0 }

    /// Leaves further bytes in the kernel until `resumeReading`.
    func pauseReading() {
        guard isOpen, isReading else { return }
        interest &= ~EPOLLIN.rawValue
        loop.updateInterest(of: self)
    }

    /// Takes bytes again after `pauseReading`.
    func resumeReading() {
        guard isOpen, !isReading else { return }
        interest |= EPOLLIN.rawValue
        loop.updateInterest(of: self)
    }

    /// Asks to be told when the socket takes bytes.
    func awaitWritable() {
        guard isOpen, interest & EPOLLOUT.rawValue == 0 else { return }
        interest |= EPOLLOUT.rawValue
        loop.updateInterest(of: self)
    }

    // MARK: Bytes

    /// The outcome of one `recv`.
    enum Received {
        /// So many bytes lie in the loop's read buffer.
        case bytes(Int)
        /// Nothing is there now.
        case nothing
        /// The peer sends no more.
        case end
        /// The connection is broken.
        case failure
    }

    /// Reads once into the loop's buffer.
    func receive() -> Received {
        while true {
            let count = recv(descriptor, loop.readBuffer.baseAddress, loop.readBuffer.count, 0)
            if count > 0 {
                if count == loop.readBuffer.count, interest & EPOLLET.rawValue != 0 {
                    loop.updateInterest(of: self)
                }
                return .bytes(count)
            }
            if count == 0 {
                return .end
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothing
            default: return .failure
            }
        }
    }

    /// Sends `bytes`, or keeps what the kernel does not take.
    ///
    /// - Returns: How many bytes the kernel took at once, `nil` when the connection is broken: the caller closes it.
    @discardableResult
    func send(_ bytes: Span<UInt8>) -> Int? {
        guard isOpen else { return nil }
        guard output.isEmpty else {
            output.append(bytes)
            return 0
        }
        let sent = bytes.withUnsafeBytes { sendNow($0) }
        guard let sent else { return nil }
        if sent < bytes.count {
            output.append(bytes.extracting(sent..<bytes.count))
            awaitWritable()
        }
        return sent
    }

    /// Keeps `bytes` to be sent when the socket takes bytes, which is not asked for here.
    func keep(_ bytes: Span<UInt8>) {
        output.append(bytes)
    }

    /// Sends what waits.
    func flush() {
        while !output.isEmpty {
            let sent = output.withUnsafeBytes { sendNow($0) }
            guard let sent else {
                failed()
                return
            }
            if sent == 0 {
                break
            }
            let wasHigh = output.count > Self.outputResumeBytes
            output.removeFirst(sent)
            if wasHigh, output.count <= Self.outputResumeBytes {
                outputFell()
                guard isOpen else { return }
            }
        }
        if output.isEmpty {
            if interest & EPOLLOUT.rawValue != 0 {
                interest &= ~EPOLLOUT.rawValue
                loop.updateInterest(of: self)
            }
            drained()
        }
    }

    /// Forgets the unsent bytes and returns them.
    func takeOutput() -> [UInt8] {
        output.takeAll()
    }

    /// Tells the peer that nothing more comes; it can still be read.
    func endSending() {
        guard isOpen else { return }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes the descriptor; nothing happens on this channel afterwards but `closed()`, once.
    func close() {
        guard isOpen else { return }
        isOpen = false
        leaveTunnel()
        loop.unregister(self)
        Glibc.close(descriptor)
        _ = output.takeAll()
        closed()
    }

    /// Gives the open descriptor away, with what waits to be sent; nothing happens on this channel afterwards.
    func handOver() -> (descriptor: Int32, unsent: [UInt8]) {
        precondition(isOpen, "Only an open channel has something to hand over")
        isOpen = false
        leaveTunnel()
        loop.detach(self)
        return (descriptor, output.takeAll())
    }

    // MARK: Tunnels

    /// Makes this and `other` the ends of a tunnel: what comes by one goes to the other, until one of them is closed.
    ///
    /// - Parameters:
    ///   - other: The other end.
    ///   - idleNanoseconds: How long nothing may pass either way.
    func join(_ other: Channel, idleNanoseconds: UInt64) {
        guard isOpen, other.isOpen else { return }
        otherEnd = TunnelEnd(channel: other, idleNanoseconds: idleNanoseconds)
        other.otherEnd = TunnelEnd(channel: self, idleNanoseconds: idleNanoseconds)
    }

    /// Sends the first `count` bytes of the loop's read buffer to the other end of the tunnel, when nothing waits on either.
    ///
    /// - Returns: How many the other end took; what is left, all of it outside a tunnel, goes the way of all that comes.
    func passOn(_ count: Int) -> Int {
        guard let end = otherEnd, output.isEmpty, end.channel.output.isEmpty, end.channel.isReading else { return 0 }
        let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: loop.readBuffer[..<count]))
        guard let sent = end.channel.sendNow(bytes), sent > 0 else { return 0 }
        loop.setDeadline(of: self, after: end.idleNanoseconds)
        loop.setDeadline(of: end.channel, after: end.idleNanoseconds)
        return sent
    }

    private func leaveTunnel() {
        otherEnd?.channel.otherEnd = nil
        otherEnd = nil
    }

    /// Returns the bytes the kernel took, 0 when it takes none now, `nil` when the connection is broken.
    private func sendNow(_ bytes: UnsafeRawBufferPointer) -> Int? {
        while true {
            let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                return count
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: return 0
            default: return nil
            }
        }
    }
}

/// The other end of a tunnel.
private struct TunnelEnd {
    let channel: Channel
    let idleNanoseconds: UInt64
}
