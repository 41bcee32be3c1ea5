/// A push as every Git host's event is understood: which repository, which branch, which commit.
struct PushEvent: Equatable, Sendable {
    /// What became of the branch.
    enum Change: Equatable, Sendable {
        /// The branch now ends at this commit: 40 or 64 lower-case hexadecimal digits.
        case commit(String)
        /// The branch is gone.
        case deletion
    }

    /// The names under which the host knows the repository: its clone, SSH and page URLs.
    let repositoryURLs: [String]
    /// The full name of what was pushed to: `refs/heads/main`, `refs/tags/v1`.
    let reference: String
    let change: Change

    /// The branch without `refs/heads/`; nil where it is no branch.
    var branch: String? {
        let prefix = "refs/heads/"
        guard reference.hasPrefix(prefix), reference.count > prefix.count else { return nil }
        return String(reference.dropFirst(prefix.count))
    }
}
