import Commands
import Synchronization

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
        let line = prefix + TerminalText.line(line)
        guard isQuiet else { return console.note(line) }
        kept.withLock { kept in
            if kept.count == Self.keptMaximum { kept.removeFirst() }
            kept.append(line)
        }
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
