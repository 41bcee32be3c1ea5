/// The head of one HTTP/2 request, gathered field by field and written down as HTTP/1.1 has it.
///
/// So both versions have one parser, one router and one way to an upstream. Only what RFC 9113 §8 calls well-formed gets
/// that far: pseudo-fields first and once each, names in lower case, no field that concerns a connection, nothing in a name
/// or a value that could end a line.
struct HTTP2HeadBuilder {
    /// What a field takes beside its name and value (RFC 9113 §6.5.2).
    private static let fieldOverheadBytes = 32

    private var method: [UInt8] = []
    private var scheme: [UInt8] = []
    private var path: [UInt8] = []
    private var authority: [UInt8] = []
    private var host: [UInt8] = []
    private var cookies: [UInt8] = []
    /// Lines of HTTP/1.1.
    private var fields: [UInt8] = []
    private var fieldCount = 0
    private var byteCount = 0
    private var hasLength = false
    private var hasSeenField = false
    private var fault: MessageError?

    /// Takes the next field; what is wrong with it is told by `finish`, so that the rest is still decoded.
    mutating func add(_ name: Span<UInt8>, _ value: Span<UInt8>, limits: HeadLimits) {
        guard fault == nil else { return }
        byteCount += name.count + value.count + Self.fieldOverheadBytes
        fieldCount += 1
        guard byteCount <= limits.headBytesMaximum else {
            fault = .headTooLarge
            return
        }
        guard fieldCount <= limits.fieldsMaximum + 4 else {
            fault = .tooManyFields
            return
        }
        do throws(MessageError) {
            try take(name, value)
        } catch {
            fault = error
        }
    }

    private mutating func take(_ name: Span<UInt8>, _ value: Span<UInt8>) throws(MessageError) {
        try Self.check(value)
        guard name.count > 0 else { throw .badFieldName }
        if name[0] == UInt8(ascii: ":") {
            guard !hasSeenField else { throw .badPseudoField }
            try takePseudo(name, value)
            return
        }
        hasSeenField = true
        for index in 0..<name.count {
            let byte = name[index]
            guard HTTPCharacters.isToken(byte), !(0x41...0x5A).contains(byte) else { throw .badFieldName }
        }
        let all = ByteRange(0, name.count)
        switch name.count {
        case 2 where name.equals(all, "te"):
            guard value.matches(ByteRange(0, value.count), "trailers") else { throw .connectionField }
            return
        case 4 where name.equals(all, "host"):
            guard host.isEmpty else { throw .repeatedHost }
            guard !value.isEmpty else { throw .badHost }
            host.append(value)
            return
        case 6 where name.equals(all, "cookie"):
            // Split for compression; whoever reads HTTP/1.1 expects one field (RFC 9113 §8.2.3).
            if !cookies.isEmpty {
                cookies.append("; ")
            }
            cookies.append(value)
            return
        case 7 where name.equals(all, "upgrade"), 10 where name.equals(all, "connection"),
            10 where name.equals(all, "keep-alive"), 16 where name.equals(all, "proxy-connection"),
            17 where name.equals(all, "transfer-encoding"):
            throw .connectionField
        case 14 where name.equals(all, "content-length"):
            hasLength = true
        default: break
        }
        fields.append(name)
        fields.append(": ")
        fields.append(value)
        fields.append("\r\n")
    }

    private mutating func takePseudo(_ name: Span<UInt8>, _ value: Span<UInt8>) throws(MessageError) {
        let all = ByteRange(0, name.count)
        guard !value.isEmpty else { throw .badPseudoField }
        if name.equals(all, ":method") {
            try Self.set(&method, value)
        } else if name.equals(all, ":path") {
            try Self.set(&path, value)
        } else if name.equals(all, ":scheme") {
            try Self.set(&scheme, value)
        } else if name.equals(all, ":authority") {
            try Self.set(&authority, value)
        } else {
            throw .badPseudoField
        }
    }

    private static func set(_ field: inout [UInt8], _ value: Span<UInt8>) throws(MessageError) {
        guard field.isEmpty else { throw .badPseudoField }
        field.append(value)
    }

    /// No control character, and no blank at either end (RFC 9113 §8.2.1).
    private static func check(_ value: Span<UInt8>) throws(MessageError) {
        for index in 0..<value.count {
            guard HTTPCharacters.isFieldContent(value[index]) else { throw .badFieldValue }
        }
        guard let first = value.isEmpty ? nil : value[0] else { return }
        let last = value[value.count - 1]
        guard first != 0x20, first != 0x09, last != 0x20, last != 0x09 else { throw .badFieldValue }
    }

    /// Writes the head down.
    ///
    /// - Parameter hasContent: Whether content may follow: the stream was not ended with its head.
    /// - Throws: The first thing that is wrong.
    func finish(hasContent: Bool) throws(MessageError) -> [UInt8] {
        if let fault {
            throw fault
        }
        guard !method.isEmpty else { throw .badPseudoField }
        for byte in method {
            guard HTTPCharacters.isToken(byte) else { throw .badRequestLine }
        }
        let isConnect = method.span.equals(ByteRange(0, method.count), "CONNECT")
        guard !isConnect else { throw .connectRefused }
        guard !path.isEmpty, !scheme.isEmpty else { throw .badPseudoField }
        let schemeRange = ByteRange(0, scheme.count)
        guard scheme.span.matches(schemeRange, "https") || scheme.span.matches(schemeRange, "http") else {
            throw .badPseudoField
        }
        // The parser takes an absolute target too; here it would be a second authority.
        let isAsterisk = path.count == 1 && path[0] == UInt8(ascii: "*")
        guard path[0] == UInt8(ascii: "/") || isAsterisk else { throw .badTarget }
        for byte in path {
            guard HTTPCharacters.isVisible(byte) else { throw .badTarget }
        }
        guard !authority.isEmpty || !host.isEmpty else { throw .missingHost }
        let isSame =
            authority.count == host.count
            && zip(authority, host).allSatisfy { HTTPCharacters.lowercased($0) == HTTPCharacters.lowercased($1) }
        guard authority.isEmpty || host.isEmpty || isSame else { throw .hostMismatch }
        return text(hasContent: hasContent)
    }

    private func text(hasContent: Bool) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(byteCount + 64)
        text.append(contentsOf: method)
        text.append(" ")
        text.append(contentsOf: path)
        text.append(" HTTP/1.1\r\nHost: ")
        text.append(contentsOf: authority.isEmpty ? host : authority)
        text.append("\r\n")
        text.append(contentsOf: fields)
        if !cookies.isEmpty {
            text.append("Cookie: ")
            text.append(contentsOf: cookies)
            text.append("\r\n")
        }
        if hasContent, !hasLength {
            text.append("Transfer-Encoding: chunked\r\n")
        }
        text.append("\r\n")
        return text
    }
}
