/// A request that an asynchronous handler answers.
final class HandlerExchange: RequestExchange, @unchecked Sendable {
    // SAFETY: all state is confined to the connection's loop; the handler's task comes back through `loop.execute`.

    private let loop: EventLoop
    private let handler: any HTTPHandler
    private let bodyBytesMaximum: UInt64
    /// `nil` once the exchange is over, whichever side ended it.
    private var client: (any ExchangeClient)?
    private var body: HTTPRequestBody
    private var bodyBytes: UInt64 = 0
    private var isBodyRefused = false
    private var task: Task<Void, Never>?

    private var isStreaming = false
    private var isChunked = false
    /// What is left of a streamed response with a given length.
    private var remaining: UInt64?
    private var writer: CheckedContinuation<Void, any Error>?

    init(client: any ExchangeClient, hasContent: Bool) {
        self.client = client
        loop = client.loop
        handler = client.server.handler
        bodyBytesMaximum = client.server.configuration.bodyBytesMaximum
        body = HTTPRequestBody()
        if hasContent {
            body = HTTPRequestBody(isComplete: false) { [weak self] in
                guard let self else { return }
                self.loop.execute { self.contentDemanded() }
            }
        }
    }

    /// Starts the handler for the head that lies parsed in the server's `requestHead`.
    func begin(_ bytes: Span<UInt8>) {
        guard let client else { return }
        let request = Self.request(
            client.server.requestHead, bytes, body: body, remoteAddress: client.remoteAddress,
            requestID: client.requestID.text)
        let handler = handler
        task = Task.immediate(executorPreference: loop) { [self] in
            let response = await handler.handle(request)
            await finish(response)
        }
    }

    private static func request(
        _ head: RequestHead, _ bytes: Span<UInt8>, body: HTTPRequestBody, remoteAddress: String, requestID: String
    ) -> HTTPRequest {
        var headers = HTTPHeaders()
        for record in head.section.records {
            headers.add(bytes.text(record.name), bytes.text(record.value))
        }
        let path = head.path.isEmpty ? "/" : bytes.text(head.path)
        let query = head.query.map { bytes.text($0) }
        return HTTPRequest(
            method: HTTPMethod(rawValue: bytes.text(head.method)), target: query.map { path + "?" + $0 } ?? path,
            path: path, query: query, headers: headers, body: body, remoteAddress: remoteAddress,
            requestID: requestID)
    }

    // MARK: Response

    private func finish(_ response: HTTPResponse) async {
        guard case .stream(let length, let produce) = response.body else {
            loop.execute { [self] in
                let client = client
                self.client = nil
                client?.respond(response)
            }
            return
        }
        guard await startStream(response, length: length) else { return }
        do {
            try await produce(HTTPBodyWriter(loop: loop, exchange: self))
            loop.execute { [self] in endStream(isComplete: true) }
        } catch {
            loop.execute { [self] in endStream(isComplete: false) }
        }
    }

    /// Sends the head of a streamed response and returns whether content is wanted.
    private func startStream(_ response: HTTPResponse, length: UInt64?) async -> Bool {
        await withCheckedContinuation { continuation in
            let isTaken = loop.execute { [self] in
                continuation.resume(returning: startStreamOnLoop(response, length: length))
            }
            if !isTaken {
                continuation.resume(returning: false)
            }
        }
    }

    private func startStreamOnLoop(_ response: HTTPResponse, length: UInt64?) -> Bool {
        guard let client, client.isOpen else { return false }
        let isEmpty = response.status.forbidsContent
        isChunked = length == nil && client.takesChunks && !isEmpty
        if length == nil, !client.takesChunks {
            client.endsConnection()
        }
        client.responseStarts(isFinal: false)
        let framing: ResponseFraming =
            isEmpty ? .none : length.map { .length($0) } ?? (isChunked ? .chunked : .untilClose)
        client.writeHead(response.status, response.headers, framing)
        client.flushResponse()
        if isEmpty || client.isHeadRequest {
            self.client = nil
            client.responseEnded()
            return false
        }
        remaining = length
        isStreaming = true
        return true
    }

    /// Sends one piece of a streamed response; the continuation resumes when the next one is welcome.
    func write(_ bytes: [UInt8], _ continuation: CheckedContinuation<Void, any Error>) {
        guard let client, client.isOpen, isStreaming, writer == nil else {
            continuation.resume(throwing: HTTPBodyError.cut)
            return
        }
        if let left = remaining {
            guard UInt64(bytes.count) <= left else {
                continuation.resume(throwing: HTTPBodyError.tooLarge(maximumBytes: Int(clamping: left)))
                return
            }
            remaining = left - UInt64(bytes.count)
        }
        let mustPause: Bool
        if isChunked {
            client.server.responseScratch.removeAll(keepingCapacity: true)
            client.server.responseScratch.append(chunk: bytes.span)
            mustPause = client.flushResponse()
        } else {
            mustPause = client.sendResponse(bytes.span)
        }
        if !client.isOpen {
            continuation.resume(throwing: HTTPBodyError.cut)
        } else if mustPause {
            writer = continuation
        } else {
            continuation.resume()
        }
    }

    private func endStream(isComplete: Bool) {
        guard let client, isStreaming else { return }
        isStreaming = false
        self.client = nil
        guard isComplete, remaining ?? 0 == 0 else {
            // The client sees a cut response: neither the last chunk nor the promised length arrives.
            client.close()
            return
        }
        if isChunked {
            let last: [UInt8] = Array("0\r\n\r\n".utf8)
            _ = client.sendResponse(last.span)
        }
        client.responseEnded()
    }

    // MARK: RequestExchange

    func requestContent(_ bytes: Span<UInt8>) {
        bodyBytes += UInt64(bytes.count)
        guard !isBodyRefused else { return }
        guard bodyBytes <= bodyBytesMaximum else {
            isBodyRefused = true
            client?.endsConnection()
            body.fail(.tooLarge(maximumBytes: Int(clamping: bodyBytesMaximum)))
            return
        }
        var copy: [UInt8] = []
        copy.append(bytes)
        if body.add(copy) > Channel.outputPauseBytes {
            client?.pauseReading()
        }
    }

    func requestEnded() {
        body.complete()
    }

    func requestFailed() {
        body.fail(.cut)
        leave()
    }

    func inputProcessed() {}

    func clientOutputFell() {
        let writer = writer
        self.writer = nil
        writer?.resume()
    }

    func clientClosed() {
        body.fail(.cut)
        leave()
    }

    func clientEnded() {}

    private func leave() {
        client = nil
        isStreaming = false
        let writer = writer
        self.writer = nil
        writer?.resume(throwing: HTTPBodyError.cut)
        task?.cancel()
    }

    private func contentDemanded() {
        guard let client else { return }
        client.sendContinueIfAwaited()
        client.resumeReading()
        client.updateDeadline()
    }
}
