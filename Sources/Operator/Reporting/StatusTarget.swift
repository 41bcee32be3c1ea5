import CRDs
import GitHosts

/// Where a click on a commit status leads.
///
/// With a root domain each owner has a host, and the dashboard is on the host `system`; without one, everything is below
/// `/function/` on the gateway.
struct StatusTarget: Sendable, Hashable {
    /// Where callers reach the gateway, without a slash at the end.
    let publicURL: String
    /// The domain below which each owner has a host; empty when there is none.
    let rootDomain: String

    /// What a status is about.
    struct Subject: Sendable {
        let context: String
        /// Whether it is about the whole repository.
        let isStack: Bool
        let owner: OwnerName
        let repository: String
        let commit: String
        /// The page or the clone URL of the repository.
        let repositoryURL: String
    }

    init(publicURL: String, rootDomain: String) {
        self.publicURL = GitHostURL.trimmed(publicURL)
        self.rootDomain = rootDomain
    }

    /// Returns the URL.
    func url(for state: StatusState, _ subject: Subject) -> String {
        let isStack = subject.isStack
        switch state {
        case .success:
            return isStack ? dashboard(subject.owner) : function(subject)
        case .failure, .error:
            guard !isStack, hasHosts else { return dashboard(subject.owner) }
            let path = "\(subject.owner)/\(subject.repository)"
            return dashboard(subject.owner)
                + "/\(subject.context)/build-log?repoPath=\(path)&commitSHA=\(subject.commit)"
        case .pending, .cancelled, .skipped: return subject.repositoryURL
        }
    }

    private var hasHosts: Bool { !rootDomain.isEmpty && FunctionURL.schemeAndPort(publicURL) != nil }

    private func dashboard(_ owner: OwnerName) -> String {
        host("system").map { $0 + "/dashboard/\(owner)" } ?? publicURL + "/function/system-dashboard"
    }

    private func function(_ subject: Subject) -> String {
        let owner = subject.owner.lowercased
        if DNSName.isLabel(owner), let host = host(owner) { return host + "/" + subject.context }
        return publicURL + "/function/" + FunctionIdentity(owner: subject.owner, function: subject.context).objectName
    }

    private func host(_ name: String) -> String? {
        guard hasHosts, let (scheme, port) = FunctionURL.schemeAndPort(publicURL) else { return nil }
        return "\(scheme)://\(name).\(rootDomain)\(port)"
    }
}
