import Audit
import JSON
import KubernetesTypes

/// Tells the audit log what events did, and who was turned away.
///
/// Deliveries without a right signature are not told: anybody could fill the log with them. Metrics count them.
struct EventAudit: Sendable {
    /// Nil tells nobody.
    let log: AuditLog?

    /// Who did something at a Git host, as the hosts write it.
    private struct Actor: Decodable {
        struct Account: Decodable {
            let login: String?
        }

        let sender: Account?
        let user_username: String?
        let owner_name: String?
    }

    /// Tells of one delivery that was carried out.
    ///
    /// - Parameters:
    ///   - answer: What its sender was told.
    ///   - event: What happened.
    ///   - name: The delivery's name, its host's before it.
    ///   - body: The payload.
    func tell(_ answer: WebhookAnswer, of event: GitEvent, delivery name: String, body: [UInt8]) {
        guard let log else { return }
        let subject = event.repositories.first
        func record(_ action: String, _ object: String, _ result: AuditEvent.Result, _ detail: String) {
            log.record(
                AuditEvent(
                    id: "\(name)/\(object)", actor: Self.actor(event, body), action: action,
                    object: "Repository \(object)", owner: subject?.owner ?? "", repository: subject?.urls.first ?? "",
                    result: result, detail: detail))
        }
        switch answer {
        case .noted(let keys, let commit):
            for key in keys { record("PushNoted", key.description, .succeeded, "commit \(commit)") }
        case .changed(let changes):
            for change in changes {
                record("RepositoryChanged", change.repository, change.isRefused ? .refused : .succeeded, change.what)
            }
        case .ignored(EventRules.notAllowed):
            record("OwnerRefused", subject?.urls.first ?? "", .refused, EventRules.notAllowed)
        case .ignored, .refused, .unavailable: return
        }
    }

    private static func actor(_ event: GitEvent, _ body: [UInt8]) -> String {
        if case .push(let push) = event { return push.pusher ?? push.repository.owner }
        let actor = try? Payload.read(Actor.self, from: body, as: "an event")
        return actor?.sender?.login ?? actor?.user_username ?? actor?.owner_name ?? "the Git host"
    }
}

extension GitEvent {
    /// The repositories that it names.
    fileprivate var repositories: [RemoteRepository] {
        switch self {
        case .push(let push): [push.repository]
        case .added(let all), .removed(let all, _), .uninstalled(_, let all), .suspended(_, let all),
            .resumed(_, let all):
            all
        case .moved(let one, _), .branchChanged(let one), .changed(let one): [one]
        case .ping, .other: []
        }
    }
}
