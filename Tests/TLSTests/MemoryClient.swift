import CTLS
import TLS

/// OpenSSL's own client over bytes in memory, to play against a `TLSSession`.
final class MemoryClient {
    /// How a client differs from the usual.
    struct Wishes {
        var serverName: String?
        var protocols: [String] = []
        var versionMaximum = TLS1_3_VERSION
        var versionMinimum = TLS1_VERSION
        var ciphers = "DEFAULT:@SECLEVEL=0"
        /// What an earlier connection left, `i2d_SSL_SESSION`.
        var session: [UInt8] = []
    }

    private let context: OpaquePointer
    private let session: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer

    init?(_ wishes: Wishes) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { return nil }
        self.context = context
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(wishes.versionMinimum), nil)
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(wishes.versionMaximum), nil)
        SSL_CTX_set_cipher_list(context, wishes.ciphers)
        guard let session = SSL_new(context), let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem())
        else { return nil }
        self.session = session
        self.input = input
        self.output = output
        SSL_set_bio(session, input, output)
        SSL_set_connect_state(session)
        if let name = wishes.serverName {
            var text = Array(name.utf8CString)
            SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), &text)
        }
        let list = wishes.protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !list.isEmpty {
            SSL_set_alpn_protos(session, list, UInt32(list.count))
        }
        if !wishes.session.isEmpty {
            wishes.session.withUnsafeBufferPointer { bytes in
                var start = bytes.baseAddress
                let known = d2i_SSL_SESSION(nil, &start, bytes.count)
                SSL_set_session(session, known)
                SSL_SESSION_free(known)
            }
        }
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
    }

    var isConnected: Bool { SSL_is_init_finished(session) == 1 }

    var isResumed: Bool { SSL_session_reused(session) == 1 }

    /// What a further connection resumes with.
    var resumable: [UInt8] {
        guard let known = SSL_get1_session(session) else { return [] }
        defer { SSL_SESSION_free(known) }
        var bytes = [UInt8](repeating: 0, count: Int(i2d_SSL_SESSION(known, nil)))
        bytes.withUnsafeMutableBufferPointer { bytes in
            var start = bytes.baseAddress
            i2d_SSL_SESSION(known, &start)
        }
        return bytes
    }

    /// The first DNS name of the server's certificate.
    var serverName: String? {
        guard let certificate = SSL_get0_peer_certificate(session),
            let found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil)
        else { return nil }
        let names = OpaquePointer(found)
        defer { tls_free_names(names) }
        guard let name = tls_dns_name(names, 0), let bytes = ASN1_STRING_get0_data(name) else { return nil }
        let text = UnsafeBufferPointer(start: bytes, count: Int(ASN1_STRING_length(name)))
        return String(decoding: text, as: UTF8.self)
    }

    /// The protocol agreed on by ALPN.
    var chosenProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(session, &name, &count)
        guard let name, count > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    /// Goes on with the handshake after `bytes` of the server, and returns what it sends.
    func handshake(_ bytes: [UInt8] = []) -> [UInt8] {
        give(bytes)
        SSL_do_handshake(session)
        ERR_clear_error()
        return take()
    }

    /// The plain text in `bytes` of the server; `nil` when it said that nothing more comes or broke off.
    func read(_ bytes: [UInt8]) -> [UInt8]? {
        give(bytes)
        var text: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 20_000)
        var count = 0
        while true {
            let result = SSL_read_ex(session, &room, room.count, &count)
            guard result == 1 else {
                let isOpen = SSL_get_error(session, result) == SSL_ERROR_WANT_READ
                ERR_clear_error()
                return isOpen || !text.isEmpty ? text : nil
            }
            text += room.prefix(count)
        }
    }

    /// The records that carry `text`.
    func write(_ text: [UInt8]) -> [UInt8] {
        var count = 0
        SSL_write_ex(session, text, text.count, &count)
        return take()
    }

    /// Asks for new keys, as TLS 1.2 has it.
    func renegotiate() -> [UInt8] {
        SSL_renegotiate(session)
        return handshake()
    }

    /// Says that nothing more comes.
    func end() -> [UInt8] {
        SSL_shutdown(session)
        return take()
    }

    private func give(_ bytes: [UInt8]) {
        if !bytes.isEmpty {
            BIO_write(input, bytes, Int32(bytes.count))
        }
    }

    private func take() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(output))
        if !bytes.isEmpty {
            BIO_read(output, &bytes, Int32(bytes.count))
        }
        return bytes
    }
}

extension TLSSession {
    /// Opens `bytes`; returns the plain ones and what has to be sent.
    func open(_ bytes: [UInt8]) -> (plain: [UInt8], answers: [UInt8]) {
        let room = UnsafeMutableBufferPointer<UInt8>.allocate(
            capacity: bytes.count + 2 * TLSSession.recordBytesMaximum)
        defer { room.deallocate() }
        var answers: [UInt8] = []
        let count = open(bytes.span, into: room, answers: &answers)
        return (Array(room.prefix(count)), answers)
    }

    /// Shakes hands with `client`, the bytes cut into pieces of `piece`; returns what came to the client after that.
    @discardableResult
    func shakeHands(with client: MemoryClient, piece: Int = .max) -> [UInt8] {
        var answers: [UInt8] = []
        for _ in 0..<4 {
            var message = client.handshake(answers)[...]
            answers = []
            while !message.isEmpty {
                answers += open(Array(message.prefix(piece))).answers
                message = message.dropFirst(piece)
            }
        }
        return answers
    }
}
