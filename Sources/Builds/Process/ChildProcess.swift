import CProcess
import Glibc
import Synchronization

/// A program of the machine, run as a child that cannot outlive, outgrow or surprise us.
///
/// The child gets an environment that holds only what is listed here, no inherited descriptor but its three streams, its
/// own process group (so that its children die with it), a time limit, a limit on the size of each file it writes, and
/// a limit on what it may say. Standard input is empty, or a file.
struct ChildProcess: Sendable {
    /// Absolute path of the program.
    var program: String
    /// Arguments, without the program's own name.
    ///
    /// Visible to every process of the machine: no secrets.
    var arguments: [String]
    /// The whole environment.
    ///
    /// Readable only by the same user: secrets go here.
    var environment: [String: String]
    /// Where it runs.
    var workingDirectory: String
    /// A file that becomes standard input; nothing when nil.
    var inputPath: String?
    /// What is read from standard input in the place of a file: at most ``inputBytesMaximum``.
    var input: [UInt8] = []
    /// A file that standard output goes to, made or emptied first; kept in memory when nil.
    var outputPath: String?
    /// It is killed when it runs longer.
    var timeout: Duration
    /// It is killed when it writes more to a kept stream; of standard error only the end is kept.
    var outputBytesMaximum: Int = 1 << 20
    /// No file it writes may grow larger.
    var fileBytesMaximum: UInt64 = 1 << 30
    /// Asked some times a second while it runs, and once at its end: a reason to stop it, or nil.
    var watch: @Sendable () -> String? = { nil }

    /// How it ended.
    struct Result: Sendable {
        /// The exit code, or 128 + the signal that killed it.
        let status: Int32
        /// Standard output, when it was kept in memory.
        let output: [UInt8]
        /// The end of standard error.
        let errors: String
    }

    /// So much goes into a pipe before anybody reads (PIPE_BUF of Linux).
    static let inputBytesMaximum = 4096

    /// How often limits and cancellation are looked at.
    private static let tick: Duration = .milliseconds(50)
    /// The same once the child has closed its streams: it is about to end.
    private static let lastTick: Duration = .milliseconds(2)

    /// Runs the child to its end, on a thread of its own.
    ///
    /// - Returns: How it ended, also when it failed.
    /// - Throws: ``ChildProcessError`` when it could not start or was stopped; `CancellationError` when the task was.
    func run() async throws -> Result {
        let isCancelled = Flag()
        let result = try await withTaskCancellationHandler {
            try await BlockingThread.run { Swift.Result { try runBlocking(isCancelled: isCancelled) } }
        } onCancel: {
            isCancelled.raise()
        }
        return try result.get()
    }

    /// Set once, from any thread.
    final class Flag: Sendable {
        private let value = Atomic(false)

        func raise() { value.store(true, ordering: .releasing) }

        var isRaised: Bool { value.load(ordering: .acquiring) }
    }

    // MARK: - On the thread

    private func runBlocking(isCancelled: Flag) throws -> Result {
        var streams = try Streams(inputPath: inputPath, input: input, outputPath: outputPath)
        defer { streams.close() }
        let process = try spawn(streams)
        streams.closeChildSide()
        limitFiles(of: process)
        let deadline = ContinuousClock.now + timeout
        var output: [UInt8] = []
        var errors: [UInt8] = []
        var status: Int32?
        var stop: (any Error)?
        while status == nil || streams.isOpen {
            let drained = streams.read(
                output: &output, errors: &errors, errorsMaximum: outputBytesMaximum,
                wait: streams.isOpen ? Self.tick : Self.lastTick)
            if status == nil, let ended = Self.reap(process) {
                status = ended
                // What is left of the group when its leader is gone has no business: it only holds our pipes.
                kill(-process, SIGKILL)
            }
            if status != nil, drained { break }
            guard stop == nil else { continue }
            stop = reasonToStop(deadline: deadline, outputCount: output.count, isCancelled: isCancelled)
            if stop != nil { kill(-process, SIGKILL) }
        }
        if let stop { throw stop }
        // It may have gone too far after the last look, and ended.
        if let reason = watch() { throw ChildProcessError.stopped(reason) }
        return Result(status: status ?? -1, output: output, errors: String(decoding: errors, as: UTF8.self))
    }

    private func reasonToStop(
        deadline: ContinuousClock.Instant, outputCount: Int, isCancelled: Flag
    ) -> (any Error)? {
        if isCancelled.isRaised { return CancellationError() }
        if ContinuousClock.now >= deadline { return ChildProcessError.timedOut(timeout) }
        if outputCount > outputBytesMaximum { return ChildProcessError.tooMuchOutput(outputBytesMaximum) }
        if let reason = watch() { return ChildProcessError.stopped(reason) }
        return nil
    }

    private func spawn(_ streams: Streams) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, streams.childInput, 0)
        posix_spawn_file_actions_adddup2(&actions, streams.childOutput, 1)
        posix_spawn_file_actions_adddup2(&actions, streams.childErrors, 2)
        // glibc 2.34 and later: whatever was opened without close-on-exec elsewhere in the process stays here.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        posix_spawn_file_actions_addchdir_np(&actions, workingDirectory)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigfillset(&defaults)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var process = pid_t()
        let variables = environment.map { $0.key + "=" + $0.value }.sorted()
        let code = Self.withCStrings([program] + arguments) { argv in
            Self.withCStrings(variables) { envp in
                posix_spawn(&process, program, &actions, &attributes, argv, envp)
            }
        }
        guard code == 0 else { throw ChildProcessError.cannotStart(program, code: code) }
        return process
    }

    private func limitFiles(of process: pid_t) {
        _ = farebox_limit_file_size(process, rlim_t(fileBytesMaximum))
        _ = farebox_limit_core_size(process, 0)
    }

    private static func reap(_ process: pid_t) -> Int32? {
        var status: Int32 = 0
        guard waitpid(process, &status, WNOHANG) == process else { return nil }
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }

    static func withCStrings<R>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the list always ends in nil") }
            return body(base)
        }
    }
}

/// Why a child process gave no result.
enum ChildProcessError: Error, Equatable {
    case cannotStart(String, code: Int32)
    case timedOut(Duration)
    case tooMuchOutput(Int)
    /// The watch asked for it; its reason is carried along.
    case stopped(String)
}
