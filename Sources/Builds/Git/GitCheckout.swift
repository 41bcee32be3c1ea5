import CRDs

/// Brings one exact commit of a repository to this machine, within limits.
///
/// Only that commit is fetched (depth 1). A server that hands out no commit by name is asked for the branch instead, and
/// the commit must be among its latest ones; it is never replaced by another. The result is a tree to read, not a
/// folder of files: see ``SourceTree``.
public struct GitCheckout: Sendable {
    private let configuration: GitConfiguration
    private let resolver: any HostResolver

    /// How far back a branch is searched on servers that refuse to hand out commits by name.
    static let fallbackDepth = 50

    /// - Parameters:
    ///   - configuration: Limits and rules.
    ///   - resolver: Turns a host into addresses; the system's by default.
    public init(configuration: GitConfiguration, resolver: any HostResolver = SystemHostResolver()) {
        self.configuration = configuration
        self.resolver = resolver
    }

    /// Fetches a commit and hands its tree to `body`; what was fetched is removed afterwards.
    ///
    /// - Parameters:
    ///   - commit: The full name of the commit, in lower case.
    ///   - branch: Where to look for it when the server hands out no commits by name.
    ///   - url: The repository.
    ///   - credentials: For private repositories.
    ///   - body: Uses the tree; it must not keep it.
    /// - Throws: ``BuildFailure``; `CancellationError`; what `body` throws.
    public func withTree<R: Sendable>(
        commit: String, branch: String, url: GitURL, credentials: GitCredentials?,
        _ body: (GitTree) async throws -> R
    ) async throws -> R {
        guard GitRevision.isCommit(commit) else {
            throw BuildFailure(.gitRevisionNotFound, "'\(commit.prefix(64))' is not a commit")
        }
        guard GitRevision.isBranch(branch) else {
            throw BuildFailure(.gitBranchNotFound, "'\(branch.prefix(64))' is not a branch name")
        }
        let deadline = ContinuousClock.now + configuration.checkoutTimeout
        let addresses = try await resolver.addresses(for: url, configuration: configuration)
        let command = GitCommand(
            configuration: configuration, url: url, credentials: credentials, addresses: addresses)
        let folder = try ScratchFolder(in: configuration.scratchFolder, prefix: "checkout-")
        defer { folder.remove() }
        try command.prepare(in: folder.path)
        let work = GitWork(command: command, folder: folder.path, deadline: deadline)
        try await work.fetch(commit: commit, branch: branch)
        SecureShell.removeKey(in: folder.path)
        let entries = try await work.listTree(of: commit)
        return try await body(GitTree(commit: commit, entries: entries, work: work))
    }

    /// Asks the server which commit a branch points at.
    ///
    /// - Returns: The full name of the commit.
    /// - Throws: ``BuildFailure``, with ``CRDs/RepositoryReason/gitBranchNotFound`` when the branch does not exist.
    public func head(of branch: String, url: GitURL, credentials: GitCredentials?) async throws -> String {
        guard GitRevision.isBranch(branch) else {
            throw BuildFailure(.gitBranchNotFound, "'\(branch.prefix(64))' is not a branch name")
        }
        let addresses = try await resolver.addresses(for: url, configuration: configuration)
        let command = GitCommand(
            configuration: configuration, url: url, credentials: credentials, addresses: addresses)
        // An empty folder of its own: Git would take the configuration of a repository it finds where it runs.
        let folder = try ScratchFolder(in: configuration.scratchFolder, prefix: "head-")
        defer { folder.remove() }
        try command.prepare(in: folder.path)
        let work = GitWork(
            command: command, folder: folder.path, deadline: ContinuousClock.now + configuration.headTimeout)
        return try await work.head(of: branch)
    }
}
