/// Rewriting heads on their way through: what concerns one connection only is dropped (RFC 9110 §7.6.1), what tells
/// about the client is said by us alone.
extension [UInt8] {
    /// Appends the head under which a request goes to an upstream.
    ///
    /// - Parameters:
    ///   - target: The stretch of the request's target that the upstream sees.
    ///   - client: Whose address, and which id, go with it.
    mutating func append(
        forwarded head: RequestHead, in bytes: Span<UInt8>, target: ByteRange, for client: any ExchangeClient
    ) {
        append(head.method, of: bytes)
        append(" ")
        if target.isEmpty || bytes[target.start] != 0x2F {
            append("/")
        }
        append(target, of: bytes)
        append(" HTTP/1.1\r\n")
        let passed = append(fieldsOf: head.section, head.connectionFields, in: bytes, end: head.byteCount - 2) {
            kind in
            kind == .other || kind == .host || kind == .date || kind == .traceParent
        }
        if !passed.hasTraceParent {
            append(traceParentFor: client)
        }
        if !passed.hasHost {
            append("Host: ")
            if let host = head.host {
                append(host, of: bytes)
            }
            append("\r\n")
        }
        append(clientOf: client, host: head.host, in: bytes)
        switch head.framing {
        case .length(let length):
            append("Content-Length: ")
            append(decimal: length)
            append("\r\n")
        case .chunked:
            append("Transfer-Encoding: chunked\r\n")
        case .none, .untilClose:
            // A length of zero that was said is said again: some methods mean something by it.
            if head.connectionFields.contentLength != nil {
                append("Content-Length: 0\r\n")
            }
        }
        if head.upgrade != nil {
            append("Connection: Upgrade\r\nUpgrade: websocket\r\n")
        }
        append("\r\n")
    }

    /// Begins a trace (W3C Trace Context, version 00): its id is the request's where that is ours, and nobody records it yet.
    private mutating func append(traceParentFor client: any ExchangeClient) {
        append("traceparent: 00-")
        client.requestID.append(traceIDTo: &self, random: &client.loop.random)
        append("-")
        append(sixteenDigits: client.loop.random.next() | 1)
        append("-00\r\n")
    }

    /// Appends what the upstream is told about the client: `X-Forwarded-*`, `Forwarded` (RFC 7239), `X-Request-Id`.
    private mutating func append(clientOf client: any ExchangeClient, host: ByteRange?, in bytes: Span<UInt8>) {
        let address = client.remoteAddress.utf8
        append("X-Forwarded-For: ")
        append(contentsOf: address)
        append(client.isSecure ? "\r\nX-Forwarded-Proto: https\r\n" : "\r\nX-Forwarded-Proto: http\r\n")
        if let host {
            append("X-Forwarded-Host: ")
            append(host, of: bytes)
            append("\r\n")
        }
        let isVersion6 = address.contains(0x3A)
        append(isVersion6 ? "Forwarded: for=\"[" : "Forwarded: for=")
        append(contentsOf: address)
        append(isVersion6 ? "]\";proto=http" : ";proto=http")
        if client.isSecure {
            append("s")
        }
        if let host {
            append(";host=\"")
            append(host, of: bytes)
            append("\"")
        }
        append("\r\nX-Request-Id: ")
        client.requestID.append(to: &self)
        append("\r\n")
    }

    /// Appends the status line and the fields of an upstream's response that are passed on; framing comes after.
    mutating func append(forwarded head: UpstreamHead, in bytes: Span<UInt8>) {
        append("HTTP/1.1 ")
        append(decimal: UInt64(head.status))
        append(" ")
        append(head.reason, of: bytes)
        append("\r\n")
        _ = append(fieldsOf: head.section, head.connectionFields, in: bytes, end: head.byteCount - 2) { kind in
            // `Expect` and `Host` mean nothing in a response, so neither do they harm.
            kind == .other || kind == .date || kind == .requestID || kind == .traceParent
        }
    }

    /// Appends the fields whose kind is passed on and which `Connection` does not name, in runs of neighbours.
    ///
    /// - Returns: Whether `Host` and `traceparent` were among them.
    private mutating func append(
        fieldsOf section: FieldSection, _ connection: FramingFields, in bytes: Span<UInt8>, end: Int,
        passing isPassed: (FieldKind) -> Bool
    ) -> (hasHost: Bool, hasTraceParent: Bool) {
        let hasNominated = !connection.nominated.isEmpty
        var hasHost = false
        var hasTraceParent = false
        var runStart: Int?
        for record in section.records {
            let isKept =
                isPassed(record.kind)
                && !(hasNominated && record.kind != .host && connection.nominates(record.name, in: bytes))
            if isKept {
                hasHost = hasHost || record.kind == .host
                hasTraceParent = hasTraceParent || record.kind == .traceParent
                if runStart == nil {
                    runStart = Int(record.nameStart)
                }
            } else if let start = runStart {
                append(ByteRange(start, Int(record.nameStart)), of: bytes)
                runStart = nil
            }
        }
        if let start = runStart {
            append(ByteRange(start, end), of: bytes)
        }
        return (hasHost, hasTraceParent)
    }
}
