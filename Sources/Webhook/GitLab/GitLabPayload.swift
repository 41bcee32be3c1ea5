/// GitLab's payloads, of system hooks and of hooks of one project.
///
/// Events of projects carry no URL, only the path below the host.
///
/// Source: GitLab, "System hooks" and "Webhook events".
struct GitLabPayload: Decodable {
    struct Project: Decodable {
        let git_http_url: String?
        let http_url: String?
        let git_ssh_url: String?
        let web_url: String?
        let path_with_namespace: String?
        let default_branch: String?
        let topics: [String]?
        let tag_list: [String]?
    }

    struct Commit: Decodable {
        let id: String?
        let message: String?
    }

    let event_name: String?
    let object_kind: String?

    // MARK: Of a push.

    let ref: String?
    let before: String?
    let after: String?
    let project: Project?
    let commits: [Commit]?
    let user_username: String?

    // MARK: Of a project.

    let project_id: Int64?
    let path_with_namespace: String?
    let old_path_with_namespace: String?
    let topics: [String]?
    let tag_list: [String]?

    /// Only what names the event: events of other kinds have members of the same names and other types.
    private struct Kind: Decodable {
        let event_name: String?
        let object_kind: String?
    }

    /// Reads a payload.
    ///
    /// - Parameters:
    ///   - body: The payload.
    ///   - url: Where the host is as configured: `https://gitlab.example.com`; nil where anything goes.
    ///   - instance: Where the host says that it is, for events that name no URL.
    /// - Throws: ``PayloadRefusal`` with a text for the sender.
    static func event(from body: [UInt8], url: String?, instance: String?) throws(PayloadRefusal) -> GitEvent {
        let kind = try Payload.read(Kind.self, from: body, as: "an event of GitLab")
        guard let name = kind.event_name ?? kind.object_kind else {
            throw PayloadRefusal("the payload has neither event_name nor object_kind")
        }
        switch name {
        case "push":
            return try Payload.read(GitLabPayload.self, from: body, as: "a push event").push(url)
        case "tag_push": return .other("tags are not built")
        case "project_update", "project_rename", "project_transfer", "project_destroy":
            guard let base = url ?? instance else {
                return .other("the event does not tell the host: set webhook.gitLab.url")
            }
            return try Payload.read(GitLabPayload.self, from: body, as: "an event of a project").change(name, base)
        default: return .other("the event '\(name.prefix(40))' changes no function")
        }
    }

    private func push(_ url: String?) throws(PayloadRefusal) -> GitEvent {
        guard let ref, let after, let project else {
            throw PayloadRefusal("the payload is not a push event: it lacks ref, after or project")
        }
        let urls = [project.git_http_url, project.http_url, project.web_url, project.git_ssh_url].compactMap { $0 }
        guard let first = urls.first, let address = RepositoryAddress(first) else {
            throw PayloadRefusal("the payload's project has no git_http_url")
        }
        // Who owns it decides whether it is built, the URL what is built: they must be of one project, at our GitLab.
        guard address.ends(with: project.path_with_namespace ?? "") else {
            throw PayloadRefusal("the payload's git_http_url is not that of its path_with_namespace")
        }
        if let url, let ours = RepositoryAddress(url + "/-"), address.host != ours.host {
            return .other("the project is not at \(ours.host), which webhook.gitLab.url names")
        }
        let remote = RemoteRepository(
            urls: urls, owner: try Self.owner(project.path_with_namespace), defaultBranch: project.default_branch,
            projectID: project_id, topics: project.topics ?? project.tag_list)
        let head = commits?.last { $0.id == after } ?? commits?.last
        return .push(
            Push(
                repository: remote, reference: ref, before: CommitIdentifier.before(before),
                change: try CommitIdentifier.change(after: after), message: head?.message, pusher: user_username))
    }

    private func change(_ name: String, _ base: String) throws(PayloadRefusal) -> GitEvent {
        let remote = try remote(path_with_namespace, base)
        switch name {
        case "project_destroy": return .removed([remote], why: "the project was deleted on GitLab")
        case "project_update": return .changed(remote)
        default:
            let before = try self.remote(old_path_with_namespace, base)
            guard let address = before.addresses.first else {
                throw PayloadRefusal("the payload does not tell the project's path before")
            }
            return .moved(remote, from: address)
        }
    }

    private func remote(_ path: String?, _ base: String) throws(PayloadRefusal) -> RemoteRepository {
        let owner = try Self.owner(path)
        guard let path, let url = CloneURL.make(base: base, path: path) else {
            throw PayloadRefusal("the payload's path_with_namespace is not the path of a project")
        }
        return RemoteRepository(urls: [url], owner: owner, projectID: project_id, topics: topics ?? tag_list)
    }

    /// The first part of a project's path: a user, or the group at the top.
    ///
    /// - Throws: ``PayloadRefusal`` when the path has only one part.
    static func owner(_ path: String?) throws(PayloadRefusal) -> String {
        let parts = path?.split(separator: "/", omittingEmptySubsequences: false) ?? []
        guard parts.count >= 2, let owner = parts.first, !owner.isEmpty else {
            throw PayloadRefusal("the payload's path_with_namespace is not the path of a project")
        }
        return String(owner)
    }
}
