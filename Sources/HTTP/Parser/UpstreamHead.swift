/// The head of one response, as ranges into the bytes it was read from.
struct UpstreamHead {
    var status = 0
    /// The reason phrase, possibly empty.
    var reason = ByteRange.empty
    var minorVersion: UInt8 = 1
    var framing = BodyFraming.none
    var keepsConnection = true
    /// All bytes of the head, the empty line included.
    var byteCount = 0
    /// Whether the response says how long its content is or would be.
    var contentLength: UInt64?
    var hasDate = false
    var hasRequestID = false
    /// Whether it switches to the protocol in its `Upgrade` field.
    var upgrade: ByteRange?
    var section = FieldSection()
    var connectionFields = FramingFields()

    /// Reads the head that `HeadScanner` found to be the first `end` bytes.
    ///
    /// - Parameter answersHead: Whether the request was HEAD, so that no content follows whatever the fields say.
    /// - Throws: For a malformed status line or field, and for framing that has two meanings.
    mutating func parse(
        _ bytes: Span<UInt8>, end: Int, answersHead: Bool, limits: HeadLimits
    ) throws(MessageError) {
        byteCount = end
        connectionFields.reset()
        hasDate = false
        hasRequestID = false
        upgrade = nil
        let lineEnd = try parseStatusLine(bytes)
        try section.parse(bytes, from: lineEnd + 2, to: end, limits: limits)
        try interpretFields(bytes)
        settle(answersHead: answersHead)
    }

    /// Reads `HTTP/1.x SP status [SP reason]` and returns where its CR is.
    ///
    /// RFC 9112 §4 wants the second space even before an empty reason; many servers leave it out.
    private mutating func parseStatusLine(_ bytes: Span<UInt8>) throws(MessageError) -> Int {
        // The shortest head there is: "HTTP/1.1 200" and two line ends.
        guard byteCount >= 16, bytes.equals(ByteRange(0, 7), "HTTP/1.") else { throw .badStatusLine }
        guard bytes[7] == 0x30 || bytes[7] == 0x31, bytes[8] == 0x20 else { throw .badStatusLine }
        minorVersion = bytes[7] - 0x30
        guard let code = bytes.plainNumber(ByteRange(9, 12)), code >= 100, code <= 599 else { throw .badStatusLine }
        status = Int(code)
        var position = 12
        if bytes[position] == 0x20 {
            position += 1
        } else if bytes[position] != 0x0D {
            throw .badStatusLine
        }
        let reasonStart = position
        while position < byteCount, HTTPCharacters.isFieldContent(bytes[position]) {
            position += 1
        }
        guard position + 1 < byteCount, bytes[position] == 0x0D, bytes[position + 1] == 0x0A else {
            throw .badStatusLine
        }
        reason = ByteRange(reasonStart, position)
        return position
    }

    private mutating func interpretFields(_ bytes: Span<UInt8>) throws(MessageError) {
        for index in section.records.indices {
            let record = section.records[index]
            switch record.kind {
            case .contentLength: try connectionFields.addContentLength(record.value, in: bytes)
            case .transferEncoding: try connectionFields.addTransferEncoding(record.value, in: bytes)
            case .connection: connectionFields.addConnection(record.value, in: bytes)
            case .upgrade: upgrade = record.value
            case .date: hasDate = true
            case .requestID: hasRequestID = true
            case .other, .dropped, .host, .expect, .traceParent: break
            }
        }
        try connectionFields.check(minorVersion: minorVersion)
    }

    /// Decides how the content ends (RFC 9112 §6.3).
    private mutating func settle(answersHead: Bool) {
        contentLength = connectionFields.contentLength
        keepsConnection = connectionFields.keepsConnection(minorVersion: minorVersion)
        if status != 101 || !connectionFields.saysUpgrade {
            upgrade = nil
        }
        if answersHead || HTTPStatus(status).forbidsContent {
            framing = .none
        } else if connectionFields.isChunked {
            framing = .chunked
        } else if let contentLength {
            framing = contentLength == 0 ? .none : .length(contentLength)
        } else {
            framing = .untilClose
            keepsConnection = false
        }
    }
}
