/// Follows a chunked body (RFC 9112 §7.1) through whatever pieces it arrives in, and points at the content in them.
///
/// Strict: sizes are hexadecimal digits only, lines end with CR LF, extensions and trailers are bounded and dropped.
struct ChunkScanner {
    /// Bytes of all extensions between two chunks' contents; they mean nothing to anybody (CVE-2023-39326 abused them).
    static let lineBytesMaximum = 256
    /// Bytes of the trailer section.
    static let trailerBytesMaximum = 8 * 1024
    /// Hexadecimal digits of a size: 15 of them are an exabyte, and never overflow.
    static let sizeDigitsMaximum = 15

    /// What comes next in the bytes given.
    enum Step: Equatable {
        /// These bytes are content.
        case content(Range<Int>)
        /// Everything given was looked at; more must come.
        case needMore
        /// The body ended before this offset; what follows belongs to the next message.
        case end(Int)
    }

    private enum State {
        case size
        case extensions
        case sizeLineFeed
        case content
        case contentReturn
        case contentLineFeed
        case trailerStart
        case trailerLine
        case trailerLineFeed
        case lastLineFeed
        case done
    }

    private var state = State.size
    private var remaining: UInt64 = 0
    private var digits = 0
    private var lineBytes = 0
    private var trailerBytes = 0

    /// Looks at `bytes` from `start`; call again from the end of what was returned until it needs more or ends.
    ///
    /// - Throws: `badChunk` and `badTrailer`; the scanner is of no use afterwards.
    mutating func next(_ bytes: Span<UInt8>, from start: Int) throws(MessageError) -> Step {
        var position = start
        while position < bytes.count {
            if case .content = state {
                let count = Int(min(remaining, UInt64(bytes.count - position)))
                remaining -= UInt64(count)
                if remaining == 0 {
                    state = .contentReturn
                }
                return .content(position..<(position + count))
            }
            if case .done = state {
                break
            }
            try take(bytes[position])
            position += 1
        }
        if case .done = state {
            return .end(position)
        }
        return .needMore
    }

    /// Whether the body has ended.
    var isDone: Bool {
        if case .done = state {
            return true
        }
        return false
    }

    private mutating func take(_ byte: UInt8) throws(MessageError) {
        switch state {
        case .size, .extensions, .sizeLineFeed:
            try takeSizeLine(byte)
        case .contentReturn:
            guard byte == 0x0D else { throw .badChunk }
            state = .contentLineFeed
        case .contentLineFeed:
            guard byte == 0x0A else { throw .badChunk }
            state = .size
            digits = 0
            lineBytes = 0
        case .trailerStart, .trailerLine, .trailerLineFeed, .lastLineFeed:
            try takeTrailer(byte)
        case .content, .done:
            break
        }
    }

    private mutating func takeSizeLine(_ byte: UInt8) throws(MessageError) {
        lineBytes += 1
        guard lineBytes <= Self.lineBytesMaximum else { throw .badChunk }
        switch state {
        case .size:
            if let digit = HTTPCharacters.hexadecimal(byte) {
                digits += 1
                guard digits <= Self.sizeDigitsMaximum else { throw .badChunk }
                remaining = digits == 1 ? UInt64(digit) : remaining << 4 | UInt64(digit)
            } else if digits > 0, byte == 0x0D {
                state = .sizeLineFeed
            } else if digits > 0, byte == 0x3B {
                state = .extensions
            } else {
                throw .badChunk
            }
        case .extensions:
            if byte == 0x0D {
                state = .sizeLineFeed
            } else if !HTTPCharacters.isFieldContent(byte) {
                throw .badChunk
            }
        default:
            guard byte == 0x0A else { throw .badChunk }
            state = remaining > 0 ? .content : .trailerStart
        }
    }

    private mutating func takeTrailer(_ byte: UInt8) throws(MessageError) {
        trailerBytes += 1
        guard trailerBytes <= Self.trailerBytesMaximum else { throw .badTrailer }
        switch state {
        case .trailerStart:
            if byte == 0x0D {
                state = .lastLineFeed
            } else if HTTPCharacters.isToken(byte) {
                state = .trailerLine
            } else {
                throw .badTrailer
            }
        case .trailerLine:
            if byte == 0x0D {
                state = .trailerLineFeed
            } else if !HTTPCharacters.isFieldContent(byte) {
                throw .badTrailer
            }
        case .trailerLineFeed:
            guard byte == 0x0A else { throw .badTrailer }
            state = .trailerStart
        default:
            guard byte == 0x0A else { throw .badTrailer }
            state = .done
        }
    }
}
