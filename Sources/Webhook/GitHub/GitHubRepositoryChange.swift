/// GitHub's `repository` payload: renamed, transferred, deleted, another default branch.
///
/// Source: GitHub, "Webhook events and payloads", `repository`.
struct GitHubRepositoryChange: Decodable {
    struct Before: Decodable {
        let from: String?
    }

    struct Name: Decodable {
        let name: Before?
    }

    struct Account: Decodable {
        let login: String?
    }

    struct Accounts: Decodable {
        let user: Account?
        let organization: Account?
    }

    struct Owner: Decodable {
        let from: Accounts?
    }

    struct Changes: Decodable {
        let repository: Name?
        let owner: Owner?
        let default_branch: Before?
    }

    let action: String
    let repository: GitHubRepository
    let installation: GitHubInstallationReference?
    let changes: Changes?

    /// Reads a payload.
    ///
    /// - Throws: ``PayloadRefusal`` with a text for the sender.
    static func event(from body: [UInt8]) throws(PayloadRefusal) -> GitEvent {
        let payload = try Payload.read(GitHubRepositoryChange.self, from: body, as: "a repository event")
        let remote = try payload.repository.remote(payload.installation)
        switch payload.action {
        case "renamed":
            guard let name = payload.changes?.repository?.name?.from else {
                throw PayloadRefusal("the payload does not tell the repository's name before")
            }
            return .moved(remote, from: try payload.address(name: name))
        case "transferred":
            let before = payload.changes?.owner?.from
            guard let owner = before?.user?.login ?? before?.organization?.login else {
                throw PayloadRefusal("the payload does not tell the repository's owner before")
            }
            return .moved(remote, from: try payload.address(owner: owner))
        case "deleted": return .removed([remote], why: "the repository was deleted on GitHub")
        case "edited" where payload.changes?.default_branch != nil: return .branchChanged(remote)
        default: return .other("the action '\(payload.action.prefix(40))' of a repository changes no function")
        }
    }

    /// The repository's address with another owner or name in the place of today's.
    private func address(owner: String? = nil, name: String? = nil) throws(PayloadRefusal) -> RepositoryAddress {
        let page = repository.html_url ?? repository.clone_url
        guard let address = page.flatMap(RepositoryAddress.init)?.replacing(owner: owner, name: name) else {
            throw PayloadRefusal("the payload's repository has no page")
        }
        return address
    }
}
