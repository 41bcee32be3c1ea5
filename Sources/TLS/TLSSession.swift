import CTLS

/// The server's side of one TLS connection: bytes of the network in, plain bytes out, and the other way round.
///
/// It knows no socket and never waits: `open` takes what arrived, `seal` makes what is to be sent. Between two calls it
/// keeps at most one record that has not arrived whole. Used by one thread at a time.
public final class TLSSession: @unchecked Sendable {
    // SAFETY: confined to its connection's loop; nothing of it is reached from elsewhere.

    /// Where the connection stands.
    public enum State: Sendable, Equatable {
        /// The handshake is not over; nothing can be sealed.
        case handshaking
        /// Plain bytes pass.
        case established
        /// The client has said that it sends no more; it can still be sent to.
        case ended
        /// The client broke the protocol, or the handshake found nothing in common; an alert may be there to be sent.
        case failed
    }

    /// One record's content (RFC 8446 §5.1).
    public static let recordBytesMaximum = 16 * 1024

    /// Where the connection stands.
    public private(set) var state = State.handshaking
    private let context: TLSContext
    private let session: OpaquePointer
    /// What was given to `open` and is not used yet; valid during the call.
    fileprivate var incoming = UnsafeRawBufferPointer(start: nil, count: 0)
    /// What has to be sent, while a call collects it.
    fileprivate var outgoing: [UInt8] = []

    /// Makes a connection that waits for its client's first words.
    ///
    /// - Throws: ``TLSError/unavailable`` when memory is short.
    public init(_ context: TLSContext) throws(TLSError) {
        guard let method = SessionTransport.method, let session = SSL_new(context.pointer) else {
            ERR_clear_error()
            throw .unavailable
        }
        guard let transport = BIO_new(method) else {
            SSL_free(session)
            ERR_clear_error()
            throw .unavailable
        }
        self.context = context
        self.session = session
        BIO_set_data(transport, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(transport, 1)
        // One transport for both directions; the session owns it now.
        SSL_set_bio(session, transport, transport)
        SSL_set_ex_data(session, 0, Unmanaged.passUnretained(context).toOpaque())
        SSL_set_accept_state(session)
    }

    deinit {
        SSL_free(session)
    }

    /// Whether both sides agreed on HTTP/2.
    public var speaksHTTP2: Bool {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(session, &name, &count)
        guard let name, count == 2 else { return false }
        return name[0] == UInt8(ascii: "h") && name[1] == UInt8(ascii: "2")
    }

    /// Whether the client came back with a session it had.
    public var isResumed: Bool { SSL_session_reused(session) == 1 }

    /// The version agreed on, such as `TLSv1.3`.
    public var version: String { String(cString: SSL_get_version(session)) }

    /// Takes bytes of the network and puts the plain ones into `room`.
    ///
    /// - Parameters:
    ///   - bytes: What arrived; all of it is used.
    ///   - room: At least as large as `bytes` and one record more: what is in a record takes less than the record.
    ///   - answers: Gets what has to be sent now, alerts included, after what it holds.
    /// - Returns: How many plain bytes lie in `room`; `state` tells what comes then.
    public func open(
        _ bytes: Span<UInt8>, into room: UnsafeMutableBufferPointer<UInt8>, answers: inout [UInt8]
    ) -> Int {
        guard state == .handshaking || state == .established else { return 0 }
        swap(&answers, &outgoing)
        defer { swap(&answers, &outgoing) }
        return bytes.withUnsafeBytes { bytes in
            incoming = bytes
            defer { incoming = UnsafeRawBufferPointer(start: nil, count: 0) }
            return readAll(into: room)
        }
    }

    private func readAll(into room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        ERR_clear_error()
        var filled = 0
        while filled < room.count, let base = room.baseAddress {
            var count = 0
            let result = SSL_read_ex(session, base + filled, room.count - filled, &count)
            if state == .handshaking, SSL_is_init_finished(session) == 1 {
                state = .established
            }
            guard result != 1 else {
                filled += count
                continue
            }
            switch SSL_get_error(session, result) {
            case SSL_ERROR_WANT_READ:
                return filled
            case SSL_ERROR_ZERO_RETURN:
                state = .ended
                return filled
            default:
                state = .failed
                ERR_clear_error()
                return filled
            }
        }
        // More was in there than its records allow: not a peer to go on with.
        state = .failed
        return filled
    }

    /// Makes the records that carry `bytes`, and appends them to `records`.
    ///
    /// - Returns: Whether it did; not before the handshake is over or after a failure.
    public func seal(_ bytes: Span<UInt8>, into records: inout [UInt8]) -> Bool {
        guard state == .established || state == .ended else { return false }
        guard !bytes.isEmpty else { return true }
        swap(&records, &outgoing)
        defer { swap(&records, &outgoing) }
        ERR_clear_error()
        var count = 0
        let result = bytes.withUnsafeBytes { SSL_write_ex(session, $0.baseAddress, $0.count, &count) }
        guard result == 1, count == bytes.count else {
            state = .failed
            ERR_clear_error()
            return false
        }
        return true
    }

    /// Says that nothing more will be sent (RFC 8446 §6.1), and appends that to `records`.
    public func sealEnd(into records: inout [UInt8]) {
        guard state == .established || state == .ended else { return }
        swap(&records, &outgoing)
        defer { swap(&records, &outgoing) }
        ERR_clear_error()
        SSL_shutdown(session)
        ERR_clear_error()
    }

    // MARK: What the transport uses

    /// Moves up to `count` bytes that arrived to `destination`.
    fileprivate func take(_ count: Int, to destination: UnsafeMutableRawPointer) -> Int {
        let taken = min(count, incoming.count)
        guard taken > 0, let base = incoming.baseAddress else { return 0 }
        destination.copyMemory(from: base, byteCount: taken)
        incoming = UnsafeRawBufferPointer(rebasing: incoming[taken...])
        return taken
    }

    fileprivate func put(_ bytes: UnsafeRawBufferPointer) {
        outgoing.append(contentsOf: bytes)
    }
}

/// OpenSSL's view of a session's bytes: a BIO whose data is the session.
private enum SessionTransport {
    /// Made once and never freed.
    ///
    /// SAFETY: only read after its making, which Swift does once.
    nonisolated(unsafe) static let method: OpaquePointer? = {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "session") else { return nil }
        BIO_meth_set_write_ex(method) { transport, bytes, count, written in
            guard let session = SessionTransport.session(of: transport), let bytes else { return 0 }
            session.put(UnsafeRawBufferPointer(start: bytes, count: count))
            written?.pointee = count
            return 1
        }
        BIO_meth_set_read_ex(method) { transport, destination, count, read in
            BIO_clear_flags(transport, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
            guard let session = SessionTransport.session(of: transport), let destination else { return 0 }
            let taken = session.take(count, to: destination)
            read?.pointee = taken
            guard taken > 0 else {
                BIO_set_flags(transport, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
                return 0
            }
            return 1
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
        return method
    }()

    static func session(of transport: OpaquePointer?) -> TLSSession? {
        guard let data = BIO_get_data(transport) else { return nil }
        return Unmanaged<TLSSession>.fromOpaque(data).takeUnretainedValue()
    }
}
