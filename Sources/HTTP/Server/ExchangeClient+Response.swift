/// How the content of a response of ours is framed.
enum ResponseFraming {
    case length(UInt64)
    case chunked
    case untilClose
    /// Statuses that never have content.
    case none
}

extension ExchangeClient {
    /// Answers with a complete response on behalf of an exchange, or without one.
    func respond(_ response: HTTPResponse, adding headers: HTTPHeaders = HTTPHeaders()) {
        guard isOpen, !hasResponseStarted else { return }
        responseStarts(isFinal: true)
        var response = response
        for field in headers.fields {
            response.headers.set(field.name, field.value)
        }
        writeResponse(response)
        responseEnded()
    }

    /// Sends a response whose content is all there, in one piece.
    func writeResponse(_ response: HTTPResponse) {
        var content: [UInt8] = []
        if case .bytes(let bytes) = response.body {
            content = bytes
        }
        let framing: ResponseFraming =
            response.status.forbidsContent ? .none : .length(UInt64(content.count))
        writeHead(response.status, response.headers, framing)
        if !isHeadRequest, !response.status.forbidsContent {
            server.responseScratch.append(content.span)
        }
        flushResponse()
    }

    /// Puts the head of a response into `server.responseScratch`.
    func writeHead(_ status: HTTPStatus, _ headers: HTTPHeaders, _ framing: ResponseFraming) {
        server.responseScratch.removeAll(keepingCapacity: true)
        server.responseScratch.append(statusLine: status)
        var hasDate = false
        for field in headers.fields {
            switch HTTPResponse.ownFields.first(where: { HTTPHeaders.equal($0, field.name) }) {
            case nil: break
            case "date": hasDate = true
            default: continue
            }
            server.responseScratch.append(contentsOf: field.name.utf8)
            server.responseScratch.append(": ")
            server.responseScratch.append(contentsOf: field.value.utf8)
            server.responseScratch.append("\r\n")
        }
        if !hasDate {
            server.responseScratch.append("Date: ")
            loop.dateCache.append(to: &server.responseScratch)
            server.responseScratch.append("\r\n")
        }
        server.responseScratch.append("X-Request-Id: ")
        requestID.append(to: &server.responseScratch)
        server.responseScratch.append("\r\n")
        switch framing {
        case .length(let length):
            server.responseScratch.append("Content-Length: ")
            server.responseScratch.append(decimal: length)
            server.responseScratch.append("\r\n")
        case .chunked:
            server.responseScratch.append("Transfer-Encoding: chunked\r\n")
        case .untilClose, .none:
            break
        }
        appendConnectionField()
        server.responseScratch.append("\r\n")
    }

    /// Sends what lies in `server.responseScratch`.
    ///
    /// - Returns: Whether the producer must pause.
    @discardableResult
    func flushResponse() -> Bool {
        // Taken out while it is lent, so that whatever sending leads to could use the room as well.
        var bytes: [UInt8] = []
        swap(&bytes, &server.responseScratch)
        defer { swap(&bytes, &server.responseScratch) }
        return sendResponse(bytes.span)
    }
}

extension HTTPResponse {
    /// Fields that the server sets itself, in lower case; a handler's `Date` is kept.
    static let ownFields = [
        "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer", "x-request-id", "date",
    ]
}
