import Glibc
import Threads

/// Runs a credential plugin.
struct ExecProcess: Sendable {
    /// Longer outputs are refused: a token or a certificate chain has a few kilobytes.
    static let outputBytesMaximum = 1 << 20
    /// How long a plugin that cannot ask anybody may take.
    static let timeLimit = Duration.seconds(60)

    let plugin: ExecPlugin
    /// Whether standard input is ours; else it is empty.
    let isInteractive: Bool
    /// The value of `KUBERNETES_EXEC_INFO`.
    let info: String

    /// Runs the plugin to its end and returns what it printed; its standard error goes to ours.
    ///
    /// - Throws: ``KubernetesError/configuration(_:)``.
    func run() async throws -> [UInt8] {
        // Waiting for a child blocks, so it happens on a thread of its own.
        let result = await withCheckedContinuation { continuation in
            Self.onThread { continuation.resume(returning: Result { try runBlocking() }) }
        }
        return try result.get()
    }

    private func runBlocking() throws -> [UInt8] {
        // A pair of sockets stands for a pipe: it can be closed on exec from the beginning without a GNU extension, so
        // that no other child, started just now, keeps an end of it open.
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw failure("cannot be listened to", errno) }
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        let child: pid_t
        do {
            defer { close(writing) }
            child = try spawn(output: writing)
        }
        let output = readAll(reading)
        if output == nil { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard let output else {
            throw KubernetesError.configuration(
                "the credential plugin \(plugin.command) took too long or printed too much, and was ended")
        }
        guard status == 0 else {
            // The low byte is the signal, the next one the exit code (sys/wait.h).
            let how = status & 0x7F == 0 ? "exit code \((status >> 8) & 0xFF)" : "signal \(status & 0x7F)"
            throw KubernetesError.configuration("the credential plugin \(plugin.command) failed with \(how)")
        }
        return output
    }

    private func spawn(output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if !isInteractive { posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) }
        posix_spawn_file_actions_adddup2(&actions, output, 1)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The child gets the usual signal handling, whatever this thread blocks.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var usual = sigset_t()
        sigemptyset(&usual)
        sigaddset(&usual, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var child: pid_t = 0
        let code = CStrings.with([plugin.command] + plugin.arguments) { arguments in
            CStrings.with(environment()) { environment in
                posix_spawnp(&child, plugin.command, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw failure("cannot be run", code) }
        return child
    }

    /// Our variables, then the configured ones, then the protocol's; of equal names the last one counts.
    private func environment() -> [String] {
        var variables: [String: String] = [:]
        for entry in ProcessEnvironment.entries() {
            guard let equals = entry.firstIndex(of: "=") else { continue }
            variables[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
        }
        for variable in plugin.environment { variables[variable.name] = variable.value }
        variables["KUBERNETES_EXEC_INFO"] = info
        return variables.map { "\($0.key)=\($0.value)" }
    }

    /// Reads to the end; `nil` when that takes too long or is too much.
    private func readAll(_ descriptor: Int32) -> [UInt8]? {
        let deadline = ContinuousClock.now + Self.timeLimit
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            if !isInteractive {
                let left = ContinuousClock.now.duration(to: deadline)
                guard left > .zero else { return nil }
                var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&watched, 1, Int32(clamping: left.components.seconds * 1000 + 1000)) > 0 else {
                    if errno == EINTR { continue }
                    return nil
                }
            }
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { return output }
            guard count > 0 else {
                if errno == EINTR { continue }
                return nil
            }
            output.append(contentsOf: buffer[..<count])
            guard output.count <= Self.outputBytesMaximum else { return nil }
        }
    }

    private func failure(_ what: String, _ code: Int32) -> KubernetesError {
        var message = "the credential plugin \(plugin.command) \(what): \(String(cString: strerror(code)))"
        if code == ENOENT, !plugin.installHint.isEmpty {
            // The hint is somebody else's text: it must not steer the terminal.
            let isPlain = { (scalar: Unicode.Scalar) in scalar == "\n" || !scalar.properties.isControl }
            message += "\n" + String(String.UnicodeScalarView(plugin.installHint.unicodeScalars.filter(isPlain)))
        }
        return .configuration(message)
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        guard DetachedThread.start(body) != 0 else { return }
        body()  // No thread to be had: better late here than never.
    }
}

extension Unicode.Scalar.Properties {
    /// Whether the character controls a device instead of being shown.
    fileprivate var isControl: Bool { generalCategory == .control || generalCategory == .format }
}

/// Lists of texts as C has them.
private enum CStrings {
    static func with<Answer>(
        _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Answer
    ) -> Answer {
        var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return body(&pointers)
    }
}

/// The variables of this process.
private enum ProcessEnvironment {
    /// Returns `name=value` for each.
    ///
    /// `environ` is a mutable global that Swift 6 does not let us touch, so the kernel's copy is read. It does not show
    /// what `setenv` changed later, which we never do.
    static func entries() -> [String] {
        let bytes = (try? SmallFile.read("/proc/self/environ")) ?? []
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
