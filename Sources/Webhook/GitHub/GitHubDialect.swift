import Timing

/// How GitHub delivers: `X-Hub-Signature-256` over the body, `X-GitHub-Event`, `X-GitHub-Delivery`.
///
/// Source: GitHub, "Webhook events and payloads".
struct GitHubDialect: GitHostDialect {
    /// Where repositories are whose payload names no page: `https://github.com`.
    let url: String
    let signature: HubSignature

    var kind: GitHostKind { .gitHub }

    func doubt(_ delivery: RawDelivery, secrets: [[UInt8]], now: Timestamp) -> String? {
        signature.doubt(delivery, secrets: secrets)
    }

    func identifier(_ delivery: RawDelivery) throws(PayloadRefusal) -> String {
        try DeliveryIdentifier.checked(delivery.field("X-GitHub-Delivery"), field: "X-GitHub-Delivery")
    }

    /// Reads the event.
    ///
    /// An App is sent events that nobody asked for; those are told apart by their name alone, without a look at the body.
    func event(_ delivery: RawDelivery) throws(PayloadRefusal) -> GitEvent {
        guard let name = delivery.field("X-GitHub-Event") else { throw PayloadRefusal("X-GitHub-Event is missing") }
        switch name {
        case "ping": return .ping
        case "push": return try GitHubPush.event(from: delivery.body)
        case "installation": return try GitHubInstallation.event(from: delivery.body, base: url)
        case "installation_repositories": return try GitHubInstallation.selectionEvent(from: delivery.body, base: url)
        case "repository": return try GitHubRepositoryChange.event(from: delivery.body)
        default: return .other("the event '\(name.prefix(40))' changes no function")
        }
    }
}
