/// What an exchange did to get its request to an endpoint.
struct Attempts {
    /// Connections tried in a row at most.
    static let inRowMaximum = 3
    /// The pause after the first row; each further one is twice as long.
    static let pauseMilliseconds: UInt64 = 20
    /// The longest pause.
    static let pauseMillisecondsMaximum: UInt64 = 320

    /// Connections tried for this request.
    private(set) var count = 0
    /// Those of them since the last pause.
    var inRow = 0
    /// Pauses until now.
    private(set) var pauses = 0
    /// Endpoints that the request's failures brought out of use for a while.
    var ejections = 0
    /// Whether an endpoint ended a new connection without a response to this request.
    var wasRepeated = false
    /// What there is of the request while it waits to be tried again.
    var waiting: [UInt8]?
    private(set) var isIdempotent = false
    private(set) var isSafe = false

    mutating func begin(_ head: borrowing RequestHead) {
        self = Attempts()
        isIdempotent = head.isIdempotent
        isSafe = head.isSafe
    }

    mutating func beginOne() {
        count += 1
        inRow += 1
    }

    /// Begins a new row.
    ///
    /// - Returns: How long to wait before.
    mutating func pause() -> Duration {
        let milliseconds = min(Self.pauseMilliseconds << UInt64(min(pauses, 8)), Self.pauseMillisecondsMaximum)
        pauses += 1
        inRow = 0
        return .milliseconds(milliseconds)
    }
}

/// Which connection a request is sent on, and when it is sent on another one.
///
/// A request goes to another connection when the one it was given could not be connected, or had been kept idle and turns
/// out to be closed while nothing of a response had come and the request is idempotent or nothing of it had left. A safe
/// one is sent once more, to another endpoint where there is one, also when a new connection ends before a response. When
/// no endpoint can be connected to, the request waits a little and tries again: an old version's addresses often end
/// before the news of the new version's are here.
extension ProxyExchange {
    /// Finds a connection and sends all there is of the request.
    func dispatch(_ bytes: Span<UInt8>, avoiding failed: UpstreamEndpoint?, reusing: Bool) {
        guard let call else { return }
        var failed = failed
        var mayReuse = reusing
        while attempts.inRow < Attempts.inRowMaximum {
            guard let endpoint = choose(from: call.destination, avoiding: failed) else { return }
            attempts.beginOne()
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
        guard EventLoop.monotonicNow() &- startedAt < server.unreachableNanoseconds else {
            fail(.badGateway, .connectFailed, "None of its instances could be reached.")
            return
        }
        wait(with: bytes, avoiding: failed)
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

    func note(failureOf endpoint: UpstreamEndpoint) {
        if endpoint.failed(now: EventLoop.monotonicNow()) {
            attempts.ejections += 1
        }
    }

    /// Takes a kept connection.
    ///
    /// A request that must not be sent twice is not risked on one whose end is here already but not yet heard of.
    private func kept(_ endpoint: UpstreamEndpoint) -> UpstreamConnection? {
        while let connection = server.upstreams.take(endpoint) {
            if attempts.isIdempotent || connection.isQuiet {
                return connection
            }
            connection.close()
        }
        return nil
    }

    /// Sends the request once more where that is harmless, else tells the client.
    func repeatOrFail() {
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
        if upstream.isReused, isUnheard, attempts.isIdempotent || !upstream.hasSent {
            let bytes = upstream.unanswered
            dropUpstream()
            dispatch(bytes.span, avoiding: nil, reusing: false)
            return
        }
        if isUnheard, attempts.isSafe, !attempts.wasRepeated {
            attempts.wasRepeated = true
            let bytes = upstream.unanswered
            note(failureOf: endpoint)
            dropUpstream()
            dispatch(bytes.span, avoiding: endpoint, reusing: false)
            return
        }
        fail(.badGateway, .upstreamFailed, "It closed the connection without answering.")
    }

    // MARK: Waiting

    private func wait(with bytes: Span<UInt8>, avoiding failed: UpstreamEndpoint?) {
        var waiting: [UInt8] = []
        waiting.append(bytes)
        attempts.waiting = waiting
        let pause = attempts.pause()
        let (started, number) = (startedAt, attempts.pauses)
        Task { [loop] in
            // Only time brings the news that is waited for.
            try? await ContinuousClock().sleep(for: pause)
            loop.execute {
                guard self.startedAt == started, self.attempts.pauses == number else { return }
                self.tryAgain(avoiding: failed)
            }
        }
    }

    /// Keeps more of a request that waits.
    func keepWaiting(_ bytes: Span<UInt8>) {
        attempts.waiting?.append(bytes)
        if attempts.waiting?.count ?? 0 > Channel.outputPauseBytes {
            client.pauseReading()
        }
    }

    private func tryAgain(avoiding failed: UpstreamEndpoint?) {
        guard let bytes = attempts.waiting.take() else { return }
        dispatch(bytes.span, avoiding: failed, reusing: true)
    }
}
