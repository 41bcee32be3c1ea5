/// Finds the content of one message in the bytes of its connection, whatever its framing.
struct BodyDecoder {
    /// What comes next in the bytes given.
    enum Step: Equatable {
        /// These bytes are content.
        case content(Range<Int>)
        /// Everything given was looked at; more must come.
        case needMore
        /// The message ended before this offset.
        case end(Int)
    }

    private var framing: BodyFraming
    private var scanner = ChunkScanner()
    private var remaining: UInt64 = 0
    /// Whether the content is complete.
    ///
    /// Content that ends with its connection completes by `end()`.
    private(set) var isDone: Bool

    /// Starts at the first byte after the head.
    init(_ framing: BodyFraming) {
        self.framing = framing
        isDone = framing == .none
        if case .length(let length) = framing {
            remaining = length
            isDone = length == 0
        }
    }

    /// Bytes of content still to come, `nil` when the framing does not tell.
    var remainingLength: UInt64? {
        if isDone {
            return 0
        }
        if case .length = framing {
            return remaining
        }
        return nil
    }

    /// Looks at `bytes` from `start`; call again from the end of what was returned until it needs more or ends.
    mutating func next(_ bytes: Span<UInt8>, from start: Int) throws(MessageError) -> Step {
        if isDone {
            return .end(start)
        }
        guard start < bytes.count else { return .needMore }
        switch framing {
        case .none:
            return .end(start)
        case .length:
            let count = Int(min(remaining, UInt64(bytes.count - start)))
            remaining -= UInt64(count)
            isDone = remaining == 0
            return .content(start..<(start + count))
        case .chunked:
            switch try scanner.next(bytes, from: start) {
            case .content(let range): return .content(range)
            case .needMore: return .needMore
            case .end(let offset):
                isDone = true
                return .end(offset)
            }
        case .untilClose:
            return .content(start..<bytes.count)
        }
    }

    /// Takes the end of the connection.
    ///
    /// - Returns: Whether the message is complete; a cut one is not.
    mutating func end() -> Bool {
        if framing == .untilClose {
            isDone = true
        }
        return isDone
    }
}
