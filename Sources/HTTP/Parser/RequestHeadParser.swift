extension RequestHead {
    /// The longest request id that is passed on; longer ones are replaced.
    static let requestIDBytesMaximum = 128

    /// Reads the head that `HeadScanner` found to be the first `end` bytes.
    ///
    /// - Throws: Whatever RFC 9112 leaves two meanings for, refused as one.
    mutating func parse(_ bytes: Span<UInt8>, end: Int, limits: HeadLimits) throws(MessageError) {
        byteCount = end
        query = nil
        host = nil
        upgrade = nil
        requestID = nil
        expectsContinue = false
        connectionFields.reset()
        let lineEnd = try parseRequestLine(bytes, limits: limits)
        try section.parse(bytes, from: lineEnd + 2, to: end, limits: limits)
        try interpretFields(bytes)
    }

    // MARK: Request line

    /// Reads `method SP target SP HTTP/1.x` and returns where its CR is.
    private mutating func parseRequestLine(_ bytes: Span<UInt8>, limits: HeadLimits) throws(MessageError) -> Int {
        var position = 0
        while position < byteCount, HTTPCharacters.isToken(bytes[position]) {
            position += 1
        }
        guard position > 0, position < byteCount, bytes[position] == 0x20 else { throw .badRequestLine }
        method = ByteRange(0, position)
        classifyMethod(bytes)
        let targetStart = position + 1
        position = targetStart
        while position < byteCount, HTTPCharacters.isVisible(bytes[position]) {
            position += 1
        }
        guard position > targetStart, position < byteCount else { throw .badRequestLine }
        guard bytes[position] == 0x20 else {
            throw bytes[position] >= 0x80 || bytes[position] == 0x7F ? .badTarget : .badRequestLine
        }
        let target = ByteRange(targetStart, position)
        try parseVersion(bytes, from: position + 1)
        guard !bytes.matches(method, "connect") else { throw .connectRefused }
        try parseTarget(bytes, target)
        return position + 9
    }

    private mutating func classifyMethod(_ bytes: Span<UInt8>) {
        isHead = false
        isIdempotent = false
        isSafe = false
        let literals: [5 of StaticString] = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]
        for index in literals.indices where bytes.equals(method, literals[index]) {
            isIdempotent = true
            isSafe = index < 3
            isHead = index == 1
            return
        }
    }

    /// Reads `HTTP/1.0` or `HTTP/1.1` and the CR after it.
    private mutating func parseVersion(_ bytes: Span<UInt8>, from start: Int) throws(MessageError) {
        guard start + 9 < byteCount, bytes.equals(ByteRange(start, start + 5), "HTTP/"),
            bytes[start + 6] == 0x2E, bytes[start + 8] == 0x0D, bytes[start + 9] == 0x0A
        else { throw .badRequestLine }
        let major = bytes[start + 5]
        let minor = bytes[start + 7]
        guard (0x30...0x39).contains(major), (0x30...0x39).contains(minor) else { throw .badRequestLine }
        guard major == 0x31, minor <= 0x31 else { throw .versionNotSupported }
        minorVersion = minor - 0x30
    }

    /// Takes the target apart: origin-form, absolute-form for http and https, or `*` for OPTIONS (RFC 9112 §3.2).
    private mutating func parseTarget(_ bytes: Span<UInt8>, _ target: ByteRange) throws(MessageError) {
        var origin = target
        if bytes[target.start] == 0x2A {
            guard target.count == 1, bytes.equals(method, "OPTIONS") else { throw .badTarget }
        } else if bytes[target.start] != 0x2F {
            origin = try parseAuthority(bytes, target)
        }
        let mark = bytes.firstIndex(of: 0x3F, from: origin.start) ?? origin.end
        if mark < origin.end {
            path = ByteRange(origin.start, mark)
            query = ByteRange(mark + 1, origin.end)
        } else {
            path = origin
        }
        try Self.checkPath(bytes, path)
        if let query, bytes.firstIndex(of: 0x23, from: query.start).map({ $0 < query.end }) ?? false {
            throw .badTarget
        }
    }

    /// Reads `http://host[:port]` off an absolute-form target and returns what follows.
    private mutating func parseAuthority(_ bytes: Span<UInt8>, _ target: ByteRange) throws(MessageError) -> ByteRange {
        let start: Int
        if bytes.begins(target, with: "http://") {
            start = target.start + 7
        } else if bytes.begins(target, with: "https://") {
            start = target.start + 8
        } else {
            throw .badTarget
        }
        var end = start
        while end < target.end, bytes[end] != 0x2F, bytes[end] != 0x3F {
            end += 1
        }
        let authority = ByteRange(start, end)
        guard HostSyntax.isValid(authority, in: bytes) else { throw .badTarget }
        host = authority
        return ByteRange(end, target.end)
    }

    /// Refuses fragments, backslashes, broken escapes, and segments that are `.` or `..`, escaped or not.
    private static func checkPath(_ bytes: Span<UInt8>, _ path: ByteRange) throws(MessageError) {
        var position = path.start
        // Dots since the last slash; −1 once the segment holds anything else.
        var dots = 0
        while position < path.end {
            switch bytes[position] {
            case 0x2F:
                guard dots != 1, dots != 2 else { throw .dotSegment }
                dots = 0
            case 0x2E:
                dots = dots >= 0 ? dots + 1 : dots
            case 0x25:
                guard position + 2 < path.end, let high = HTTPCharacters.hexadecimal(bytes[position + 1]),
                    let low = HTTPCharacters.hexadecimal(bytes[position + 2])
                else { throw .badTarget }
                let value = high << 4 | low
                guard value != 0 else { throw .badTarget }
                dots = value == 0x2E && dots >= 0 ? dots + 1 : -1
                position += 2
            case 0x23, 0x5C:
                throw .badTarget
            default:
                dots = -1
            }
            position += 1
        }
        guard dots != 1, dots != 2 else { throw .dotSegment }
    }

    // MARK: Fields

    private mutating func interpretFields(_ bytes: Span<UInt8>) throws(MessageError) {
        var upgradeValue: ByteRange?
        var hostField: ByteRange?
        var isRequestIDRepeated = false
        for index in section.records.indices {
            let record = section.records[index]
            switch record.kind {
            case .other, .dropped, .date, .traceParent:
                break
            case .host:
                guard hostField == nil else { throw .repeatedHost }
                hostField = record.value
            case .contentLength:
                try connectionFields.addContentLength(record.value, in: bytes)
            case .transferEncoding:
                try connectionFields.addTransferEncoding(record.value, in: bytes)
            case .connection:
                connectionFields.addConnection(record.value, in: bytes)
            case .upgrade:
                upgradeValue = upgradeValue == nil ? record.value : .empty
            case .expect:
                guard !expectsContinue, bytes.matches(record.value, "100-continue") else {
                    throw .unknownExpectation
                }
                expectsContinue = true
            case .requestID:
                isRequestIDRepeated = requestID != nil
                requestID = record.value
            }
        }
        try connectionFields.check(minorVersion: minorVersion)
        try settleHost(hostField, in: bytes)
        if isRequestIDRepeated || !Self.isFitRequestID(requestID, in: bytes) {
            requestID = nil
        }
        settleConnection(upgradeValue, in: bytes)
    }

    /// `Host` exactly once in HTTP/1.1 (RFC 9112 §3.2), well-formed, and the same as the target's where that has one.
    private mutating func settleHost(_ field: ByteRange?, in bytes: Span<UInt8>) throws(MessageError) {
        guard let field else {
            guard minorVersion == 0 else { throw .missingHost }
            return
        }
        guard HostSyntax.isValid(field, in: bytes) else { throw .badHost }
        if let host {
            guard bytes.equalIgnoringCase(host, field) else { throw .hostMismatch }
        } else {
            host = field
        }
    }

    private mutating func settleConnection(_ upgradeValue: ByteRange?, in bytes: Span<UInt8>) {
        if connectionFields.isChunked {
            framing = .chunked
        } else if let length = connectionFields.contentLength, length > 0 {
            framing = .length(length)
        } else {
            framing = .none
        }
        keepsConnection = connectionFields.keepsConnection(minorVersion: minorVersion)
        // Expectations of HTTP/1.0 clients are ignored (RFC 9110 §10.1.1), and so is one without content to wait for.
        expectsContinue = expectsContinue && minorVersion == 1 && framing != .none
        if let upgradeValue, connectionFields.saysUpgrade, minorVersion == 1, framing == .none, !isHead,
            bytes.matches(upgradeValue, "websocket")
        {
            upgrade = upgradeValue
        }
    }

    /// Whether a caller's request id may be passed on and logged: a moderate number of plain characters.
    private static func isFitRequestID(_ range: ByteRange?, in bytes: Span<UInt8>) -> Bool {
        guard let range, range.count >= 1, range.count <= requestIDBytesMaximum else { return false }
        for position in range.start..<range.end {
            switch bytes[position] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x3A, 0x2B, 0x2F, 0x3D: continue
            default: return false
            }
        }
        return true
    }
}
