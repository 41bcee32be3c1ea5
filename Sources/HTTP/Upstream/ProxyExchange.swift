/// A request that is proxied to an upstream, streamed both ways as it comes.
///
/// One object serves all proxied requests of a connection, one after the other.
final class ProxyExchange: RequestExchange, @unchecked Sendable {
    // SAFETY: touched on its loop only; what comes from elsewhere goes through the loop.

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
    /// The call's, where reading it costs nothing.
    private var silenceNanoseconds: UInt64 = 0
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
    var attempts = Attempts()
    private var wasSent = false
    private var isHeld = false
    private var isRequestChunked = false
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
        silenceNanoseconds = call.silenceNanoseconds
        phase = .head
        scanner = HeadScanner()
        startedAt = EventLoop.monotonicNow()
        wait = waited.flatMap { waited in
            waited.gate.serverTiming.map { (startedAt &- waited.since, $0) }
        }
        firstByteAt = 0
        status = 0
        attempts.begin(server.requestHead)
        wasSent = false
        isRequestDone = false
        hasSurplus = false
        endsUpstream = false
        isRequestChunked = server.requestHead.framing == .chunked
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
        guard let upstream else {
            keepWaiting(bytes)
            return
        }
        guard upstream.sendRequest(bytes) else {
            upstreamFailed()
            return
        }
        restartSilence()
        if upstream.output.count > Channel.outputPauseBytes {
            client.pauseReading()
        }
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

    func dropUpstream() {
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
        attempts.waiting = nil
        self.call = nil
        let now = EventLoop.monotonicNow()
        let outcome = ProxyOutcome(
            status: status, cause: cause, nanoseconds: now &- startedAt,
            firstByteNanoseconds: firstByteAt == 0 ? 0 : firstByteAt &- startedAt, attempts: attempts.count,
            wasSent: wasSent || upstream?.hasSent == true, ejections: attempts.ejections,
            waitedNanoseconds: wait?.nanoseconds ?? 0)
        call.destination.finished(outcome, context: call.context)
        if let witness = call.witness {
            witness.ended(outcome, requestID: client.requestID.text, remoteAddress: client.remoteAddress)
        }
    }

    // MARK: Flow

    /// Starts the wait for the upstream's next sign of life anew.
    func restartSilence() {
        guard let upstream, upstream.isConnected else { return }
        guard upstream.isReading else {
            loop.clearDeadline(of: upstream)
            return
        }
        loop.setDeadline(
            of: upstream, after: phase == .tunnel ? server.tunnelIdleNanoseconds : silenceNanoseconds)
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
