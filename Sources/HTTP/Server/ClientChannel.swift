import TLS

/// A client's connection, plain or behind TLS: what arrives is handed on as plain bytes, whatever came by the wire.
class ClientChannel: Channel, @unchecked Sendable {
    /// Plain bytes sealed before they are sent: large messages need no large second copy.
    private static let sealedAtOnceBytes = 64 * 1024

    let server: ServerLoop
    let remoteAddress: String
    /// What stands between the wire and us; `nil` on a plain connection.
    let tls: TLSSession?

    init(server: ServerLoop, descriptor: Int32, remoteAddress: String, tls: TLSSession?) {
        self.server = server
        self.remoteAddress = remoteAddress
        self.tls = tls
        super.init(loop: server.loop, descriptor: descriptor, interest: Channel.connectionInterest)
    }

    /// Whether the client came by TLS.
    var isSecure: Bool { tls != nil }

    // MARK: What a subclass says

    /// Starts the wait for the client's first bytes.
    func started() {}

    /// Plain bytes; valid only during the call.
    func received(_ bytes: Span<UInt8>) {}

    /// The client sends no more.
    func ended() { close() }

    /// The server goes: closes when nothing is under way, and sees to it that it will.
    func closeIfIdle() { close() }

    /// The server will go: the client had better open its next connection elsewhere.
    func leave() {}

    override func closed() {
        server.forget(self)
    }

    // MARK: Bytes

    override func readable() {
        switch receive() {
        case .bytes(let count):
            if let tls {
                handOn(open(count, tls), tls)
            } else {
                let passed = passOn(count)
                if passed < count {
                    received(UnsafeBufferPointer(rebasing: loop.readBuffer[passed..<count]).span)
                }
            }
        case .nothing:
            break
        case .end:
            ended()
        case .failure:
            close()
        }
    }

    /// Opens the `count` bytes that lie in the loop's read buffer, and sends what the protocol answers.
    ///
    /// - Returns: How many plain bytes lie in the server's `openedRoom`.
    final func open(_ count: Int, _ tls: TLSSession) -> Int {
        var answers: [UInt8] = []
        swap(&answers, &server.sealed)
        defer { swap(&answers, &server.sealed) }
        answers.removeAll(keepingCapacity: true)
        let opened = tls.open(
            UnsafeBufferPointer(rebasing: loop.readBuffer[..<count]).span, into: server.openedRoom, answers: &answers)
        // A client that has us answer and takes none of the answers would fill our memory.
        if !answers.isEmpty, output.count > Self.outputPauseBytes || send(answers.span) == nil {
            close()
        }
        return opened
    }

    /// Takes `count` plain bytes from the server's `openedRoom`, and what the session has come to.
    final func handOn(_ count: Int, _ tls: TLSSession) {
        if isOpen, count > 0 {
            received(UnsafeBufferPointer(rebasing: server.openedRoom[..<count]).span)
        }
        guard isOpen else { return }
        switch tls.state {
        case .handshaking, .established: break
        case .ended: ended()
        case .failed: close()
        }
    }

    /// Sends plain bytes, or keeps what the kernel does not take.
    ///
    /// - Returns: `false` when the connection is broken: the caller closes it.
    final func sendPlain(_ bytes: Span<UInt8>) -> Bool {
        guard let tls else { return send(bytes) != nil }
        var sealed: [UInt8] = []
        swap(&sealed, &server.sealed)
        defer { swap(&sealed, &server.sealed) }
        var offset = 0
        while offset < bytes.count {
            let end = min(offset + Self.sealedAtOnceBytes, bytes.count)
            sealed.removeAll(keepingCapacity: true)
            guard tls.seal(bytes.extracting(offset..<end), into: &sealed), send(sealed.span) != nil else {
                return false
            }
            offset = end
        }
        return true
    }

    /// Says by TLS that nothing more comes; a plain connection says it by its end.
    final func sayEnd() {
        guard isOpen, let tls else { return }
        var sealed: [UInt8] = []
        tls.sealEnd(into: &sealed)
        if !sealed.isEmpty, send(sealed.span) == nil {
            close()
        }
    }

    /// Closes a connection on which nothing is under way.
    final func closeAtRest() {
        sayEnd()
        close()
    }
}
