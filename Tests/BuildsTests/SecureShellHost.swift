import Glibc
import Testing

@testable import Builds

/// A real OpenSSH server on loopback that lets one key in and serves the repositories of a folder with real `git`.
struct SecureShellHost {
    static let program = "/usr/sbin/sshd"
    static var isInstalled: Bool { access(program, X_OK) == 0 && access("/usr/bin/ssh-keygen", X_OK) == 0 }

    let folder: TestFolder
    let port: UInt16
    /// The key that is let in, and one that is not.
    let privateKey: String
    let strangersKey: String
    /// The line of `known_hosts`, and one with another key.
    let knownHosts: String
    let wrongKnownHosts: String
    let user: String

    func url(_ path: String) -> String { "ssh://\(user)@127.0.0.1:\(port)\(folder.path)/\(path)" }

    /// Runs a server for as long as `body` takes.
    static func with<R: Sendable>(_ body: (SecureShellHost) async throws -> R) async throws -> R {
        let folder = try TestFolder()
        for name in ["host", "other", "client", "stranger"] {
            _ = try await run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", name], in: folder)
        }
        func read(_ name: String) throws -> String {
            String(decoding: try Vectors.read(folder.path + "/" + name), as: UTF8.self)
        }
        let port = try Loopback.freePort()
        func knownHost(_ name: String) throws -> String {
            let parts = try read(name + ".pub").split(separator: " ")
            return "[127.0.0.1]:\(port) \(parts[0]) \(parts[1])\n"
        }
        try folder.write(try read("client.pub"), to: "authorized_keys")
        try folder.write(configuration(folder, port), to: "sshd_config")
        mkdir("/run/sshd", 0o755)
        let host = SecureShellHost(
            folder: folder, port: port, privateKey: try read("client"), strangersKey: try read("stranger"),
            knownHosts: try knownHost("host"), wrongKnownHosts: try knownHost("other"),
            user: try await run("/usr/bin/id", ["-un"], in: folder).filter { !$0.isNewline })
        let server = ChildProcess(
            program: program, arguments: ["-D", "-e", "-f", folder.path + "/sshd_config"],
            environment: ["PATH": GitHost.path], workingDirectory: folder.path,
            outputPath: folder.path + "/sshd.out", timeout: .seconds(600))
        let running = Task { try await server.run() }
        let result: Result<R, any Error>
        do {
            try await Loopback.waitForListener(on: port)
            result = .success(try await body(host))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        return try result.get()
    }

    /// Makes a repository with one commit and returns that commit.
    func repository(_ path: String) async throws -> String {
        let git = GitHost(folder: folder, port: port)
        try await git.git(["init", "--quiet", "--bare", "--initial-branch=main", path])
        try await git.git(["-C", path, "config", "uploadpack.allowReachableSHA1InWant", "true"])
        try await git.git(["init", "--quiet", "--initial-branch=main", "work"])
        try folder.write("one", to: "work/answer")
        try await git.work(["add", "-A"])
        try await git.work(["commit", "--quiet", "-m", "first"])
        try await git.work(["push", "--quiet", folder.path + "/" + path, "HEAD:refs/heads/main"])
        return try await git.head()
    }

    private static func configuration(_ folder: TestFolder, _ port: UInt16) -> String {
        """
        Port \(port)
        ListenAddress 127.0.0.1
        HostKey \(folder.path)/host
        AuthorizedKeysFile \(folder.path)/authorized_keys
        PidFile none
        StrictModes no
        UsePAM no
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitRootLogin prohibit-password
        AcceptEnv GIT_PROTOCOL
        LogLevel VERBOSE

        """
    }

    private static func run(_ program: String, _ arguments: [String], in folder: TestFolder) async throws -> String {
        let child = ChildProcess(
            program: program, arguments: arguments, environment: ["PATH": GitHost.path, "HOME": folder.path],
            workingDirectory: folder.path, timeout: .seconds(120))
        let result = try await child.run()
        try #require(result.status == 0, "\(program): \(result.errors)")
        return String(decoding: result.output, as: UTF8.self)
    }
}
