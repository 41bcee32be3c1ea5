/// What a header field means to a server or a proxy; most mean nothing to it.
enum FieldKind: UInt8 {
    /// Passed on as it is.
    case other
    case host
    case contentLength
    case transferEncoding
    case connection
    case upgrade
    case expect
    case requestID
    case date
    /// The trace that a request belongs to (W3C Trace Context, `traceparent`).
    case traceParent
    /// Concerns one connection only, or could be mistaken for what we say ourselves: never passed on.
    case dropped

    /// Tells the kind of the field whose name is `name`.
    ///
    /// A server that hands fields on as environment variables (CGI, WSGI) cannot tell `X_Forwarded_For` from
    /// `X-Forwarded-For`, so a name that would be known with hyphens in the place of its underscores is dropped.
    @inline(__always)
    static func classify(_ name: ByteRange, in bytes: Span<UInt8>) -> FieldKind {
        // Most names are told apart by their length alone; only candidates are compared.
        switch name.count {
        case 13... where hyphenated(ByteRange(name.start, name.start + 12), "x-forwarded-", in: bytes): .dropped
        case 2: bytes.matches(name, "te") ? .dropped : .other
        case 4:
            bytes.matches(name, "host") ? .host : bytes.matches(name, "date") ? .date : .other
        case 5: bytes.matches(name, "proxy") ? .dropped : .other  // Becomes HTTP_PROXY in CGI (CVE-2016-5385).
        case 6: bytes.matches(name, "expect") ? .expect : .other
        case 7:
            bytes.matches(name, "upgrade") ? .upgrade : bytes.matches(name, "trailer") ? .dropped : .other
        case 9: bytes.matches(name, "forwarded") || hyphenated(name, "x-real-ip", in: bytes) ? .dropped : .other
        case 10:
            bytes.matches(name, "connection")
                ? .connection : hyphenated(name, "keep-alive", in: bytes) ? .dropped : .other
        case 11: bytes.matches(name, "traceparent") ? .traceParent : .other
        case 12: known(name, "x-request-id", .requestID, in: bytes)
        case 14:
            hyphenated(name, "http2-settings", in: bytes)
                ? .dropped : known(name, "content-length", .contentLength, in: bytes)
        case 16: hyphenated(name, "proxy-connection", in: bytes) ? .dropped : .other
        case 17: known(name, "transfer-encoding", .transferEncoding, in: bytes)
        case 18: hyphenated(name, "proxy-authenticate", in: bytes) ? .dropped : .other
        case 19: hyphenated(name, "proxy-authorization", in: bytes) ? .dropped : .other
        default: .other
        }
    }

    private static func known(
        _ name: ByteRange, _ literal: StaticString, _ kind: FieldKind, in bytes: Span<UInt8>
    ) -> FieldKind {
        if bytes.matches(name, literal) {
            return kind
        }
        return hyphenated(name, literal, in: bytes) ? .dropped : .other
    }

    /// Whether `name` is `literal` when its underscores are read as hyphens.
    private static func hyphenated(_ name: ByteRange, _ literal: StaticString, in bytes: Span<UInt8>) -> Bool {
        guard name.count == literal.utf8CodeUnitCount else { return false }
        for offset in 0..<name.count {
            let byte = bytes[name.start + offset]
            let plain = byte == 0x5F ? 0x2D : HTTPCharacters.lowercased(byte)
            if plain != literal.utf8Start[offset] {
                return false
            }
        }
        return true
    }
}

/// Where one header field lies in its message.
struct FieldRecord {
    let nameStart: UInt32
    let nameEnd: UInt32
    let valueStart: UInt32
    let valueEnd: UInt32
    let kind: FieldKind

    init(name: ByteRange, value: ByteRange, kind: FieldKind) {
        nameStart = UInt32(truncatingIfNeeded: name.start)
        nameEnd = UInt32(truncatingIfNeeded: name.end)
        valueStart = UInt32(truncatingIfNeeded: value.start)
        valueEnd = UInt32(truncatingIfNeeded: value.end)
        self.kind = kind
    }

    var name: ByteRange { ByteRange(Int(nameStart), Int(nameEnd)) }
    var value: ByteRange { ByteRange(Int(valueStart), Int(valueEnd)) }
}
