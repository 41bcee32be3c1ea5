import Commands
import Synchronization
import Timing

/// The log of one build, shown as it comes, or kept until it is known whether somebody wants it.
final class BuildTalk: Sendable {
    private let console: Console
    private let prefix: String
    private let isQuiet: Bool
    private let kept = Mutex<[String]>([])

    /// Of a log that nobody saw so much is shown when the build fails.
    private static let keptMaximum = 200

    /// Makes the talk of a build.
    ///
    /// - Parameters:
    ///   - function: Stands before each line, unless it is the only one.
    ///   - isQuiet: Whether to keep the lines.
    ///   - isOne: Whether nothing else is built.
    init(_ console: Console, function: String, isQuiet: Bool, isOne: Bool) {
        self.console = console
        self.isQuiet = isQuiet
        prefix = isOne ? "" : function + " | "
    }

    /// Takes a line.
    func take(_ line: String) {
        let line = prefix + TerminalText.line(Self.lastWriting(of: String(Self.words(of: line))))
        guard isQuiet else { return console.note(line) }
        kept.withLock { kept in
            if kept.count == Self.keptMaximum { kept.removeFirst() }
            kept.append(line)
        }
    }

    /// What a terminal would be left with of a line that was written over and over, as apt does to count: the last writing.
    static func lastWriting(of line: String) -> String {
        let writings = line.utf8.split(separator: UInt8(ascii: "\r"))
        guard writings.count > 1, let last = writings.last else { return line }
        return String(last) ?? line
    }

    /// A line without what the Function Builder API puts before it, `v: <time> `: somebody who looks on has a clock.
    static func words(of line: String) -> Substring {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, ["v:", "s:", "l:"].contains(parts[0]), Timestamp(rfc3339: String(parts[1])) != nil
        else { return line[...] }
        return parts[2]
    }

    /// Shows what was kept.
    func showKept() {
        let lines = kept.withLock { kept in
            defer { kept = [] }
            return kept
        }
        lines.forEach { console.note($0) }
    }
}
