import Timing

/// One line of a log.
public struct LogLine: Sendable, Hashable {
    /// When it was written, as Kubernetes says it (RFC 3339 with nanoseconds); empty when that is not known.
    public let time: String
    /// The line without its end.
    public let text: [UInt8]
    /// Whether the line was longer and its end is missing.
    public let isCut: Bool

    /// Makes a line.
    public init(time: String = "", text: [UInt8], isCut: Bool = false) {
        self.time = time
        self.text = text
        self.isCut = isCut
    }

    /// Reads a line that begins with its time and a space, as `timestamps=true` asks for; any other line has no time.
    public init(stamped bytes: some Collection<UInt8>, isCut: Bool = false) {
        let head = bytes.prefix(Self.timeBytesMaximum + 1)
        if let space = head.firstIndex(of: UInt8(ascii: " ")) {
            let time = String(decoding: bytes[..<space], as: UTF8.self)
            if Timestamp(rfc3339: time) != nil {
                self.init(time: time, text: Array(bytes[bytes.index(after: space)...]), isCut: isCut)
                return
            }
        }
        self.init(text: Array(bytes), isCut: isCut)
    }

    /// `2026-11-20T12:00:00.123456789+01:00`.
    private static let timeBytesMaximum = 35

    /// The line without what a masker hides.
    ///
    /// Where the line was cut, the end goes: it may be the begin of a secret.
    public func masked(by masker: LogMasker) -> LogLine {
        var masked = masker.masked(text)
        if isCut { masked.removeLast(min(masked.count, masker.longestBytes)) }
        return LogLine(time: time, text: masked, isCut: isCut)
    }
}

/// Cuts a log that arrives in any pieces into lines.
///
/// A pure value that holds one unfinished line at most; of a longer line the rest is passed over.
public struct LogLines: Sendable {
    /// The longest line, with its time.
    public let lineBytesMaximum: Int
    private var rest: [UInt8] = []
    private var isCut = false

    /// Longer lines are nothing a person reads.
    public static let lineBytesMaximumDefault = 64 << 10

    /// Makes a cutter.
    public init(lineBytesMaximum: Int = Self.lineBytesMaximumDefault) { self.lineBytesMaximum = lineBytesMaximum }

    /// Takes the next piece and returns the lines it finishes, empty ones included.
    public mutating func take(_ piece: [UInt8]) -> [LogLine] {
        var lines: [LogLine] = []
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: ASCII.newline) {
            append(piece[start..<end])
            lines.append(line())
            start = end + 1
        }
        append(piece[start...])
        return lines
    }

    /// The last line, when the log does not end with a line's end.
    public mutating func finish() -> LogLine? { rest.isEmpty ? nil : line() }

    private mutating func append(_ bytes: ArraySlice<UInt8>) {
        let room = lineBytesMaximum - rest.count
        rest.append(contentsOf: bytes.prefix(room))
        if bytes.count > room { isCut = true }
    }

    private mutating func line() -> LogLine {
        defer {
            rest = []
            isCut = false
        }
        let isReturn = !isCut && rest.last == 0x0D
        return LogLine(stamped: isReturn ? rest.dropLast() : rest[...], isCut: isCut)
    }
}

/// Keeps the end of a log that arrives in pieces.
public struct LogEnd: Sendable {
    /// How much is kept.
    public let bytesMaximum: Int
    private var bytes: [UInt8] = []
    private var dropped = 0

    /// Makes a keeper of ends.
    public init(bytesMaximum: Int) { self.bytesMaximum = bytesMaximum }

    /// Takes the next piece.
    public mutating func take(_ piece: [UInt8]) {
        bytes += piece
        // Twice the limit, so that each byte moves once on average.
        guard bytes.count >= bytesMaximum * 2 else { return }
        drop()
    }

    /// What is kept: whole lines, below one that says how much is missing.
    public mutating func finish() -> [UInt8] {
        if bytes.count > bytesMaximum { drop() }
        guard dropped > 0 else { return bytes }
        // A secret may have been cut in two: the rest of the first line goes.
        let start = bytes.firstIndex(of: ASCII.newline).map { $0 + 1 } ?? bytes.count
        let note = "[\(dropped + start) bytes before this are not kept]\n"
        return Array(note.utf8) + bytes[start...]
    }

    private mutating func drop() {
        let excess = bytes.count - bytesMaximum
        bytes.removeFirst(excess)
        dropped += excess
    }
}

extension LogLines {
    /// The last lines of a whole log.
    ///
    /// - Parameter count: How many; 0 leaves nothing.
    public static func tail(_ log: [UInt8], _ count: Int) -> ArraySlice<UInt8> {
        guard count > 0 else { return [] }
        var left = count
        var index = log.endIndex
        if log.last == ASCII.newline { index -= 1 }
        while let newline = log[..<index].lastIndex(of: ASCII.newline) {
            left -= 1
            if left == 0 { return log[(newline + 1)...] }
            index = newline
        }
        return log[...]
    }
}
