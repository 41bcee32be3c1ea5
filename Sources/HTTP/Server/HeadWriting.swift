/// Putting heads together, byte by byte, into one reusable buffer.
extension [UInt8] {
    /// Appends ASCII text.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends bytes of a message.
    @inline(__always)
    mutating func append(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { append(contentsOf: $0) }
    }

    /// Appends `range` of a message.
    @inline(__always)
    mutating func append(_ range: ByteRange, of bytes: Span<UInt8>) {
        append(bytes.extracting(range.start..<range.end))
    }

    /// Appends a number in decimal digits.
    mutating func append(decimal number: UInt64) {
        if number >= 10 {
            append(decimal: number / 10)
        }
        append(0x30 + UInt8(truncatingIfNeeded: number % 10))
    }

    /// Appends a time in milliseconds with one decimal place.
    mutating func append(milliseconds nanoseconds: UInt64) {
        append(decimal: nanoseconds / 1_000_000)
        append(".")
        append(0x30 + UInt8(truncatingIfNeeded: nanoseconds / 100_000 % 10))
    }

    /// Appends a number in hexadecimal digits, without leading zeros.
    mutating func append(hexadecimal number: UInt64) {
        if number >= 16 {
            append(hexadecimal: number >> 4)
        }
        let digit = UInt8(truncatingIfNeeded: number & 0xF)
        append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }

    /// Appends one chunk of a chunked body (RFC 9112 §7.1).
    mutating func append(chunk bytes: Span<UInt8>) {
        append(hexadecimal: UInt64(bytes.count))
        append("\r\n")
        append(bytes)
        append("\r\n")
    }

    /// Appends a status line of ours.
    mutating func append(statusLine status: HTTPStatus) {
        append("HTTP/1.1 ")
        append(decimal: UInt64(clamping: status.code))
        append(" ")
        append(contentsOf: status.reason.utf8)
        append("\r\n")
    }
}
