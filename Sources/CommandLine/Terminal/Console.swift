import Commands
import Glibc
import Synchronization

/// Where a command speaks and what it knows of its surroundings: standard output for what was asked, standard error for
/// what is only said on the way.
///
/// A test makes its own and looks at what was written.
public final class Console: Sendable {
    /// The two streams.
    public enum Stream: Sendable {
        /// What was asked for, whole and nothing else, so that a program can read it.
        case output
        /// Progress, notes, failures.
        case errors
    }

    /// Whether standard output is a terminal.
    public let isTerminal: Bool
    /// Whether standard error is a terminal.
    public let showsProgress: Bool
    /// Columns of the terminal that standard output is; nil where it is none.
    public let width: Int?
    /// Columns of the terminal that standard error is; nil where it is none.
    public let errorsWidth: Int?
    /// Whether standard output may be coloured.
    public let hasColors: Bool
    /// How the program was called: `farebox`, or `kubectl farebox`.
    public let program: String
    private let sink: @Sendable (Stream, [UInt8]) -> Void
    private let variables: @Sendable (String) -> String?
    /// Whether the last progress line has to be wiped before anything else is written.
    private let hasLine = Mutex(false)

    /// Makes a console.
    ///
    /// - Parameters:
    ///   - isTerminal: Whether standard output is a terminal.
    ///   - showsProgress: Whether standard error is a terminal.
    ///   - columns: How wide the terminal is.
    ///   - program: How the program was called.
    ///   - variables: Reads a variable of the environment.
    ///   - sink: Takes what is written, whole pieces in order.
    public init(
        isTerminal: Bool = false, showsProgress: Bool = false, columns: Int = columnsDefault,
        program: String = "farebox",
        variables: @escaping @Sendable (String) -> String? = { _ in nil },
        sink: @escaping @Sendable (Stream, [UInt8]) -> Void
    ) {
        self.isTerminal = isTerminal
        width = isTerminal ? columns : nil
        errorsWidth = showsProgress ? columns : nil
        self.showsProgress = showsProgress && variables("TERM") != "dumb"
        // https://no-color.org: any value but the empty one.
        let refusesColors = !(variables("NO_COLOR") ?? "").isEmpty || variables("TERM") == "dumb"
        hasColors = isTerminal && !refusesColors
        self.program = program
        self.variables = variables
        self.sink = sink
    }

    /// The console of this process.
    ///
    /// - Parameter program: How it was called.
    public static func ofProcess(program: String = "farebox") -> Console {
        Console(
            isTerminal: isatty(1) == 1, showsProgress: isatty(2) == 1, columns: columns(), program: program,
            variables: { name in getenv(name).map { String(cString: $0) } },
            sink: { stream, bytes in write(bytes, to: stream == .output ? 1 : 2) })
    }

    /// How wide terminals are that do not say.
    public static let columnsDefault = 80

    /// How wide the terminal is, whichever stream it is.
    private static func columns() -> Int {
        for descriptor: Int32 in [1, 2] {
            var size = winsize()
            if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        }
        return columnsDefault
    }

    /// Reads a variable of the environment; nil where it is not set or empty.
    public func variable(_ name: String) -> String? {
        variables(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Writes a line to standard output.
    public func say(_ line: String) { emit(.output, Array((line + "\n").utf8)) }

    /// Writes bytes to standard output as they are.
    public func write(_ bytes: [UInt8]) { emit(.output, bytes) }

    /// Writes a line to standard error: something on the way that is not what was asked for.
    public func note(_ line: String) { emit(.errors, Array((line + "\n").utf8)) }

    /// Shows a line on the terminal that the next thing written wipes; an empty one wipes only.
    func show(progress line: String) {
        hasLine.withLock { hasLine in
            guard hasLine || !line.isEmpty else { return }
            sink(.errors, Array("\r\u{1B}[K\(line)".utf8))
            hasLine = !line.isEmpty
        }
    }

    private func emit(_ stream: Stream, _ bytes: [UInt8]) {
        hasLine.withLock { hasLine in
            if hasLine { sink(.errors, Array("\r\u{1B}[K".utf8)) }
            hasLine = false
            sink(stream, bytes)
        }
    }

    /// Writes everything, or ends the process quietly when nobody reads any more, as in `farebox list | head -n 1`.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN {
                    // A terminal that somebody set to non-blocking takes more when it is ready.
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&wait, 1, 1000)
                    continue
                }
                // Not `exit`: see the main function.
                _exit(errno == EPIPE ? 128 + SIGPIPE : ExitCode.failed.rawValue)
            }
            rest = rest.dropFirst(count)
        }
    }
}
