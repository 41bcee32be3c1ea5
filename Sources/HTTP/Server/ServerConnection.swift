import TLS

/// One client's connection: reads its requests one after the other and hands each to an exchange.
///
/// Requests are answered in order (RFC 9112 §9.3.2): while one is under way, what the client sends ahead stays in
/// the kernel. After anything malformed nothing more is read as a request: the client gets its 400 and the
/// connection ends, lingering a moment so that the answer is not lost to a reset.
final class ServerConnection: ClientChannel, ExchangeClient, @unchecked Sendable {
    enum Phase {
        /// Between requests, or inside a head.
        case head
        /// The request's content is arriving.
        case content
        /// The head is there; the router has to be asked again when a gate opens.
        case waiting
        /// The request is complete, its response is not.
        case response
        /// Upgraded: bytes pass both ways.
        case tunnel
        /// The last response is out or on its way; what arrives is thrown away.
        case lingering
    }

    /// The most of an unread request's content that is thrown away to keep the connection.
    static let discardBytesMaximum: UInt64 = 64 * 1024

    /// How long a connection without any request yet is waited for when the server goes.
    static let freshNanoseconds: UInt64 = 500_000_000

    // The request under way.
    private(set) var minorVersion: UInt8 = 1
    private(set) var isHeadRequest = false
    /// HTTP/1.0 has no chunks.
    var takesChunks: Bool { minorVersion >= 1 }
    private(set) var requestID: RequestID
    /// Whether another request may follow on this connection.
    private(set) var keepsConnection = true

    var phase = Phase.head
    private(set) var exchange: (any RequestExchange)?
    private var decoder = BodyDecoder(.none)
    private var isResponseDone = false
    /// The request under way, while it waits.
    var waiting: WaitingRequest?
    var awaitsContinue = false
    private(set) var hasResponseStarted = false

    /// What was read and not yet used: part of a head, or requests sent ahead.
    var input: [UInt8] = []
    private var scanner = HeadScanner()
    var isProcessing = false
    private(set) var isInputEnded = false
    private var hasSkippedEmptyLine = false
    private var isFresh = true
    /// The proxying exchange, made with the first proxied request and used again for the later ones.
    private var proxyExchange: ProxyExchange?

    override init(server: ServerLoop, descriptor: Int32, remoteAddress: String, tls: TLSSession?) {
        requestID = RequestID(given: [])
        super.init(server: server, descriptor: descriptor, remoteAddress: remoteAddress, tls: tls)
    }

    override func started() {
        loop.setDeadline(of: self, after: server.headNanoseconds)
    }

    // MARK: Events

    override func writable() {
        flush()
        if isOpen, !output.isEmpty {
            loop.setDeadline(of: self, after: server.writeStallNanoseconds)
        }
    }

    override func drained() {
        if phase == .lingering {
            finishSending()
        } else {
            updateDeadline()
        }
    }

    override func outputFell() {
        exchange?.clientOutputFell()
    }

    override func timedOut() {
        guard output.isEmpty else {
            close()
            return
        }
        switch phase {
        case .head where !input.isEmpty:
            refuse(.requestTimeout, detail: "The request's head did not arrive in time.")
        case .content where !hasResponseStarted:
            abandonRequest()
            refuse(.requestTimeout, detail: "The request's content did not arrive in time.")
        case .waiting:
            waitedTooLong()
        case .head:
            closeAtRest()
        case .content, .response, .tunnel, .lingering:
            close()
        }
    }

    override func closed() {
        let exchange = exchange
        self.exchange = nil
        exchange?.clientClosed()
        proxyExchange = nil
        if let waiting {
            self.waiting = nil
            waiting.gate.leave(waiting.number, .clientLeft)
        }
        super.closed()
    }

    /// Closes when no request is under way and everything is sent.
    ///
    /// A connection that has carried no request yet may have one in the air: it gets a moment.
    override func closeIfIdle() {
        guard output.isEmpty else { return }
        switch phase {
        case .lingering:
            close()
        case .head where input.isEmpty:
            if isFresh {
                loop.setDeadline(of: self, after: Self.freshNanoseconds)
            } else {
                closeAtRest()
            }
        case .head, .content, .waiting, .response, .tunnel:
            break
        }
    }

    override func ended() {
        switch phase {
        case .head:
            close()
        case .content:
            abandonRequest()
            close()
        case .waiting, .response:
            // The client may close its sending side and still wait for the answer.
            isInputEnded = true
            pauseReading()
        case .tunnel:
            isInputEnded = true
            pauseReading()
            exchange?.clientEnded()
        case .lingering:
            isInputEnded = true
            if output.isEmpty {
                close()
            } else {
                pauseReading()
            }
        }
    }

    // MARK: Input

    override func received(_ bytes: Span<UInt8>) {
        guard phase != .lingering else { return }
        if isFresh, server.configuration.acceptsPlainHTTP2, tls == nil, beginsHTTP2(bytes) {
            return
        }
        if input.isEmpty {
            let used = process(bytes)
            if isOpen, used < bytes.count, phase != .lingering {
                input.append(bytes.extracting(used..<bytes.count))
            }
        } else {
            input.append(bytes)
            processInput()
        }
        if isOpen {
            updateDeadline()
        }
    }

    /// Goes on with what was read earlier.
    func processInput() {
        guard !input.isEmpty, !isProcessing else { return }
        var held: [UInt8] = []
        swap(&held, &input)
        let used = process(held.span)
        guard isOpen, phase != .lingering else { return }
        if used == 0 {
            swap(&held, &input)
        } else if used < held.count {
            input = Array(held[used...])
        }
    }

    /// Uses as many of `bytes` as the phases allow and returns how many.
    private func process(_ bytes: Span<UInt8>) -> Int {
        isProcessing = true
        defer { isProcessing = false }
        var offset = 0
        while isOpen, offset < bytes.count {
            switch phase {
            case .head:
                guard let next = processHead(bytes, from: offset) else {
                    return offset
                }
                offset = next
            case .content:
                offset = processContent(bytes, from: offset)
            case .waiting:
                pauseReading()
                return offset
            case .response:
                exchange?.inputProcessed()
                if phase == .response {
                    pauseReading()
                    return offset
                }
            case .tunnel:
                exchange?.requestContent(bytes.extracting(offset..<bytes.count))
                offset = bytes.count
            case .lingering:
                offset = bytes.count
            }
        }
        exchange?.inputProcessed()
        return offset
    }

    /// Reads a head at `offset` and starts its exchange; returns where it ended, or `nil` while it is incomplete.
    private func processHead(_ bytes: Span<UInt8>, from offset: Int) -> Int? {
        var start = offset
        if !hasSkippedEmptyLine, bytes[start] == 0x0D {
            // One empty line before a request is ignored (RFC 9112 §2.2).
            guard start + 1 < bytes.count else { return nil }
            hasSkippedEmptyLine = true
            if bytes[start + 1] == 0x0A {
                start += 2
                return start
            }
        }
        let message = bytes.extracting(start..<bytes.count)
        do {
            guard case .complete(let end) = try scanner.scan(message, limits: server.configuration.headLimits) else {
                return start == offset ? nil : start
            }
            let head = message.extracting(0..<end)
            try server.requestHead.parse(head, end: end, limits: server.configuration.headLimits)
            begin(head)
            return start + end
        } catch {
            refuseMalformed(error)
            return bytes.count
        }
    }

    private func processContent(_ bytes: Span<UInt8>, from offset: Int) -> Int {
        do {
            switch try decoder.next(bytes, from: offset) {
            case .content(let range):
                awaitsContinue = false
                exchange?.requestContent(bytes.extracting(range))
                if isOpen, phase == .content, decoder.isDone {
                    requestEnded()
                }
                return range.upperBound
            case .needMore:
                return bytes.count
            case .end(let end):
                requestEnded()
                return end
            }
        } catch {
            abandonRequest()
            if hasResponseStarted {
                close()
            } else {
                refuseMalformed(error)
            }
            return bytes.count
        }
    }

    // MARK: One request

    /// Starts the exchange for the head that lies parsed in `server.requestHead`.
    private func begin(_ bytes: Span<UInt8>) {
        minorVersion = server.requestHead.minorVersion
        isHeadRequest = server.requestHead.isHead
        keepsConnection = server.requestHead.keepsConnection && !server.isLeaving
        awaitsContinue = server.requestHead.expectsContinue
        decoder = BodyDecoder(server.requestHead.framing)
        isResponseDone = false
        hasResponseStarted = false
        isFresh = false
        scanner = HeadScanner()
        hasSkippedEmptyLine = false
        if let given = server.requestHead.requestID {
            var text: [UInt8] = []
            text.append(given, of: bytes)
            requestID = RequestID(given: text)
        } else {
            requestID = RequestID(&loop.random)
        }
        phase = decoder.isDone ? .response : .content
        decide(bytes, after: nil)
    }

    /// Has the router decide about the request whose head lies parsed in `server.requestHead`, and does what it says.
    ///
    /// - Parameters:
    ///   - bytes: The head.
    ///   - waited: The wait that is over, when the router is asked again.
    func decide(_ bytes: Span<UInt8>, after waited: WaitingRequest?) {
        server.requestHead.isSecure = isSecure
        let decision =
            server.router?.route(server.requestHead, in: bytes, after: waited?.gate, onLoop: server.index) ?? .handle
        switch decision {
        case .handle:
            beginHandling(bytes)
        case .refuse(let status, let detail, let headers, let members):
            respond(.problem(status, detail: detail, requestID: requestID.text, members: members), adding: headers)
        case .answer(let response):
            respond(response)
        case .proxy(let call):
            let proxy = proxyExchange ?? ProxyExchange(client: self)
            proxyExchange = proxy
            exchange = proxy
            proxy.begin(call, head: bytes, after: waited)
        case .wait(let gate, let limit):
            wait(for: gate, limit: limit, head: bytes, since: waited)
            return
        }
        if isOpen, phase == .response, !isResponseDone {
            exchange?.requestEnded()
        }
    }

    private func beginHandling(_ bytes: Span<UInt8>) {
        if case .length(let length) = server.requestHead.framing, length > server.configuration.bodyBytesMaximum {
            let detail = "The content is larger than \(server.configuration.bodyBytesMaximum) bytes."
            respond(.problem(.contentTooLarge, detail: detail, requestID: requestID.text))
            return
        }
        let handling = HandlerExchange(client: self, hasContent: phase == .content)
        exchange = handling
        handling.begin(bytes)
    }

    private func requestEnded() {
        if isResponseDone {
            finishRequest()
        } else {
            phase = .response
            exchange?.requestEnded()
        }
    }

    /// Gives the exchange up: its request will never be complete.
    func abandonRequest() {
        let exchange = exchange
        self.exchange = nil
        exchange?.requestFailed()
    }

    /// The exchange has sent the whole response.
    func responseEnded() {
        guard isOpen, phase == .content || phase == .response else { return }
        exchange = nil
        isResponseDone = true
        if phase == .content {
            // The request was answered before it was complete.
            if !keepsConnection || awaitsContinue || !mayDiscardRest {
                linger()
            } else {
                resumeReading()
            }
        } else {
            finishRequest()
        }
    }

    /// Request and response are complete: goes on with the next request, or ends.
    private func finishRequest() {
        exchange = nil
        // A response that began before the server knew that it leaves has promised that the connection stays.
        guard keepsConnection, !isInputEnded, !server.isDraining else {
            linger()
            return
        }
        phase = .head
        if !isProcessing {
            resumeReading()
            processInput()
            if isOpen {
                updateDeadline()
            }
        } else if !isReading {
            resumeReading()
        }
    }

    /// Whether so little of the request is outstanding that reading it is cheaper than a new connection.
    private var mayDiscardRest: Bool {
        guard let remaining = decoder.remainingLength else { return false }
        return remaining <= Self.discardBytesMaximum
    }

    // MARK: What exchanges use

    /// Decides, when a response starts, whether the connection stays; the response's head has to say so.
    func responseStarts(isFinal: Bool) {
        hasResponseStarted = true
        if server.isLeaving || isInputEnded || (isFinal && phase == .content && !mayDiscardRest) {
            keepsConnection = false
        }
    }

    /// Gives up keeping the connection: the response's end will be its end.
    func endsConnection() {
        keepsConnection = false
    }

    /// Sends response bytes; a broken connection is closed.
    ///
    /// - Returns: Whether so much waits now that the producer must pause until `clientOutputFell`.
    func sendResponse(_ bytes: Span<UInt8>) -> Bool {
        guard isOpen else { return true }
        let wasEmpty = output.isEmpty
        guard sendPlain(bytes) else {
            close()
            return true
        }
        if wasEmpty, !output.isEmpty {
            loop.setDeadline(of: self, after: server.writeStallNanoseconds)
        }
        return output.count > Channel.outputPauseBytes
    }

    /// The exchange has sent a 101: from now on bytes pass to `upstream` and back as they are.
    func becomeTunnel(to upstream: Channel) {
        phase = .tunnel
        if tls == nil {
            join(upstream, idleNanoseconds: server.tunnelIdleNanoseconds)
        }
        resumeReading()
        if !isProcessing {
            processInput()
        }
        updateDeadline()
    }

    /// Sends what waits, then closes.
    func linger() {
        guard isOpen, phase != .lingering else { return }
        phase = .lingering
        exchange = nil
        input = []
        sayEnd()
        if isOpen, output.isEmpty {
            finishSending()
        }
    }

    /// Everything is sent: closes the sending side and gives the client a moment to see it.
    private func finishSending() {
        if isInputEnded {
            close()
            return
        }
        endSending()
        resumeReading()
        loop.setDeadline(of: self, after: server.lingeringNanoseconds)
    }

    func refuseMalformed(_ error: MessageError) {
        requestID = RequestID(&loop.random)
        refuse(error.status, detail: error.explanation)
    }

    /// Answers a request that no exchange answers, and ends the connection.
    private func refuse(_ status: HTTPStatus, detail: String) {
        keepsConnection = false
        hasResponseStarted = true
        isHeadRequest = false
        writeResponse(.problem(status, detail: detail, requestID: requestID.text))
        linger()
    }
}
