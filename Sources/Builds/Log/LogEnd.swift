public import KubernetesTypes

extension LogLine {
    /// The line without what a masker hides.
    ///
    /// Where the line was cut, the end goes: it may be the begin of a secret.
    public func masked(by masker: LogMasker) -> LogLine {
        var masked = masker.masked(text)
        if isCut { masked.removeLast(min(masked.count, masker.longestBytes)) }
        return LogLine(time: time, text: masked, isCut: isCut)
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
