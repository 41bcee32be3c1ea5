import Glibc
import Testing

@testable import Builds

/// A real Git host on loopback (`hack/lib/git_server.py`) with one repository, `/alice/shop.git`.
struct GitHost {
    let folder: TestFolder
    let port: UInt16

    var url: String { "http://127.0.0.1:\(port)/alice/shop.git" }

    /// Runs a host for as long as `body` takes.
    static func with<R: Sendable>(_ options: [String] = [], _ body: (GitHost) async throws -> R) async throws -> R {
        let folder = try TestFolder()
        let host = GitHost(folder: folder, port: try Loopback.freePort())
        try await host.git(["init", "--quiet", "--bare", "--initial-branch=main", "srv/alice/shop.git"])
        try await host.git(["init", "--quiet", "--initial-branch=main", "work"])
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let server = ChildProcess(
            program: "/usr/bin/env",
            arguments: [
                "python3", "/\(root)/hack/lib/git_server.py", "--root", folder.path + "/srv",
                "--listen", "127.0.0.1:\(host.port)",
            ] + options,
            environment: ["PATH": path], workingDirectory: folder.path, outputPath: folder.path + "/server.out",
            timeout: .seconds(600))
        let running = Task { try await server.run() }
        let result: Result<R, any Error>
        do {
            try await Loopback.waitForListener(on: host.port)
            result = .success(try await body(host))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        return try result.get()
    }

    /// Commits what `change` does to the work tree and pushes it.
    ///
    /// - Returns: The commit.
    @discardableResult
    func commit(branch: String = "main", _ change: (TestFolder) async throws -> Void) async throws -> String {
        try await change(folder)
        try await work(["add", "-A"])
        try await work(["commit", "--quiet", "--allow-empty", "-m", "change"])
        try await push(branch)
        return try await head()
    }

    func push(_ branch: String = "main") async throws {
        try await work(["push", "--quiet", "--force", folder.path + "/srv/alice/shop.git", "HEAD:refs/heads/" + branch])
    }

    func head() async throws -> String {
        String(try await work(["rev-parse", "HEAD"]).split(separator: "\n").first ?? "")
    }

    /// Runs `git` in the work tree, as its author.
    @discardableResult
    func work(_ arguments: [String]) async throws -> String { try await git(["-C", "work"] + arguments) }

    @discardableResult
    func git(_ arguments: [String]) async throws -> String {
        let child = ChildProcess(
            program: "/usr/bin/env", arguments: ["git"] + arguments,
            environment: [
                "PATH": Self.path, "HOME": folder.path, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a",
                "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a",
                "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always",
            ],
            workingDirectory: folder.path, timeout: .seconds(120))
        let result = try await child.run()
        try #require(result.status == 0, "git \(arguments): \(result.errors)")
        return String(decoding: result.output, as: UTF8.self)
    }

    static var path: String { getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin" }
}
