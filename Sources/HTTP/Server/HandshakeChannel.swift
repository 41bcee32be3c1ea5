import TLS

/// A connection whose TLS handshake is under way; when it is over, the connection speaks the protocol that was agreed on.
final class HandshakeChannel: ClientChannel, @unchecked Sendable {
    override func started() {
        // For the whole handshake: further bytes do not move it.
        loop.setDeadline(of: self, after: server.handshakeNanoseconds)
    }

    override func readable() {
        guard let tls else { return }
        switch receive() {
        case .bytes(let count):
            let opened = open(count, tls)
            guard isOpen else { return }
            switch tls.state {
            case .handshaking: break
            case .established, .ended: server.adopt(self, tls, opened)
            case .failed: close()
            }
        case .nothing:
            break
        case .end, .failure:
            close()
        }
    }
}
