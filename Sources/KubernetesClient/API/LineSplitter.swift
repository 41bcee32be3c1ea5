/// Cuts bytes that arrive in any pieces into lines.
///
/// A pure value: it holds at most one unfinished line, whose length is limited.
public struct LineSplitter: Sendable {
    /// The longest line, without its line feed.
    public let lineBytesMaximum: Int
    private var rest: [UInt8] = []

    /// Makes a splitter that has seen nothing.
    public init(lineBytesMaximum: Int) {
        self.lineBytesMaximum = lineBytesMaximum
    }

    /// How many bytes of an unfinished line wait for their line feed.
    var pendingBytes: Int { rest.count }

    /// Takes the next piece and returns the lines it finishes, without line feeds; empty lines are left out.
    ///
    /// - Throws: ``LineTooLong``; the splitter must not be used after that.
    public mutating func take(_ piece: [UInt8]) throws(LineTooLong) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            rest.append(contentsOf: piece[start..<end])
            guard rest.count <= lineBytesMaximum else { throw LineTooLong(bytesMaximum: lineBytesMaximum) }
            if !rest.isEmpty { lines.append(rest) }
            rest = []
            start = end + 1
        }
        rest.append(contentsOf: piece[start...])
        guard rest.count <= lineBytesMaximum else { throw LineTooLong(bytesMaximum: lineBytesMaximum) }
        return lines
    }
}

/// A line was longer than the limit.
public struct LineTooLong: Error, Hashable {
    /// The limit.
    public let bytesMaximum: Int
}
