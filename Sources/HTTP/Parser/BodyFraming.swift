/// How the end of a message's content is found (RFC 9112 §6).
enum BodyFraming: Equatable, Sendable {
    /// There is no content.
    case none
    /// So many bytes follow.
    case length(UInt64)
    /// Chunks follow, ended by one of size zero and a trailer section.
    case chunked
    /// Everything until the connection closes; responses only.
    case untilClose
}

/// What a message says about its framing and its connection, gathered field by field.
struct FramingFields {
    private(set) var contentLength: UInt64?
    private(set) var isChunked = false
    private(set) var saysClose = false
    private(set) var saysKeepAlive = false
    private(set) var saysUpgrade = false
    /// Other names in `Connection`: those fields concern this connection only (RFC 9110 §7.6.1).
    private(set) var nominated: [ByteRange] = []

    /// Forgets the last message.
    mutating func reset() {
        contentLength = nil
        isChunked = false
        saysClose = false
        saysKeepAlive = false
        saysUpgrade = false
        nominated.removeAll(keepingCapacity: true)
    }

    /// Takes a `Content-Length` field: digits only, and only one field (a list of equal numbers is refused as well).
    mutating func addContentLength(_ value: ByteRange, in bytes: Span<UInt8>) throws(MessageError) {
        guard contentLength == nil else { throw .repeatedContentLength }
        guard let length = bytes.plainNumber(value) else { throw .badContentLength }
        contentLength = length
    }

    /// Takes a `Transfer-Encoding` field: `chunked`, once, and nothing else.
    mutating func addTransferEncoding(_ value: ByteRange, in bytes: Span<UInt8>) throws(MessageError) {
        guard !isChunked, bytes.matches(value, "chunked") else { throw .badTransferCoding }
        isChunked = true
    }

    /// Takes a `Connection` field.
    mutating func addConnection(_ value: ByteRange, in bytes: Span<UInt8>) {
        bytes.forEachListMember(value) { member in
            if bytes.matches(member, "close") {
                saysClose = true
            } else if bytes.matches(member, "keep-alive") {
                saysKeepAlive = true
            } else if bytes.matches(member, "upgrade") {
                saysUpgrade = true
            } else {
                nominated.append(member)
            }
        }
    }

    /// Checks what only all fields together can tell.
    func check(minorVersion: UInt8) throws(MessageError) {
        guard isChunked else { return }
        guard contentLength == nil else { throw .lengthAndTransferCoding }
        guard minorVersion >= 1 else { throw .transferCodingInOldVersion }
    }

    /// Whether the connection stays after this message, as far as the message says (RFC 9112 §9.3).
    func keepsConnection(minorVersion: UInt8) -> Bool {
        if saysClose {
            return false
        }
        return minorVersion >= 1 || saysKeepAlive
    }

    /// Whether `Connection` names the field `name`.
    func nominates(_ name: ByteRange, in bytes: Span<UInt8>) -> Bool {
        nominated.contains { bytes.equalIgnoringCase($0, name) }
    }
}
