/// A Git URL reduced to what tells two repositories apart, so that the clone URL, the SSH form and the page compare equal.
///
/// `https://GitHub.com/Alice/Hello.git`, `git@github.com:alice/hello` and `https://github.com/alice/hello/` are one
/// address. Paths compare without regard to case, as GitHub, GitLab and Gitea treat them.
struct RepositoryAddress: Hashable, Sendable, CustomStringConvertible {
    let host: String
    let path: String

    /// The host and the path, joined by a slash.
    var description: String { host + "/" + path }

    private init(host: String, path: String) {
        self.host = host
        self.path = path
    }

    /// Whether the path ends with `owner/name`, groups between them included.
    func ends(with path: String) -> Bool {
        let path = path.lowercased()
        return self.path == path || self.path.hasSuffix("/" + path)
    }

    /// The address with another owner or name in it; nil where it has no owner.
    func replacing(owner: String? = nil, name: String? = nil) -> RepositoryAddress? {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2 else { return nil }
        if let owner { parts[parts.count - 2] = owner.lowercased() }
        if let name { parts[parts.count - 1] = name.lowercased() }
        return RepositoryAddress(host: host, path: parts.joined(separator: "/"))
    }

    /// Reads a URL, or the `user@host:path` form of SSH.
    ///
    /// Nil where there is no host or no path.
    init?(_ url: String) {
        var rest = url[...]
        var scheme = "ssh"
        let isSecureShellForm: Bool
        if let range = rest.firstRange(of: "://") {
            scheme = rest[..<range.lowerBound].lowercased()
            rest = rest[range.upperBound...]
            isSecureShellForm = false
        } else {
            isSecureShellForm = true
        }
        let separator: Character = isSecureShellForm ? ":" : "/"
        guard let end = rest.firstIndex(of: separator) else { return nil }
        var authority = rest[..<end].lowercased()[...]
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
        let defaultPort = [":443": "https", ":80": "http", ":22": "ssh"]
        for (suffix, owner) in defaultPort where owner == scheme && authority.hasSuffix(suffix) {
            authority = authority.dropLast(suffix.count)
        }
        var path = rest[rest.index(after: end)...].lowercased()[...]
        while path.hasPrefix("/") { path = path.dropFirst() }
        while path.hasSuffix("/") { path = path.dropLast() }
        if path.hasSuffix(".git") { path = path.dropLast(4) }
        guard !authority.isEmpty, !path.isEmpty else { return nil }
        host = String(authority)
        self.path = String(path)
    }
}
