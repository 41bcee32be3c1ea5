/// The way back: from the upstream to the client.
extension ProxyExchange {
    /// Takes what the upstream sent.
    func upstreamReceived(_ bytes: Span<UInt8>) {
        guard let upstream else { return }
        restartSilence()
        switch phase {
        case .idle:
            break
        case .tunnel:
            sendToClient(bytes)
            client.updateDeadline()
        case .content:
            takeContent(bytes, from: 0)
        case .head:
            if upstream.input.isEmpty {
                takeHead(bytes)
            } else {
                var held: [UInt8] = []
                swap(&held, &upstream.input)
                held.append(bytes)
                takeHead(held.span)
            }
        }
    }

    private func sendToClient(_ bytes: Span<UInt8>) {
        if client.sendResponse(bytes), client.isOpen {
            upstream?.pauseReading()
            restartSilence()
        }
    }

    // MARK: Head

    private func takeHead(_ bytes: Span<UInt8>) {
        var offset = 0
        do {
            while offset < bytes.count {
                let message = bytes.extracting(offset..<bytes.count)
                let limits = server.configuration.headLimits
                guard case .complete(let end) = try scanner.scan(message, limits: limits) else { break }
                scanner = HeadScanner()
                let head = message.extracting(0..<end)
                try server.responseHead.parse(
                    head, end: end, answersHead: client.isHeadRequest, limits: limits)
                offset += end
                let status = server.responseHead.status
                if status >= 100, status < 200, status != 101 {
                    // Interim responses are between the upstream and us: content is never held back for a 100.
                    continue
                }
                takeFinalHead(head)
                if phase == .content {
                    takeContent(bytes, from: offset)
                } else if phase == .tunnel, offset < bytes.count {
                    sendToClient(bytes.extracting(offset..<bytes.count))
                }
                return
            }
            // The scanner counts from where the unfinished head begins.
            upstream?.input.append(bytes.extracting(offset..<bytes.count))
        } catch {
            fail(.badGateway, .upstreamFailed, "Its answer is not valid HTTP/1.1.")
        }
    }

    /// Puts the client's head together and decides how content passes.
    private func takeFinalHead(_ head: Span<UInt8>) {
        firstByteAt = loop.now
        status = server.responseHead.status
        upstream?.answered()
        upstream?.endpoint.answered()
        if status == 101 {
            takeUpgrade(head)
            return
        }
        phase = .content
        upstreamKeepsConnection = server.responseHead.keepsConnection
        decoder = BodyDecoder(server.responseHead.framing)
        isResponseChunked = false
        server.responseScratch.removeAll(keepingCapacity: true)
        server.responseScratch.append(forwarded: server.responseHead, in: head)
        appendOwnFields()
        switch server.responseHead.framing {
        case .length(let length):
            append(contentLength: length)
        case .none:
            // The answer to HEAD, or a 304, tells the length that content would have.
            if let length = server.responseHead.contentLength, status != 204 {
                append(contentLength: length)
            } else if !client.isHeadRequest, !HTTPStatus(status).forbidsContent {
                append(contentLength: 0)
            }
        case .chunked, .untilClose:
            if client.takesChunks {
                isResponseChunked = true
                server.responseScratch.append("Transfer-Encoding: chunked\r\n")
            } else {
                client.endsConnection()
            }
        }
        client.responseStarts(isFinal: false)
        client.appendConnectionField()
        server.responseScratch.append("\r\n")
    }

    private func takeUpgrade(_ head: Span<UInt8>) {
        guard wantsUpgrade, let upgrade = server.responseHead.upgrade, head.matches(upgrade, "websocket") else {
            fail(.badGateway, .upstreamFailed, "It switches to a protocol that was not asked for.")
            return
        }
        phase = .tunnel
        server.responseScratch.removeAll(keepingCapacity: true)
        server.responseScratch.append(forwarded: server.responseHead, in: head)
        appendOwnFields()
        server.responseScratch.append("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        client.responseStarts(isFinal: false)
        client.endsConnection()
        client.flushResponse()
        if client.isOpen, let upstream {
            restartSilence()
            client.becomeTunnel(to: upstream)
        }
    }

    private func append(contentLength length: UInt64) {
        server.responseScratch.append("Content-Length: ")
        server.responseScratch.append(decimal: length)
        server.responseScratch.append("\r\n")
    }

    private func appendOwnFields() {
        if !server.responseHead.hasDate {
            server.responseScratch.append("Date: ")
            loop.dateCache.append(to: &server.responseScratch)
            server.responseScratch.append("\r\n")
        }
        if !server.responseHead.hasRequestID {
            server.responseScratch.append("X-Request-Id: ")
            client.requestID.append(to: &server.responseScratch)
            server.responseScratch.append("\r\n")
        }
        if let wait {
            server.responseScratch.append("Server-Timing: queue;dur=")
            server.responseScratch.append(milliseconds: wait.nanoseconds)
            server.responseScratch.append(", ")
            server.responseScratch.append(contentsOf: wait.metrics.utf8)
            server.responseScratch.append(", first-byte;dur=")
            server.responseScratch.append(milliseconds: firstByteAt - min(startedAt, firstByteAt))
            server.responseScratch.append("\r\n")
        }
    }

    // MARK: Content

    /// Passes content on; a head that lies in `server.responseScratch` goes out with the first of it.
    private func takeContent(_ bytes: Span<UInt8>, from start: Int) {
        var offset = start
        if phase == .content, start == 0 {
            server.responseScratch.removeAll(keepingCapacity: true)
        }
        do {
            content: while true {
                switch try decoder.next(bytes, from: offset) {
                case .content(let range):
                    offset = range.upperBound
                    pass(bytes.extracting(range))
                case .needMore:
                    break content
                case .end(let end):
                    hasSurplus = end < bytes.count
                    break content
                }
            }
        } catch {
            // What was valid goes out; that it is cut is what the client has to see.
            client.flushResponse()
            server.responseScratch.removeAll(keepingCapacity: true)
            fail(.badGateway, .upstreamFailed, "")
            return
        }
        if decoder.isDone, isResponseChunked {
            isResponseChunked = false
            server.responseScratch.append("0\r\n\r\n")
        }
        if !server.responseScratch.isEmpty {
            let mustPause = client.flushResponse()
            server.responseScratch.removeAll(keepingCapacity: true)
            if mustPause, !decoder.isDone {
                upstream?.pauseReading()
                restartSilence()
            }
        }
        if decoder.isDone, phase == .content {
            completeResponse()
        }
    }

    /// Adds a piece of content to what is sent next, or sends it from where it lies when nothing waits before it.
    private func pass(_ content: Span<UInt8>) {
        if isResponseChunked {
            server.responseScratch.append(chunk: content)
        } else if server.responseScratch.isEmpty {
            sendToClient(content)
        } else {
            server.responseScratch.append(content)
        }
    }
}
