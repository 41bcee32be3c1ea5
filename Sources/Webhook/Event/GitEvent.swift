import Timing

/// What a Git host tells, whichever host it is: the one form in which events are acted on.
enum GitEvent: Equatable, Sendable {
    /// The host tries whether anybody listens.
    case ping
    /// A branch or tag moved.
    case push(Push)
    /// These repositories may be built from now on.
    case added([RemoteRepository])
    /// These repositories may not be built any more, for this reason; they may still exist.
    case removed([RemoteRepository], why: String)
    /// An installation is gone, and with it all its repositories; the list may be incomplete.
    case uninstalled(installation: Int64, [RemoteRepository])
    /// An installation is held for a while; the list may be empty.
    case suspended(installation: Int64, [RemoteRepository])
    /// It is held no longer.
    case resumed(installation: Int64, [RemoteRepository])
    /// A repository has another name or owner; `from` is its address before.
    case moved(RemoteRepository, from: RepositoryAddress)
    /// A repository has another default branch.
    case branchChanged(RemoteRepository)
    /// Something about a repository changed, perhaps whether it is to be built: its host must be asked.
    case changed(RemoteRepository)
    /// Nothing that concerns functions, for this reason.
    case other(String)
}

/// A push: which repository, which branch, which commit.
struct Push: Equatable, Sendable {
    /// What became of the branch.
    enum Change: Equatable, Sendable {
        /// The branch now ends at this commit: 40 or 64 lower-case hexadecimal digits.
        case commit(String)
        /// The branch is gone.
        case deletion
    }

    let repository: RemoteRepository
    /// The full name of what was pushed to: `refs/heads/main`, `refs/tags/v1`.
    let reference: String
    /// Where the branch ended before; nil where the host does not tell or there was none.
    var before: String?
    let change: Change
    /// The message of the newest commit.
    var message: String?
    /// Who pushed, as the host names them.
    var pusher: String?
    /// When it was pushed by the host's clock; nil where the host does not tell.
    var pushedAt: Timestamp?

    /// The branch without `refs/heads/`; nil where it is no branch.
    var branch: String? {
        let prefix = "refs/heads/"
        guard reference.hasPrefix(prefix), reference.count > prefix.count else { return nil }
        return String(reference.dropFirst(prefix.count))
    }
}
