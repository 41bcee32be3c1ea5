extension JSONParser {
    /// Reads a string; the current position is its opening quote.
    ///
    /// - Parameter isKey: Whether the same string will likely come again.
    mutating func string(_ bytes: Span<UInt8>, isKey: Bool = false) throws(JSONError) -> String {
        let start = position + 1
        var index = start
        var isASCII = true
        while true {
            index = plainEnd(bytes, from: index, &isASCII)
            guard index < bytes.count else { throw malformed("the string has no end", bytes) }
            switch bytes[index] {
            case UInt8(ascii: "\""):
                position = index + 1
                let content = bytes.extracting(start..<index)
                guard isASCII else { return try text(content, at: start, bytes) }
                if isKey, KeyCache.keptBytes.contains(content.count) { return keyCache.key(content) }
                return String(copying: UTF8Span(unchecked: content, isKnownASCII: true))
            case UInt8(ascii: "\\"):
                return try escapedString(bytes, from: start, firstEscape: index)
            default:
                throw malformed("a control character in a string must be escaped", bytes, at: index)
            }
        }
    }

    /// Steps over bytes that stand for themselves in a string, eight at a time where there are so many.
    ///
    /// - Parameter isASCII: Becomes false when a byte of 0x80 or above was among them.
    /// - Returns: Where the next quote, backslash or control character is, or the end of the text.
    @inline(__always)
    func plainEnd(_ bytes: Span<UInt8>, from start: Int, _ isASCII: inout Bool) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var index = start
        var seen: UInt64 = 0
        while bytes.count - index >= 8 {
            let word = bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
            // The top bit of each byte that is a quote, a backslash or below 0x20, as far as the first one goes: a borrow
            // can only reach bytes after it ("Bit Twiddling Hacks", hasless and haszero).
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5C)
            let found =
                ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (word &- ones &* 0x20) & ~word)
                & tops
            if found != 0 {
                let plainBytes = found.trailingZeroBitCount / 8
                seen |= word & ((1 << UInt64(8 * plainBytes)) &- 1)
                isASCII = isASCII && seen & tops == 0
                return index + plainBytes
            }
            seen |= word
            index += 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            seen |= UInt64(byte)
            index += 1
        }
        isASCII = isASCII && seen & tops == 0
        return index
    }

    /// A stretch without escapes as text, once it is found to be UTF-8.
    ///
    /// - Parameter start: Where the stretch begins in the whole text, for an error.
    private func text(_ content: Span<UInt8>, at start: Int, _ bytes: Span<UInt8>) throws(JSONError) -> String {
        do {
            return String(copying: try UTF8Span(validating: content))
        } catch {
            throw malformed("invalid UTF-8", bytes, at: start + error.byteOffsets.lowerBound)
        }
    }

    /// Reads a string that has escapes, through a buffer.
    private mutating func escapedString(
        _ bytes: Span<UInt8>, from start: Int, firstEscape: Int
    ) throws(JSONError) -> String {
        let opening = position
        var buffer: [UInt8] = []
        var plainStart = start
        var index = firstEscape
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                try append(bytes, plainStart..<index, to: &buffer)
                position = index + 1
                return try text(buffer.span, at: start, bytes)
            }
            if byte == UInt8(ascii: "\\") {
                try append(bytes, plainStart..<index, to: &buffer)
                index = try escape(bytes, at: index, to: &buffer)
                plainStart = index
                continue
            }
            if byte < 0x20 {
                throw malformed("a control character in a string must be escaped", bytes, at: index)
            }
            index += 1
        }
        throw malformed("the string has no end", bytes, at: opening)
    }

    /// Appends plain bytes after checking them, so that an error names their own place.
    private func append(_ bytes: Span<UInt8>, _ range: Range<Int>, to buffer: inout [UInt8]) throws(JSONError) {
        guard !range.isEmpty else { return }
        let plain = bytes.extracting(range)
        do {
            _ = try UTF8Span(validating: plain)
        } catch {
            throw malformed("invalid UTF-8", bytes, at: range.lowerBound + error.byteOffsets.lowerBound)
        }
        buffer.reserveCapacity(buffer.count + plain.count)
        for index in plain.indices { buffer.append(plain[index]) }
    }

    /// Decodes the escape at `index`.
    ///
    /// - Returns: The index after it.
    private func escape(_ bytes: Span<UInt8>, at index: Int, to buffer: inout [UInt8]) throws(JSONError) -> Int {
        guard index + 1 < bytes.count else { throw malformed("the string has no end", bytes) }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""): buffer.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): buffer.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): buffer.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"): return try unicodeEscape(bytes, at: index, to: &buffer)
        default: throw malformed("unknown escape", bytes, at: index)
        }
        return index + 2
    }

    /// Decodes `\uXXXX`, or two of them that are a surrogate pair (RFC 8259 §7).
    private func unicodeEscape(
        _ bytes: Span<UInt8>, at index: Int, to buffer: inout [UInt8]
    ) throws(JSONError) -> Int {
        let first = try codeUnit(bytes, at: index)
        guard first & 0xF800 == 0xD800 else {
            append(UInt32(first), to: &buffer)
            return index + 6
        }
        guard first < 0xDC00, index + 7 < bytes.count, bytes[index + 6] == UInt8(ascii: "\\"),
            bytes[index + 7] == UInt8(ascii: "u")
        else {
            throw malformed("a lone surrogate is no character", bytes, at: index)
        }
        let second = try codeUnit(bytes, at: index + 6)
        guard (0xDC00...0xDFFF).contains(second) else {
            throw malformed("a lone surrogate is no character", bytes, at: index)
        }
        append(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00), to: &buffer)
        return index + 12
    }

    /// The four hexadecimal digits of the `\uXXXX` at `index`.
    private func codeUnit(_ bytes: Span<UInt8>, at index: Int) throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for digitIndex in (index + 2)..<(index + 6) {
            guard digitIndex < bytes.count else { throw malformed("the string has no end", bytes) }
            let digit: UInt8
            switch bytes[digitIndex] {
            case let byte where (0x30...0x39).contains(byte): digit = byte - 0x30
            case let byte where (0x41...0x46).contains(byte): digit = byte - 0x41 + 10
            case let byte where (0x61...0x66).contains(byte): digit = byte - 0x61 + 10
            default: throw malformed("expected four hexadecimal digits after \\u", bytes, at: digitIndex)
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    private func append(_ scalarValue: UInt32, to buffer: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(scalarValue) else { return }  // Callers exclude surrogates.
        buffer.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}
