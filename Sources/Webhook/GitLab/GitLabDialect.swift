import Cryptography
import Timing

/// How GitLab delivers: a shared token or a signature, `event_name` in the body of system hooks and pushes.
///
/// Source: GitLab, "Webhook events", "System hooks", "Webhooks: signing tokens".
struct GitLabDialect: GitHostDialect {
    /// Where the host is, for events that do not tell: `https://gitlab.example.com`; nil trusts `X-Gitlab-Instance`.
    let url: String?

    var kind: GitHostKind { .gitLab }

    /// A secret that begins with `whsec_` verifies signatures, any other one is a shared token.
    ///
    /// A delivery that carries a signature is judged by it where there is a key for it, whatever its token is.
    func doubt(_ delivery: RawDelivery, secrets: [[UInt8]], now: Timestamp) -> String? {
        let keys = secrets.compactMap(StandardSignature.key)
        if !keys.isEmpty, delivery.field(StandardSignature.field) != nil {
            return StandardSignature(keys: keys).doubt(delivery, now: now)
        }
        let tokens = secrets.filter { !StandardSignature.isSigningSecret($0) }
        guard !tokens.isEmpty else {
            return "\(StandardSignature.field) is missing: give the webhook its signing token"
        }
        guard let given = delivery.field("X-Gitlab-Token") else {
            return "X-Gitlab-Token is missing: give the webhook a secret token"
        }
        var isGenuine = false
        let digest = SHA256.hash(of: given).bytes
        for token in tokens where !token.isEmpty {
            // Digests have one length, so that the time tells nothing about the token's.
            if constantTimeEquals(digest, SHA256.hash(of: token).bytes) { isGenuine = true }
        }
        return isGenuine ? nil : "X-Gitlab-Token is not the secret"
    }

    /// Old versions name no delivery; then the body does.
    func identifier(_ delivery: RawDelivery) throws(PayloadRefusal) -> String {
        // X-Gitlab-Event-UUID is not unique: events that one event causes share it.
        guard let name = delivery.field("webhook-id", "Idempotency-Key") else {
            return "body-" + SHA256.hash(of: delivery.body).hex
        }
        return try DeliveryIdentifier.checked(name, field: "webhook-id")
    }

    func event(_ delivery: RawDelivery) throws(PayloadRefusal) -> GitEvent {
        try GitLabPayload.event(from: delivery.body, url: url, instance: delivery.field("X-Gitlab-Instance"))
    }
}
