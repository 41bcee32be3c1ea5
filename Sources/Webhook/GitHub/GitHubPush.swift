/// GitHub's `push` payload, as far as it says what to build.
///
/// Source: GitHub, "Webhook events and payloads", `push`.
struct GitHubPush: Decodable {
    struct Commit: Decodable {
        let message: String?
    }

    struct Pusher: Decodable {
        let name: String?
        /// In the place of the name in Gitea's payloads.
        let login: String?
    }

    struct Time: Decodable {
        let pushed_at: LenientTimestamp?
    }

    let ref: String
    let before: String?
    let after: String
    let deleted: Bool?
    let head_commit: Commit?
    let pusher: Pusher?
    let repository: GitHubRepository
    let installation: GitHubInstallationReference?
    private let time: Time

    enum CodingKeys: String, CodingKey {
        case ref, before, after, deleted, head_commit, pusher, repository, installation
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        ref = try container.decode(String.self, forKey: .ref)
        before = try container.decodeIfPresent(String.self, forKey: .before)
        after = try container.decode(String.self, forKey: .after)
        deleted = try container.decodeIfPresent(Bool.self, forKey: .deleted)
        head_commit = try container.decodeIfPresent(Commit.self, forKey: .head_commit)
        pusher = try container.decodeIfPresent(Pusher.self, forKey: .pusher)
        repository = try container.decode(GitHubRepository.self, forKey: .repository)
        installation = try container.decodeIfPresent(GitHubInstallationReference.self, forKey: .installation)
        // Only here it is the time of the push; in other events it is something else, and of another type.
        time = try container.decode(Time.self, forKey: .repository)
    }

    /// Reads a payload.
    ///
    /// - Throws: ``PayloadRefusal`` with a text for the sender.
    static func event(from body: [UInt8]) throws(PayloadRefusal) -> GitEvent {
        let push = try Payload.read(GitHubPush.self, from: body, as: "a push event")
        return .push(
            Push(
                repository: try push.repository.remote(push.installation), reference: push.ref,
                before: CommitIdentifier.before(push.before),
                change: try CommitIdentifier.change(after: push.after, isDeletion: push.deleted == true),
                message: push.head_commit?.message, pusher: push.pusher?.name ?? push.pusher?.login,
                pushedAt: push.time.pushed_at?.value))
    }
}
