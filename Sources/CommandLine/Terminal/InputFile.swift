import Commands
import Glibc

/// Reads what a person names or pipes in, up to a limit.
enum InputFile {
    /// Whether standard input is a person at a keyboard.
    static var isTerminal: Bool { isatty(0) == 1 }

    /// Reads a file.
    ///
    /// - Throws: `CommandFailure` where it cannot be read or is larger.
    static func read(_ path: String, bytesMaximum: Int) throws(CommandFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw CommandFailure(
                errno == ENOENT ? .notFound : .failed, "\(TerminalText.line(path)) cannot be read: \(reason)")
        }
        defer { close(descriptor) }
        return try read(descriptor, TerminalText.line(path), bytesMaximum)
    }

    /// Reads standard input to its end.
    ///
    /// - Throws: `CommandFailure` where it cannot be read or is larger.
    static func standardInput(bytesMaximum: Int) throws(CommandFailure) -> [UInt8] {
        try read(0, "standard input", bytesMaximum)
    }

    private static func read(_ descriptor: Int32, _ name: String, _ maximum: Int) throws(CommandFailure) -> [UInt8] {
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return contents }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw CommandFailure("\(name) cannot be read: \(String(cString: strerror(errno)))")
            }
            guard contents.count + count <= maximum else {
                throw CommandFailure("\(name) has more than \(maximum) bytes, which is the most that is taken")
            }
            contents.append(contentsOf: buffer[..<count])
        }
    }
}
