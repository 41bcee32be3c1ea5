/// A repository as its host describes it in an event.
struct RemoteRepository: Equatable, Sendable {
    /// Every name it has: clone, SSH and page URLs, the best one for cloning first.
    let urls: [String]
    /// Whom it belongs to, as the host spells it.
    let owner: String
    var defaultBranch: String?
    /// The installation of a GitHub App through which it may be read.
    var installationID: Int64?
    /// GitLab's number of the project.
    var projectID: Int64?
    /// Its topics, where the host tells them.
    var topics: [String]?

    /// What to clone; nil where the host names nothing that can be cloned over http.
    var cloneURL: String? { urls.first(where: CloneURL.isValid) }

    /// Every address under which a Repository may name it.
    var addresses: Set<RepositoryAddress> { Set(urls.compactMap(RepositoryAddress.init)) }
}

/// The form that `spec.url` of a Repository has.
enum CloneURL {
    /// The longest that is taken.
    static let bytesMaximum = 2048

    /// Whether `text` may become a Repository's URL: http or https, a host, a path without tricks, no user name.
    static func isValid(_ text: String) -> Bool {
        guard text.utf8.count <= bytesMaximum, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let scheme = ["https://", "http://"].first(where: text.hasPrefix),
            !text.contains(where: { "@?#\\".contains($0) })
        else { return false }
        let parts = text.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)
        return parts.count >= 2 && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// The clone URL of the repository at `path` below a host's page; nil when that is none.
    ///
    /// - Parameters:
    ///   - base: Where the host is: `https://github.com`.
    ///   - path: Owner and name: `alice/hello`.
    static func make(base: String, path: String) -> String? {
        var base = base[...]
        while base.hasSuffix("/") { base = base.dropLast() }
        let page = "\(base)/\(path)"
        return path.contains("/") && isValid(page) ? page + ".git" : nil
    }
}
