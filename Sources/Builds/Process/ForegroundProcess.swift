import CProcess
import Glibc

/// A program that speaks to whoever sits at the terminal: it has our environment and our process group, so that a signal from
/// the terminal reaches it as it reaches us.
///
/// Its standard output goes to our standard error: ours is for results.
public struct ForegroundProcess: Sendable, Hashable {
    /// The program's path.
    public var program: String
    /// Its arguments, without its own name.
    public var arguments: [String]

    /// Describes a program that is to run.
    public init(program: String, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }

    /// Runs it to its end, on a thread of its own.
    ///
    /// - Returns: Its exit code, or 128 and the signal that ended it.
    /// - Throws: ``ForegroundProcessError`` when it cannot be started.
    public func run() async throws -> Int32 {
        try await BlockingThread.run { Result { () throws(ForegroundProcessError) in try runBlocking() } }.get()
    }

    private func runBlocking() throws(ForegroundProcessError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, 2, 1)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var process = pid_t()
        let code = ChildProcess.withCStrings([program] + arguments) { argv in
            posix_spawn(&process, program, &actions, nil, argv, environ)
        }
        guard code == 0 else { throw ForegroundProcessError(program: program, code: code) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw ForegroundProcessError(program: program, code: errno) }
        }
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }
}

/// A program that could not be started.
public struct ForegroundProcessError: Error, Hashable, CustomStringConvertible {
    /// Its path.
    public let program: String
    /// `errno`.
    public let code: Int32

    /// One line for a person.
    public var description: String { "\(program) cannot be started: \(String(cString: strerror(code)))" }
}
