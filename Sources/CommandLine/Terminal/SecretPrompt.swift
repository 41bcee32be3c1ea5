import Builds
import Commands
import Glibc

/// Asks a person for something that nobody is to see.
enum SecretPrompt {
    /// What a terminal takes in one line.
    private static let bytesMaximum = 4096

    /// Shows a word and reads a line that is not shown.
    ///
    /// The terminal is as before when this returns; a signal that ends the process meanwhile cannot come from the keyboard,
    /// since the keys for it are not heard either.
    ///
    /// - Returns: The line without its end; empty where nothing was typed.
    /// - Throws: `CommandFailure` where there is no terminal, or the line was left by Ctrl-C.
    static func read(_ word: String) async throws -> [UInt8] {
        try await BlockingThread.run { () -> Result<[UInt8], CommandFailure> in
            var former = termios()
            guard tcgetattr(0, &former) == 0 else { return .failure(CommandFailure("there is no terminal to ask at")) }
            var silent = former
            silent.c_lflag &= ~tcflag_t(ECHO | ISIG)
            guard tcsetattr(0, TCSAFLUSH, &silent) == 0 else {
                return .failure(CommandFailure("the terminal cannot be told to show nothing"))
            }
            defer {
                _ = tcsetattr(0, TCSAFLUSH, &former)
                say("\n")
            }
            say(word)
            var line = [UInt8](repeating: 0, count: bytesMaximum)
            var count = Glibc.read(0, &line, line.count)
            while count < 0, errno == EINTR { count = Glibc.read(0, &line, line.count) }
            let typed = line.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }
            // Ctrl-C is a character here.
            guard !typed.contains(0x03) else { return .failure(CommandFailure("given up")) }
            return .success(Array(typed))
        }.get()
    }

    private static func say(_ text: String) {
        let bytes = Array(text.utf8)
        // A terminal that does not take it has nobody before it.
        _ = Glibc.write(2, bytes, bytes.count)
    }
}
