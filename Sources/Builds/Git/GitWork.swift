import CRDs
import Glibc

/// The steps of one checkout: each is one `git` command in one folder before one deadline.
struct GitWork: Sendable {
    let command: GitCommand
    let folder: String
    let deadline: ContinuousClock.Instant

    private var configuration: GitConfiguration { command.configuration }
    private var url: GitURL { command.url }
    private var masker: LogMasker {
        LogMasker(values: command.credentials?.secrets ?? [])
    }

    /// Makes a bare repository that holds the commit.
    func fetch(commit: String, branch: String) async throws {
        var format: [String] = []
        if commit.utf8.count == 64 { format = ["--object-format=sha256"] }
        try await local(["init", "--quiet", "--bare", "--template="] + format + ["."])
        let direct = try await talk(fetchArguments(depth: 1, what: commit))
        if direct.status != 0 {
            guard GitFailure.isMissingRevision(direct.errors) else { throw failure(direct.errors) }
            try await fetchFromBranch(branch, commit: commit)
        }
        guard try await has(commit) else { throw missing(commit, branch: branch) }
    }

    private func fetchFromBranch(_ branch: String, commit: String) async throws {
        for depth in [1, GitCheckout.fallbackDepth] {
            let result = try await talk(fetchArguments(depth: depth, what: "refs/heads/" + branch))
            if result.status != 0 {
                guard GitFailure.isMissingRevision(result.errors) else { throw failure(result.errors) }
                throw missing(commit, branch: branch)
            }
            if try await has(commit) { return }
        }
    }

    private func fetchArguments(depth: Int, what: String) -> [String] {
        [
            "fetch", "--quiet", "--depth=\(depth)", "--no-tags", "--no-recurse-submodules", "--no-auto-gc",
            "--no-write-fetch-head", "--no-show-forced-updates", "--", url.description, what,
        ]
    }

    private func has(_ commit: String) async throws -> Bool {
        let result = try await run(["rev-parse", "--quiet", "--verify", "--end-of-options", commit + "^{commit}"])
        return result.status == 0
            && String(decoding: result.output, as: UTF8.self).split(separator: "\n").first.map(String.init) == commit
    }

    /// The branch's commit on the server.
    func head(of branch: String) async throws -> String {
        let wanted = "refs/heads/" + branch
        let result = try await talk(["ls-remote", "--quiet", "--refs", "--", url.description, wanted])
        guard result.status == 0 else { throw failure(result.errors) }
        for line in String(decoding: result.output, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: "\t")
            if parts.count == 2, parts[1] == wanted, GitRevision.isCommit(String(parts[0])) { return String(parts[0]) }
        }
        throw BuildFailure(.gitBranchNotFound, "\(url) has no branch '\(branch)'")
    }

    /// Everything the commit holds, with sizes, before any content is unpacked.
    func listTree(of commit: String) async throws -> [SourceEntry] {
        let arguments = ["ls-tree", "-r", "-l", "-z", "--full-tree", commit]
        var child = command.child(arguments, in: folder, timeout: timeLeft)
        // A line is the path and about 60 bytes; usual paths are far shorter than the longest allowed.
        child.outputBytesMaximum = configuration.filesMaximum * 256 + configuration.pathBytesMaximum
        let result: ChildProcess.Result
        do {
            result = try await child.run()
        } catch ChildProcessError.tooMuchOutput {
            throw BuildFailure(.sourceTooLarge, "the commit holds more than \(configuration.filesMaximum) files")
        } catch {
            throw translated(error)
        }
        guard result.status == 0 else { throw failure(result.errors) }
        return try GitTreeListing.parse(result.output, configuration: configuration)
    }

    /// Writes the contents of objects one after the other to a file, as `git cat-file --batch` frames them.
    func writeContents(of objects: [String], to path: String, bytesMaximum: Int) async throws {
        let listPath = path + ".list"
        try ScratchFolder.write(Array((objects.joined(separator: "\n") + "\n").utf8), to: listPath)
        defer { unlink(listPath) }
        var child = command.child(["cat-file", "--batch", "--buffer"], in: folder, timeout: timeLeft)
        child.inputPath = listPath
        child.outputPath = path
        child.fileBytesMaximum = UInt64(bytesMaximum)
        let result = try await run(child)
        guard result.status == 0 else { throw failure(result.errors) }
    }

    /// The content of one object.
    func readObject(_ object: String, bytesMaximum: Int) async throws -> [UInt8] {
        var child = command.child(["cat-file", "blob", object], in: folder, timeout: timeLeft)
        child.outputBytesMaximum = bytesMaximum
        let result = try await run(child)
        guard result.status == 0 else { throw failure(result.errors) }
        return result.output
    }

    /// The message of a commit: what follows the first empty line of the object.
    func message(of commit: String, bytesMaximum: Int) async throws -> String {
        var child = command.child(["cat-file", "commit", commit], in: folder, timeout: timeLeft)
        child.outputBytesMaximum = bytesMaximum
        let result = try await run(child)
        guard result.status == 0 else { throw failure(result.errors) }
        let object = String(decoding: result.output, as: UTF8.self)
        return object.firstRange(of: "\n\n").map { String(object[$0.upperBound...]) } ?? ""
    }

    // MARK: - Running

    private var timeLeft: Duration { max(deadline - .now, .milliseconds(1)) }

    private func local(_ arguments: [String]) async throws {
        let result = try await run(arguments)
        guard result.status == 0 else { throw failure(result.errors) }
    }

    private func run(_ arguments: [String]) async throws -> ChildProcess.Result {
        try await run(command.child(arguments, in: folder, timeout: timeLeft))
    }

    /// A command that receives data: what it has put into the folder is watched.
    private func talk(_ arguments: [String]) async throws -> ChildProcess.Result {
        var child = command.child(arguments, in: folder, timeout: timeLeft)
        let maximum = configuration.receivedBytesMaximum
        let folder = folder
        if arguments.first == "fetch" {
            child.watch = {
                ScratchFolder.bytes(below: folder) > maximum
                    ? "the server sent more than \(maximum >> 20) MiB for this commit" : nil
            }
        }
        return try await run(child)
    }

    private func run(_ child: ChildProcess) async throws -> ChildProcess.Result {
        let result: ChildProcess.Result
        do {
            result = try await child.run()
        } catch {
            throw translated(error)
        }
        if result.status == 128 + SIGXFSZ || result.errors.contains("File size limit exceeded")
            || result.errors.contains("File too large")
        {
            throw BuildFailure(
                .sourceTooLarge, "the commit needs more than \(configuration.receivedBytesMaximum >> 20) MiB")
        }
        return result
    }

    private func translated(_ error: any Error) -> any Error {
        switch error {
        case ChildProcessError.timedOut:
            BuildFailure(.gitUnreachable, "\(url) did not answer in time; it is tried again")
        case ChildProcessError.stopped(let reason): BuildFailure(.sourceTooLarge, reason)
        case ChildProcessError.tooMuchOutput(let bytes):
            BuildFailure(.sourceTooLarge, "a file has more than \(bytes) bytes")
        case ChildProcessError.cannotStart(let program, let code):
            BuildFailure(.gitFailed, "cannot run \(program): error \(code)")
        default: error
        }
    }

    private func failure(_ errors: String) -> BuildFailure {
        GitFailure.from(errors: errors, url: url, hasCredentials: command.credentials != nil, masker: masker)
    }

    private func missing(_ commit: String, branch: String) -> BuildFailure {
        BuildFailure(
            .gitRevisionNotFound,
            "\(url) has no commit \(commit) to hand out, nor is it among the last \(GitCheckout.fallbackDepth) of "
                + "branch '\(branch)'; push it again")
    }
}
