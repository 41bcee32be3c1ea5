import CNghttp2
import TLS

/// One client's HTTP/2 connection (RFC 9113): frames are nghttp2's part, what its streams ask for is the exchanges'.
///
/// Everything that is to be sent waits for the end of the loop's turn, so that the answers of many streams leave in one
/// piece. Memory is bounded by the windows (what clients send), by `streamsMaximum` times
/// `HTTP2Stream.outputPauseBytes` (what they do not take), and by `Channel.outputPauseBytes` for the socket.
final class HTTP2Connection: ClientChannel, @unchecked Sendable {
    /// Requests of one connection at once.
    static let streamsMaximum = 128
    /// Content of one request that may be on its way to us.
    static let streamWindowBytes: Int32 = 256 * 1024
    /// Content of all requests that may be on its way, or be held because an upstream is slow.
    static let connectionWindowBytes: Int32 = 1024 * 1024
    /// How often streams' deadlines are looked at while there are streams.
    static let tickNanoseconds: UInt64 = 500_000_000
    /// Frames are put together up to so many bytes before they are sent.
    static let gatheredBytes = 64 * 1024
    /// What a client says first where it knows that HTTP/2 is spoken (RFC 9113 §3.4).
    static let preface: [UInt8] = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private var session: OpaquePointer?
    private var streams: [Int32: HTTP2Stream] = [:]
    /// Streams whose response nghttp2 has not been told of.
    private var due: [HTTP2Stream] = []
    private var budget: FrameBudget
    private var isAbusive = false
    private var isFlushDue = false
    /// Whether nghttp2 is at work and must not be called back into for input or output.
    private var isInside = false
    private var isDraining = false
    /// When a connection without any stream is closed.
    private var idleEndsAt: UInt64 = .max
    /// When what waits in the socket's queue has to move on.
    private var outputDeadline: UInt64 = .max

    override init(server: ServerLoop, descriptor: Int32, remoteAddress: String, tls: TLSSession?) {
        budget = FrameBudget(now: server.loop.now)
        super.init(server: server, descriptor: descriptor, remoteAddress: remoteAddress, tls: tls)
        session = HTTP2Library.session(for: self)
    }

    deinit {
        nghttp2_session_del(session)
    }

    // MARK: Life

    override func started() {
        guard let session else {
            close()
            return
        }
        let settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: UInt32(Self.streamsMaximum)
            ),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(Self.streamWindowBytes)
            ),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(clamping: server.configuration.headLimits.headBytesMaximum)),
        ]
        guard
            nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count) == 0,
            nghttp2_session_set_local_window_size(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Self.connectionWindowBytes) == 0
        else {
            close()
            return
        }
        if server.isLeaving {
            leave()
        }
        rest(for: server.headNanoseconds)
        flushLater()
    }

    override func leave() {
        guard let session, !isDraining else { return }
        nghttp2_submit_shutdown_notice(session)
        flushLater()
    }

    /// Takes no further streams; what is under way is finished.
    override func closeIfIdle() {
        guard isOpen, let session, !isDraining else { return }
        isDraining = true
        nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session),
            UInt32(NGHTTP2_NO_ERROR.rawValue), nil, 0)
        flushLater()
    }

    override func ended() {
        // A client that sends no more cannot even take what it is sent: it could not update its windows.
        close()
    }

    override func closed() {
        let left = streams
        streams.values.forEach(loop.keepThroughTurn)
        streams = [:]
        due = []
        for stream in left.values {
            stream.connectionClosed()
        }
        super.closed()
    }

    override func timedOut() {
        guard !streams.isEmpty || !output.isEmpty else {
            guard idleEndsAt <= loop.now else {
                loop.setDeadline(of: self, after: idleEndsAt - loop.now)
                return
            }
            closeIfIdle()
            turnEnded()
            if isOpen {
                closeAtRest()
            }
            return
        }
        guard outputDeadline > loop.now else {
            close()
            return
        }
        for stream in Array(streams.values) {
            stream.look(at: loop.now)
        }
        if isOpen {
            loop.setDeadline(of: self, after: Self.tickNanoseconds)
        }
    }

    /// Waits for the next stream.
    private func rest(for nanoseconds: UInt64) {
        idleEndsAt = loop.now &+ nanoseconds
        loop.setDeadline(of: self, after: nanoseconds)
    }

    // MARK: Input

    override func received(_ bytes: Span<UInt8>) {
        guard let session else { return }
        isInside = true
        let used = bytes.withUnsafeBufferPointer { nghttp2_session_mem_recv(session, $0.baseAddress, $0.count) }
        isInside = false
        guard isOpen else { return }
        if isAbusive, used >= 0 {
            nghttp2_session_terminate_session(session, UInt32(NGHTTP2_ENHANCE_YOUR_CALM.rawValue))
        }
        turnEnded()
        if used < 0 || isAbusive {
            close()
        }
    }

    /// Counts a frame that brings nothing.
    func spend(_ cost: Int) {
        if !budget.spend(cost, now: loop.now) {
            isAbusive = true
        }
    }

    func stream(_ id: Int32) -> HTTP2Stream? {
        streams[id]
    }

    /// A request's head begins.
    func begin(_ id: Int32) {
        if streams.isEmpty {
            loop.setDeadline(of: self, after: Self.tickNanoseconds)
        }
        streams[id] = HTTP2Stream(connection: self, id: id)
    }

    /// The request's content has been taken: as much may come again.
    func consume(_ count: Int, of id: Int32) {
        guard let session, count > 0 else { return }
        budget.passed(count)
        nghttp2_session_consume(session, id, count)
        flushLater()
    }

    /// A stream is over, whoever ended it.
    func forget(_ id: Int32, isReset: Bool) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        loop.keepThroughTurn(stream)
        if isReset {
            spend(1)
        }
        let owed = stream.owedBytes
        stream.connectionClosed()
        if let session, owed > 0 {
            nghttp2_session_consume_connection(session, owed)
        }
        if streams.isEmpty, isOpen {
            rest(for: server.keepAliveNanoseconds)
            flushLater()
        }
    }

    // MARK: Output

    /// Has what streams have to send go out at the end of the turn.
    func flushLater() {
        guard isOpen, !isFlushDue else { return }
        isFlushDue = true
        loop.atTurnEnd(self)
    }

    /// Breaks a stream off.
    func reset(_ id: Int32, _ code: nghttp2_error_code) {
        guard let session else { return }
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code.rawValue)
        flushLater()
    }

    /// Tells a stream's client to send its content.
    func submitContinue(_ id: Int32) {
        guard let session else { return }
        HTTP2Library.withField(":status", "100") { field in
            _ = nghttp2_submit_headers(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, nil, field, 1, nil)
        }
        flushLater()
    }

    /// Hands a response to nghttp2.
    ///
    /// - Parameter hasContent: Whether content follows, now or later.
    /// - Returns: Whether it took it.
    func submit(_ head: ResponseFields, of id: Int32, hasContent: Bool) -> Bool {
        guard let session else { return false }
        return HTTP2Library.submit(head, to: session, stream: id, hasContent: hasContent)
    }

    /// Has a stream's response submitted at the end of the turn, when it is known whether content follows.
    func submitLater(_ stream: HTTP2Stream) {
        due.append(stream)
        flushLater()
    }

    /// More content of a stream is there to be sent.
    func resume(_ id: Int32) {
        guard let session else { return }
        nghttp2_session_resume_data(session, id)
        flushLater()
    }

    /// Content has gone into frames.
    func passed(_ count: Int) {
        budget.passed(count)
    }

    override func turnEnded() {
        isFlushDue = false
        guard isOpen, !isInside, let session else { return }
        var waiting: [HTTP2Stream] = []
        swap(&waiting, &due)
        for stream in waiting {
            stream.submitResponse()
        }
        isInside = true
        let isFine = sendFrames(session)
        isInside = false
        guard isFine else {
            close()
            return
        }
        outputDeadline = output.isEmpty ? .max : min(outputDeadline, loop.now &+ server.writeStallNanoseconds)
        guard output.isEmpty else {
            if deadline > loop.now &+ Self.tickNanoseconds {
                loop.setDeadline(of: self, after: Self.tickNanoseconds)
            }
            return
        }
        let isOver = nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
        if isOver || (isDraining && streams.isEmpty) {
            closeAtRest()
        }
    }

    /// Sends what nghttp2 has, as long as the socket takes it.
    private func sendFrames(_ session: OpaquePointer) -> Bool {
        var gathered: [UInt8] = []
        swap(&gathered, &server.frames)
        defer { swap(&gathered, &server.frames) }
        gathered.removeAll(keepingCapacity: true)
        while output.count <= Self.outputPauseBytes {
            var start: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &start)
            guard count >= 0 else { return false }
            guard count > 0, let start else { break }
            gathered.append(contentsOf: UnsafeBufferPointer(start: start, count: count))
            if gathered.count >= Self.gatheredBytes {
                guard sendPlain(gathered.span) else { return false }
                gathered.removeAll(keepingCapacity: true)
            }
        }
        return gathered.isEmpty || sendPlain(gathered.span)
    }

    override func writable() {
        flush()
        guard isOpen else { return }
        outputDeadline = output.isEmpty ? .max : loop.now &+ server.writeStallNanoseconds
    }

    override func outputFell() {
        flushLater()
    }

    override func drained() {
        flushLater()
    }
}
