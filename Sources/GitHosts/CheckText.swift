/// A build's log as the text of a check run.
///
/// GitHub takes 65,535 characters. What is longer loses its beginning, since a log says at its end what went wrong, and
/// says so first. Bytes are counted, which is the stricter reading of "characters".
enum CheckText {
    /// The longest text that GitHub takes.
    static let bytesMaximum = 65_535
    /// A run of backticks this long in a log is rewritten, so that the frame around the log stays short.
    private static let backticksMaximum = 32

    /// Returns the log in a frame that nothing in it can close.
    static func framed(_ log: String) -> String {
        var log = log
        var run = longestRun(of: UInt8(ascii: "`"), in: log)
        if run >= backticksMaximum {
            log = String(decoding: log.utf8.map { $0 == UInt8(ascii: "`") ? UInt8(ascii: "'") : $0 }, as: UTF8.self)
            run = 0
        }
        let fence = String(repeating: "`", count: max(3, run + 1))
        let head = fence + "shell\n"
        let foot = "\n" + fence
        let whole = head + log + foot
        let size = log.utf8.count
        guard whole.utf8.count > bytesMaximum else { return whole }
        // The tail's size has at most as many digits as the log's.
        func warning(_ kept: Int) -> String {
            "Warning: the log has \(size) bytes and GitHub takes \(bytesMaximum); these are its last \(kept). "
                + "The whole log is behind the link above.\n\n"
        }
        let room = bytesMaximum - warning(size).utf8.count - head.utf8.count - foot.utf8.count
        let tail = tail(of: log, bytesMaximum: room)
        return warning(tail.utf8.count) + head + tail + foot
    }

    /// The end of a text, from the beginning of a line where one is near.
    private static func tail(of text: String, bytesMaximum: Int) -> String {
        var rest = Array(text.utf8.suffix(bytesMaximum))[...]
        // Not in the midst of a character: continuation bytes are 10xxxxxx.
        while let first = rest.first, first & 0xC0 == 0x80 { rest = rest.dropFirst() }
        if let end = rest.prefix(1000).firstIndex(of: UInt8(ascii: "\n")) { rest = rest[(end + 1)...] }
        return String(decoding: rest, as: UTF8.self)
    }

    private static func longestRun(of byte: UInt8, in text: String) -> Int {
        var longest = 0
        var current = 0
        for other in text.utf8 {
            current = other == byte ? current + 1 : 0
            longest = max(longest, current)
        }
        return longest
    }
}
