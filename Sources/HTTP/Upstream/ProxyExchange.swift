/// A request that is proxied to an upstream, streamed both ways as it comes.
///
/// One object serves all proxied requests of a connection, one after the other. What is said about retries: a request
/// goes to another connection when the one it was given could not be connected, or had been kept idle and turns out
/// to be closed while nothing of a response had come and the request is idempotent or nothing of it had left. A safe one is
/// sent once more, to another endpoint where there is one, also when a new connection ends before a response.
final class ProxyExchange: RequestExchange {
    /// Connections tried for one request at most.
    static let attemptsMaximum = 3

    enum Phase {
        /// No request is under way.
        case idle
        /// The response's head has not come.
        case head
        /// The response's content is passing.
        case content
        /// Upgraded.
        case tunnel
    }

    unowned let client: any ExchangeClient
    let loop: EventLoop
    let server: ServerLoop
    var phase = Phase.idle
    var upstream: UpstreamConnection?
    var call: ProxyCall?
    var scanner = HeadScanner()
    var decoder = BodyDecoder(.none)
    var isRequestDone = false
    var isResponseChunked = false
    /// Whether the upstream has sent more than its response.
    var hasSurplus = false
    var status = 0
    var firstByteAt: UInt64 = 0
    private(set) var startedAt: UInt64 = 0
    /// How long the request waited before, and at which gate; nil unless the client is told.
    private(set) var wait: (nanoseconds: UInt64, metrics: String)?
    private var attempts = 0
    private var wasSent = false
    private var ejections = 0
    private var isHeld = false
    private var isRequestChunked = false
    private var isIdempotent = false
    private var isSafe = false
    /// Whether an endpoint ended a new connection without a response to this request.
    private var wasRepeated = false
    private(set) var wantsUpgrade = false
    private var endsUpstream = false

    init(client: any ExchangeClient) {
        self.client = client
        loop = client.loop
        server = client.server
    }

    // MARK: Request

    /// Starts to proxy the request whose head lies parsed in the server's `requestHead`.
    ///
    /// - Parameters:
    ///   - call: Where it goes.
    ///   - bytes: The head.
    ///   - waited: The wait before, when there was one.
    func begin(_ call: ProxyCall, head bytes: Span<UInt8>, after waited: WaitingRequest?) {
        self.call = call
        phase = .head
        scanner = HeadScanner()
        startedAt = EventLoop.monotonicNow()
        wait = waited.flatMap { waited in
            waited.gate.serverTiming.map { (startedAt &- waited.since, $0) }
        }
        firstByteAt = 0
        status = 0
        attempts = 0
        wasSent = false
        ejections = 0
        isRequestDone = false
        hasSurplus = false
        endsUpstream = false
        isRequestChunked = server.requestHead.framing == .chunked
        isIdempotent = server.requestHead.isIdempotent
        isSafe = server.requestHead.isSafe
        wasRepeated = false
        wantsUpgrade = server.requestHead.upgrade != nil
        loop.scratch.removeAll(keepingCapacity: true)
        loop.scratch.append(forwarded: server.requestHead, in: bytes, target: call.target, for: client)
        isHeld = true
    }

    func requestContent(_ bytes: Span<UInt8>) {
        guard phase != .idle else { return }
        if isHeld {
            if isRequestChunked {
                loop.scratch.append(chunk: bytes)
            } else {
                loop.scratch.append(bytes)
            }
        } else if isRequestChunked, phase != .tunnel {
            loop.scratch.removeAll(keepingCapacity: true)
            loop.scratch.append(chunk: bytes)
            sendScratch()
        } else {
            sendToUpstream(bytes)
        }
    }

    func requestEnded() {
        guard phase != .idle else { return }
        isRequestDone = true
        guard isRequestChunked else { return }
        if !isHeld {
            loop.scratch.removeAll(keepingCapacity: true)
        }
        loop.scratch.append("0\r\n\r\n")
        if !isHeld {
            sendScratch()
        }
    }

    func inputProcessed() {
        guard isHeld else { return }
        isHeld = false
        var bytes: [UInt8] = []
        swap(&bytes, &loop.scratch)
        dispatch(bytes.span, avoiding: nil, reusing: true)
        swap(&bytes, &loop.scratch)
        if phase == .head, !isRequestDone {
            client.sendContinueIfAwaited()
        }
    }

    private func sendScratch() {
        var bytes: [UInt8] = []
        swap(&bytes, &loop.scratch)
        sendToUpstream(bytes.span)
        swap(&bytes, &loop.scratch)
    }

    private func sendToUpstream(_ bytes: Span<UInt8>) {
        guard let upstream else { return }
        guard upstream.sendRequest(bytes) else {
            upstreamFailed()
            return
        }
        restartSilence()
        if upstream.output.count > Channel.outputPauseBytes {
            client.pauseReading()
        }
    }

    /// Finds a connection and sends all there is of the request.
    private func dispatch(_ bytes: Span<UInt8>, avoiding failed: UpstreamEndpoint?, reusing: Bool) {
        guard let call else { return }
        var failed = failed
        var mayReuse = reusing
        while attempts < Self.attemptsMaximum {
            guard let endpoint = choose(from: call.destination, avoiding: failed) else { return }
            attempts += 1
            guard let connection = (mayReuse ? kept(endpoint) : nil) ?? server.upstreams.connect(endpoint) else {
                endpoint.requestEnded()
                note(failureOf: endpoint)
                failed = endpoint
                continue
            }
            upstream = connection
            connection.exchange = self
            if connection.sendRequest(bytes) {
                restartSilence()
                if connection.output.count > Channel.outputPauseBytes {
                    client.pauseReading()
                }
                return
            }
            // The connection was closed meanwhile and took nothing.
            dropUpstream()
            mayReuse = false
        }
        fail(.badGateway, .connectFailed, "None of its instances could be reached.")
    }

    /// Takes the destination's choice; when there is none, the client is told why.
    private func choose(from destination: any ProxyDestination, avoiding failed: UpstreamEndpoint?) -> UpstreamEndpoint?
    {
        switch destination.endpoint(avoiding: failed, random: loop.random.next()) {
        case .endpoint(let endpoint): return endpoint
        case .none: fail(.serviceUnavailable, .noEndpoint, "No instance of it is ready now.")
        case .allBusy: fail(.tooManyRequests, .allBusy, "Each of its instances has as many calls under way as it may.")
        }
        return nil
    }

    private func note(failureOf endpoint: UpstreamEndpoint) {
        if endpoint.failed(now: EventLoop.monotonicNow()) {
            ejections += 1
        }
    }

    /// Takes a kept connection.
    ///
    /// A request that must not be sent twice is not risked on one whose end is here already but not yet heard of.
    private func kept(_ endpoint: UpstreamEndpoint) -> UpstreamConnection? {
        while let connection = server.upstreams.take(endpoint) {
            if isIdempotent || connection.isQuiet {
                return connection
            }
            connection.close()
        }
        return nil
    }

    /// The upstream has been connected to: from now on it is its turn.
    func upstreamConnected() {
        restartSilence()
    }

    // MARK: Ends

    func requestFailed() {
        end(.clientLeft, status: phase == .head ? 499 : status)
        dropUpstream()
    }

    func clientClosed() {
        end(.clientLeft, status: phase == .head ? 499 : status)
        dropUpstream()
    }

    /// The upstream closed its side.
    func upstreamEnded() {
        switch phase {
        case .head:
            repeatOrFail()
        case .content:
            if decoder.end() {
                completeResponse()
            } else {
                fail(.badGateway, .upstreamFailed, "")
            }
        case .tunnel:
            end(.answered, status: status)
            dropUpstream()
            client.linger()
        case .idle:
            break
        }
    }

    /// The connection to the upstream broke.
    func upstreamFailed() {
        if phase == .head {
            repeatOrFail()
        } else {
            fail(.badGateway, .upstreamFailed, "")
        }
    }

    func upstreamTimedOut() {
        guard let upstream else { return }
        if !upstream.isConnected {
            repeatOrFail()
        } else if phase == .head, !isRequestDone, upstream.output.isEmpty {
            // It is the client that keeps both waiting, and its own deadline runs.
            restartSilence()
        } else {
            fail(.gatewayTimeout, .timedOut, "It did not answer in time.")
        }
    }

    /// Sends the request once more where that is harmless, else tells the client.
    private func repeatOrFail() {
        guard let upstream else { return }
        let endpoint = upstream.endpoint
        if !upstream.isConnected {
            let bytes = upstream.takeOutput()
            note(failureOf: endpoint)
            dropUpstream()
            dispatch(bytes.span, avoiding: endpoint, reusing: true)
            return
        }
        let isUnheard = upstream.isUnansweredWhole && upstream.input.isEmpty
        if upstream.isReused, isUnheard, isIdempotent || !upstream.hasSent {
            let bytes = upstream.unanswered
            dropUpstream()
            dispatch(bytes.span, avoiding: nil, reusing: false)
            return
        }
        if isUnheard, isSafe, !wasRepeated {
            wasRepeated = true
            let bytes = upstream.unanswered
            note(failureOf: endpoint)
            dropUpstream()
            dispatch(bytes.span, avoiding: endpoint, reusing: false)
            return
        }
        fail(.badGateway, .upstreamFailed, "It closed the connection without answering.")
    }

    /// Gives up: an answer when none has begun, else the client sees a cut one.
    func fail(_ status: HTTPStatus, _ cause: ProxyOutcome.Cause, _ detail: String) {
        guard phase != .idle else { return }
        let hasBegun = phase != .head
        if !hasBegun, let upstream {
            note(failureOf: upstream.endpoint)
        }
        dropUpstream()
        end(cause, status: hasBegun ? self.status : status.code)
        guard !hasBegun else {
            client.close()
            return
        }
        var headers = HTTPHeaders()
        if status == .serviceUnavailable || status == .tooManyRequests {
            headers.set("Retry-After", "1")
        }
        client.respond(.problem(status, detail: detail, requestID: client.requestID.text), adding: headers)
    }

    /// The whole response is with the client, or waits to be sent to it.
    func completeResponse() {
        guard let upstream else { return }
        wasSent = true
        let isReusable =
            isRequestDone && !hasSurplus && upstream.output.isEmpty && upstreamKeepsConnection && decoder.isDone
        self.upstream = nil
        upstream.endpoint.requestEnded()
        if isReusable {
            upstream.release()
        } else {
            upstream.exchange = nil
            upstream.close()
        }
        if isResponseChunked {
            let last: [UInt8] = [0x30, 0x0D, 0x0A, 0x0D, 0x0A]
            _ = client.sendResponse(last.span)
        }
        end(.answered, status: status)
        client.responseEnded()
    }

    /// Whether the upstream's last head lets the connection stay.
    var upstreamKeepsConnection = true

    private func dropUpstream() {
        guard let upstream else { return }
        wasSent = wasSent || upstream.hasSent
        self.upstream = nil
        upstream.exchange = nil
        upstream.endpoint.requestEnded()
        upstream.close()
    }

    /// Tells the destination how it went, once.
    private func end(_ cause: ProxyOutcome.Cause, status: Int) {
        guard phase != .idle, let call else { return }
        phase = .idle
        isHeld = false
        self.call = nil
        let now = EventLoop.monotonicNow()
        let outcome = ProxyOutcome(
            status: status, cause: cause, nanoseconds: now &- startedAt,
            firstByteNanoseconds: firstByteAt == 0 ? 0 : firstByteAt &- startedAt, attempts: attempts,
            wasSent: wasSent || upstream?.hasSent == true, ejections: ejections,
            waitedNanoseconds: wait?.nanoseconds ?? 0)
        call.destination.finished(outcome, context: call.context)
        if let witness = call.witness {
            witness.ended(outcome, requestID: client.requestID.text, remoteAddress: client.remoteAddress)
        }
    }

    // MARK: Flow

    /// Starts the wait for the upstream's next sign of life anew.
    func restartSilence() {
        guard let upstream, let call, upstream.isConnected else { return }
        guard upstream.isReading else {
            loop.clearDeadline(of: upstream)
            return
        }
        loop.setDeadline(
            of: upstream, after: phase == .tunnel ? server.tunnelIdleNanoseconds : call.silenceNanoseconds)
    }

    func clientOutputFell() {
        upstream?.resumeReading()
        restartSilence()
    }

    func upstreamOutputFell() {
        client.resumeReading()
        client.updateDeadline()
        restartSilence()
    }

    func upstreamDrained() {
        if endsUpstream {
            upstream?.endSending()
        }
    }

    func clientEnded() {
        guard phase == .tunnel, let upstream else { return }
        endsUpstream = true
        if upstream.output.isEmpty {
            upstreamDrained()
        }
    }
}
