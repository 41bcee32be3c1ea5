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

    /// Whether the kubelet wrote it into a log that was asked for with times: that there is no container any more.
    ///
    /// It answers 200 before it looks, so its trouble stands where a line would. What a container writes has a time.
    public var isOfKubelet: Bool {
        time.isEmpty && Self.kubeletWords.contains { text.starts(with: $0.utf8) }
    }

    /// Source: `pkg/kubelet/kuberuntime/logs/logs.go` and what the runtime's interface answers.
    private static let kubeletWords = [
        "rpc error: code = ", "unable to retrieve container logs for ", "failed to try resolving symlinks in path ",
    ]

    /// `2026-11-20T12:00:00.123456789+01:00`.
    private static let timeBytesMaximum = 35
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
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
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
