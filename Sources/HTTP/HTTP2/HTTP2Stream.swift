import CNghttp2

/// One request of an HTTP/2 connection and its response.
final class HTTP2Stream: ExchangeClient, @unchecked Sendable {
    // SAFETY: confined to its connection's loop; a gate's signal comes back through `executeLater`.

    /// Unsent content above which whoever produces it has to pause; less than a connection of HTTP/1.1 may hold, since there
    /// are many streams.
    static let outputPauseBytes = 64 * 1024
    /// Unsent content below which it goes on.
    static let outputResumeBytes = 16 * 1024

    private enum Phase {
        /// Its head is arriving, or content after it.
        case request
        /// The router has to be asked again when a gate opens.
        case waiting
        /// The request is complete.
        case response
    }

    let id: Int32
    let server: ServerLoop
    let loop: EventLoop
    let remoteAddress: String
    let isSecure: Bool
    private unowned let connection: HTTP2Connection

    var builder: HTTP2HeadBuilder? = HTTP2HeadBuilder()
    private(set) var requestID = RequestID(given: [])
    private(set) var isHeadRequest = false
    private(set) var hasResponseStarted = false
    private var phase = Phase.request
    private var exchange: (any RequestExchange)?
    private var waiting: WaitingRequest?
    private var awaitsContinue = false
    private var isGone = false
    private var isRequestComplete = false
    private var isReadingPaused = false
    /// Content that came while the request waited.
    private var input: [UInt8] = []
    /// Content that was not yet made room for again.
    private(set) var owedBytes = 0
    private var deadline: UInt64 = .max

    private var head: ResponseFields?
    private var isSubmitted = false
    private var isResponseDone = false
    private var output = OutputQueue()
    private var outputDeadline: UInt64 = .max

    init(connection: HTTP2Connection, id: Int32) {
        self.connection = connection
        self.id = id
        server = connection.server
        loop = connection.loop
        remoteAddress = connection.remoteAddress
        isSecure = connection.isSecure
        deadline = connection.loop.now &+ connection.server.headNanoseconds
    }

    var isOpen: Bool { !isGone && connection.isOpen }
    var takesChunks: Bool { false }

    // MARK: Request

    /// The head is complete.
    func begin(hasContent: Bool) {
        guard let builder else { return }
        self.builder = nil
        isRequestComplete = !hasContent
        phase = hasContent ? .request : .response
        requestID = RequestID(&loop.random)
        do throws(MessageError) {
            let text = try builder.finish(hasContent: hasContent)
            var scanner = HeadScanner()
            let limits = server.configuration.headLimits
            guard case .complete(let end) = try scanner.scan(text.span, limits: limits), end == text.count else {
                throw .badRequestLine
            }
            try server.requestHead.parse(text.span, end: end, limits: limits)
            isHeadRequest = server.requestHead.isHead
            awaitsContinue = hasContent && server.requestHead.expectsContinue
            if let given = server.requestHead.requestID {
                var id: [UInt8] = []
                id.append(given, of: text.span)
                requestID = RequestID(given: id)
            }
            decide(text.span, after: nil)
        } catch {
            connection.spend(1)
            respond(.problem(error.status, detail: error.explanation, requestID: requestID.text))
        }
        updateDeadline()
    }

    private func decide(_ bytes: Span<UInt8>, after waited: WaitingRequest?) {
        server.requestHead.isSecure = isSecure
        let decision =
            server.router?.route(server.requestHead, in: bytes, after: waited?.gate, onLoop: server.index) ?? .handle
        switch decision {
        case .handle:
            handle(bytes)
        case .refuse(let status, let detail, let headers, let members):
            respond(.problem(status, detail: detail, requestID: requestID.text, members: members), adding: headers)
        case .answer(let response):
            respond(response)
        case .proxy(let call):
            let proxy = ProxyExchange(client: self)
            exchange = proxy
            proxy.begin(call, head: bytes, after: waited)
        case .wait(let gate, let limit):
            wait(for: gate, limit: limit, head: bytes, since: waited)
            return
        }
        if phase == .response, !isResponseDone {
            exchange?.requestEnded()
        }
        // The head is held in room that all requests of the loop share.
        exchange?.inputProcessed()
    }

    private func handle(_ bytes: Span<UInt8>) {
        if case .length(let length) = server.requestHead.framing, length > server.configuration.bodyBytesMaximum {
            let detail = "The content is larger than \(server.configuration.bodyBytesMaximum) bytes."
            respond(.problem(.contentTooLarge, detail: detail, requestID: requestID.text))
            return
        }
        let handling = HandlerExchange(client: self, hasContent: phase == .request)
        exchange = handling
        handling.begin(bytes)
    }

    /// More content.
    func content(_ bytes: Span<UInt8>) {
        owedBytes += bytes.count
        awaitsContinue = false
        if phase == .waiting {
            input.append(bytes)
            return
        }
        exchange?.requestContent(bytes)
        exchange?.inputProcessed()
        settle()
        updateDeadline()
    }

    /// The client has sent the whole request.
    func requestEnded() {
        guard !isRequestComplete else { return }
        isRequestComplete = true
        guard phase == .request else { return }
        phase = .response
        exchange?.requestEnded()
        exchange?.inputProcessed()
        updateDeadline()
    }

    /// Makes room for as much content as was taken, unless taking it is paused.
    private func settle() {
        guard !isReadingPaused, phase != .waiting, owedBytes > 0 else { return }
        let owed = owedBytes
        owedBytes = 0
        connection.consume(owed, of: id)
    }

    /// The stream is over, or the connection.
    func connectionClosed() {
        guard !isGone else { return }
        isGone = true
        owedBytes = 0
        if let waiting {
            self.waiting = nil
            waiting.gate.leave(waiting.number, .clientLeft)
        }
        let exchange = exchange
        self.exchange = nil
        exchange?.clientClosed()
    }

    // MARK: Waiting

    private func wait(for gate: any RequestGate, limit: Duration, head: Span<UInt8>, since earlier: WaitingRequest?) {
        var kept = earlier?.head ?? []
        if kept.isEmpty {
            kept.append(head)
        }
        let since = earlier?.since ?? loop.now
        waiting = WaitingRequest(
            head: kept, phase: .waiting, gate: gate, since: since, endsAt: since &+ limit.wholeNanoseconds)
        phase = .waiting
        let number = gate.whenOpen { [self, loop] in
            loop.executeLater { self.waited(for: gate) }
        }
        waiting?.number = number
    }

    private func waited(for gate: any RequestGate) {
        guard isOpen, phase == .waiting, let waiting, waiting.gate === gate else { return }
        self.waiting = nil
        phase = isRequestComplete ? .response : .request
        do throws(MessageError) {
            let limits = server.configuration.headLimits
            // What came meanwhile is passed on before the request is ended.
            let isComplete = phase == .response && !input.isEmpty
            if isComplete {
                phase = .request
            }
            try server.requestHead.parse(waiting.head.span, end: waiting.head.count, limits: limits)
            decide(waiting.head.span, after: waiting)
            guard isOpen, phase != .waiting else { return }
            if !input.isEmpty {
                let held = input
                input = []
                exchange?.requestContent(held.span)
                exchange?.inputProcessed()
            }
            if isComplete, phase == .request {
                phase = .response
                exchange?.requestEnded()
                exchange?.inputProcessed()
            }
        } catch {
            respond(.problem(error.status, detail: error.explanation, requestID: requestID.text))
        }
        settle()
        updateDeadline()
    }

    // MARK: Time

    func updateDeadline() {
        switch phase {
        case .request:
            deadline = isReadingPaused ? .max : loop.now &+ server.bodyIdleNanoseconds
        case .waiting:
            deadline = waiting?.endsAt ?? .max
        case .response:
            deadline = .max
        }
    }

    /// Ends what has waited for too long.
    func look(at now: UInt64) {
        guard isOpen else { return }
        if !output.isEmpty, outputDeadline <= now {
            close()
            return
        }
        guard deadline <= now else { return }
        deadline = .max
        if builder != nil {
            close()
        } else if phase == .waiting, let waiting {
            self.waiting = nil
            waiting.gate.leave(waiting.number, .timedOut)
            phase = isRequestComplete ? .response : .request
            respond(
                .problem(
                    .serviceUnavailable, detail: "It could not be made ready in time.", requestID: requestID.text),
                adding: HTTPHeaders([("Retry-After", "1")]))
        } else if phase == .request {
            let exchange = exchange
            self.exchange = nil
            exchange?.requestFailed()
            if hasResponseStarted {
                close()
            } else {
                respond(
                    .problem(
                        .requestTimeout, detail: "The request's content did not arrive in time.",
                        requestID: requestID.text))
            }
        }
    }

    // MARK: What exchanges use

    func pauseReading() {
        isReadingPaused = true
    }

    func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        if isOpen {
            settle()
        }
    }

    func sendContinueIfAwaited() {
        guard awaitsContinue, isOpen, phase == .request, !hasResponseStarted else { return }
        awaitsContinue = false
        connection.submitContinue(id)
    }

    func responseStarts(isFinal: Bool) {
        hasResponseStarted = true
    }

    func endsConnection() {}

    func appendConnectionField() {}

    func sendResponse(_ bytes: Span<UInt8>) -> Bool {
        guard isOpen, !isResponseDone else { return true }
        guard head != nil || isSubmitted else {
            guard let (head, end) = ResponseFields.read(bytes) else {
                close()
                return true
            }
            self.head = head
            keep(bytes.extracting(end..<bytes.count))
            connection.submitLater(self)
            return output.count > Self.outputPauseBytes
        }
        keep(bytes)
        if isSubmitted {
            connection.resume(id)
        }
        return output.count > Self.outputPauseBytes
    }

    private func keep(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        if output.isEmpty {
            outputDeadline = loop.now &+ server.writeStallNanoseconds
        }
        output.append(bytes)
    }

    func responseEnded() {
        guard isOpen, !isResponseDone else { return }
        isResponseDone = true
        exchange = nil
        if isSubmitted {
            connection.resume(id)
        }
    }

    func becomeTunnel(to upstream: Channel) {
        close()
    }

    func linger() {
        close()
    }

    func close() {
        guard !isGone else { return }
        connection.reset(id, NGHTTP2_INTERNAL_ERROR)
        connectionClosed()
    }

    // MARK: What the connection takes

    /// Tells nghttp2 of the response.
    func submitResponse() {
        guard isOpen, let head, !isSubmitted else { return }
        self.head = nil
        isSubmitted = true
        guard connection.submit(head, of: id, hasContent: !(isResponseDone && output.isEmpty)) else {
            close()
            return
        }
    }

    /// Moves content into a frame.
    ///
    /// - Returns: How much, and whether it was the last; `nil` when none is there now.
    func take(into room: UnsafeMutableBufferPointer<UInt8>) -> (count: Int, isLast: Bool)? {
        guard !isGone else { return nil }
        let count = min(room.count, output.count)
        guard count > 0 || isResponseDone else { return nil }
        if count > 0, let base = room.baseAddress {
            output.withUnsafeBytes { bytes in
                if let start = bytes.baseAddress {
                    UnsafeMutableRawPointer(base).copyMemory(from: start, byteCount: count)
                }
            }
            let wasHigh = output.count > Self.outputResumeBytes
            output.removeFirst(count)
            outputDeadline = loop.now &+ server.writeStallNanoseconds
            connection.passed(count)
            if wasHigh, output.count <= Self.outputResumeBytes {
                exchange?.clientOutputFell()
            }
        }
        return (count, isResponseDone && output.isEmpty)
    }

    /// The last frame of the response has gone out; what the client still sends of its request is not wanted.
    func responseSent() {
        if !isRequestComplete {
            connection.reset(id, NGHTTP2_NO_ERROR)
        }
    }
}
