import Timing

/// How Gitea and Forgejo deliver: as GitHub, with fields of their own and the HMAC without prefix.
///
/// Source: Gitea, "Webhooks"; Forgejo, "Webhooks".
struct GiteaDialect: GitHostDialect {
    let signature: HubSignature

    var kind: GitHostKind { .gitea }

    func doubt(_ delivery: RawDelivery, secrets: [[UInt8]], now: Timestamp) -> String? {
        guard let field = delivery.field("X-Forgejo-Signature", "X-Gitea-Signature") else {
            return signature.doubt(delivery, secrets: secrets)
        }
        return BodySignature(secrets: secrets).verifies(sha256: field, of: delivery.body)
            ? nil : "X-Gitea-Signature does not fit the body and the secret"
    }

    func identifier(_ delivery: RawDelivery) throws(PayloadRefusal) -> String {
        let name = delivery.field("X-Forgejo-Delivery", "X-Gitea-Delivery", "X-GitHub-Delivery")
        return try DeliveryIdentifier.checked(name, field: "X-Gitea-Delivery")
    }

    func event(_ delivery: RawDelivery) throws(PayloadRefusal) -> GitEvent {
        guard let name = delivery.field("X-Forgejo-Event", "X-Gitea-Event", "X-GitHub-Event") else {
            throw PayloadRefusal("X-Gitea-Event is missing")
        }
        switch name {
        case "ping": return .ping
        case "push": return try GitHubPush.event(from: delivery.body)
        case "repository": return try GiteaRepositoryChange.event(from: delivery.body)
        default: return .other("the event '\(name.prefix(40))' changes no function")
        }
    }
}

/// Gitea's `repository` payload.
struct GiteaRepositoryChange: Decodable {
    let action: String
    let repository: GitHubRepository

    /// Reads a payload.
    ///
    /// - Throws: ``PayloadRefusal`` with a text for the sender.
    static func event(from body: [UInt8]) throws(PayloadRefusal) -> GitEvent {
        let payload = try Payload.read(GiteaRepositoryChange.self, from: body, as: "a repository event")
        guard payload.action == "deleted" else {
            return .other("the action '\(payload.action.prefix(40))' of a repository changes no function")
        }
        return .removed([try payload.repository.remote(nil)], why: "the repository was deleted on the Git host")
    }
}
