/// GitHub's `installation` and `installation_repositories` payloads: which repositories an App may read.
///
/// They name repositories by owner and name only; where those are is told by the account's page.
///
/// Source: GitHub, "Webhook events and payloads", `installation`, `installation_repositories`.
struct GitHubInstallation: Decodable {
    struct Account: Decodable {
        let html_url: String?
    }

    struct Installation: Decodable {
        let id: Int64
        let account: Account?
    }

    struct Listed: Decodable {
        let full_name: String
    }

    let action: String
    let installation: Installation
    let repositories: [Listed]?
    let repositories_added: [Listed]?
    let repositories_removed: [Listed]?

    /// Reads an `installation` payload.
    ///
    /// - Parameters:
    ///   - body: The payload.
    ///   - base: Where the host is when the payload does not say.
    /// - Throws: ``PayloadRefusal`` with a text for the sender.
    static func event(from body: [UInt8], base: String) throws(PayloadRefusal) -> GitEvent {
        let payload = try Payload.read(GitHubInstallation.self, from: body, as: "an installation event")
        let repositories = try payload.remotes(payload.repositories, base: base)
        let identifier = payload.installation.id
        switch payload.action {
        case "created": return .added(repositories)
        case "deleted": return .uninstalled(installation: identifier, repositories)
        case "suspend": return .suspended(installation: identifier, repositories)
        case "unsuspend": return .resumed(installation: identifier, repositories)
        default: return .other("the action '\(payload.action.prefix(40))' of an installation changes no function")
        }
    }

    /// Reads an `installation_repositories` payload.
    ///
    /// - Parameters:
    ///   - body: The payload.
    ///   - base: Where the host is when the payload does not say.
    /// - Throws: ``PayloadRefusal`` with a text for the sender.
    static func selectionEvent(from body: [UInt8], base: String) throws(PayloadRefusal) -> GitEvent {
        let payload = try Payload.read(
            GitHubInstallation.self, from: body, as: "an installation_repositories event")
        switch payload.action {
        case "added": return .added(try payload.remotes(payload.repositories_added, base: base))
        case "removed":
            return .removed(
                try payload.remotes(payload.repositories_removed, base: base),
                why: "the repository was taken out of installation \(payload.installation.id) of the GitHub App")
        default: return .other("the action '\(payload.action.prefix(40))' of a selection changes no function")
        }
    }

    private func remotes(_ listed: [Listed]?, base: String) throws(PayloadRefusal) -> [RemoteRepository] {
        let listed = listed ?? []
        guard listed.count <= WebhookLimits.repositoriesMaximum else {
            throw PayloadRefusal(
                "the payload names \(listed.count) repositories; at most \(WebhookLimits.repositoriesMaximum) are taken"
            )
        }
        let base = accountBase ?? base
        var remotes: [RemoteRepository] = []
        for repository in listed {
            let parts = repository.full_name.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let url = CloneURL.make(base: base, path: repository.full_name) else {
                throw PayloadRefusal("'\(repository.full_name.prefix(100))' is not the name of a repository")
            }
            remotes.append(
                RemoteRepository(urls: [url], owner: String(parts[0]), installationID: installation.id))
        }
        return remotes
    }

    /// The host's page, from the account's: `https://github.com/alice` without its last part.
    private var accountBase: String? {
        guard let page = installation.account?.html_url, CloneURL.isValid(page),
            let slash = page.lastIndex(of: "/")
        else { return nil }
        return String(page[..<slash])
    }
}
