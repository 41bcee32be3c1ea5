import Cryptography
import Timing

/// How any other Git server delivers, by a hook of a few lines: the least that says what to build, signed as GitHub does.
///
/// ```json
/// {"url": "https://git.example.com/alice/hello.git", "ref": "refs/heads/main",
///  "before": "<commit>", "after": "<commit>", "message": "…", "timestamp": "2026-11-20T12:00:00Z"}
/// ```
///
/// `url`, `ref` and `after` must be there. `"event": "deleted"` with a `url` alone says that the repository is gone.
struct PlainGitDialect: GitHostDialect {
    let signature: HubSignature

    var kind: GitHostKind { .git }

    func doubt(_ delivery: RawDelivery, secrets: [[UInt8]], now: Timestamp) -> String? {
        signature.doubt(delivery, secrets: secrets)
    }

    /// A hook that names no delivery sends the same body only for the same push.
    func identifier(_ delivery: RawDelivery) throws(PayloadRefusal) -> String {
        guard let name = delivery.field("X-Delivery") else { return "body-" + SHA256.hash(of: delivery.body).hex }
        return try DeliveryIdentifier.checked(name, field: "X-Delivery")
    }

    func event(_ delivery: RawDelivery) throws(PayloadRefusal) -> GitEvent {
        try PlainGitPayload.event(from: delivery.body)
    }
}

/// The payload of a plain Git server's hook.
struct PlainGitPayload: Decodable {
    let event: String?
    let url: String
    let ref: String?
    let before: String?
    let after: String?
    let message: String?
    let timestamp: LenientTimestamp?

    /// Reads a payload.
    ///
    /// - Throws: ``PayloadRefusal`` with a text for the sender.
    static func event(from body: [UInt8]) throws(PayloadRefusal) -> GitEvent {
        let payload = try Payload.read(PlainGitPayload.self, from: body, as: "an event")
        guard let address = RepositoryAddress(payload.url) else {
            throw PayloadRefusal("the payload's url names no host or no path")
        }
        let parts = address.path.split(separator: "/")
        let remote = RemoteRepository(
            urls: [payload.url], owner: parts.dropLast().last.map(String.init) ?? address.host)
        switch payload.event ?? "push" {
        case "push":
            guard let ref = payload.ref, let after = payload.after else {
                throw PayloadRefusal("the payload lacks ref or after")
            }
            return .push(
                Push(
                    repository: remote, reference: ref, before: CommitIdentifier.before(payload.before),
                    change: try CommitIdentifier.change(after: after), message: payload.message,
                    pushedAt: payload.timestamp?.value))
        case "deleted": return .removed([remote], why: "the repository was deleted on the Git host")
        case "ping": return .ping
        case let other: return .other("the event '\(other.prefix(40))' changes no function")
        }
    }
}
