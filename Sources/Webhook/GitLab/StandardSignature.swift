import Cryptography
import Timing

/// The signature of "Standard Webhooks", which newer GitLab sends: an HMAC over name, time and body of the delivery.
///
/// The fields are `webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`: `v1,<base64>` for each key, apart
/// by spaces. What is signed is `<id>.<timestamp>.<body>`, so that an old delivery cannot be passed off as a new one.
struct StandardSignature {
    static let field = "webhook-signature"
    /// How far the sender's clock may be from ours.
    static let window: Duration = .seconds(300)
    /// More signatures than a rotation of keys ever needs are not looked at.
    private static let signaturesMaximum = 10
    private static let secretPrefix = Array("whsec_".utf8)

    let keys: [[UInt8]]

    /// Whether a secret is a key of this kind.
    static func isSigningSecret(_ secret: [UInt8]) -> Bool { secret.starts(with: secretPrefix) }

    /// The key in a secret of the form `whsec_<base64>`; nil when it is none.
    static func key(_ secret: [UInt8]) -> [UInt8]? {
        guard isSigningSecret(secret) else { return nil }
        let text = String(decoding: secret.dropFirst(secretPrefix.count), as: UTF8.self)
        guard let key = Base64.decode(text), !key.isEmpty else { return nil }
        return key
    }

    /// Says why a delivery is not to be believed; nil when it is genuine.
    func doubt(_ delivery: RawDelivery, now: Timestamp) -> String? {
        guard let identifier = delivery.field("webhook-id"), let time = delivery.field("webhook-timestamp"),
            let field = delivery.field(Self.field), identifier.utf8.count <= WebhookLimits.deliveryBytesMaximum
        else { return "webhook-id or webhook-timestamp is missing" }
        guard let seconds = Int64(time), time.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return "webhook-timestamp is not a number of seconds"
        }
        let age = now - Timestamp(secondsSinceEpoch: seconds)
        guard age <= Self.window, age >= .zero - Self.window else {
            return "webhook-timestamp is more than 5 minutes from now"
        }
        let message = Array("\(identifier).\(time).".utf8) + delivery.body
        var isGenuine = false
        for key in keys {
            let expected = HMAC.sha256(key: key, message: message)
            for given in Self.signatures(field) where constantTimeEquals(given, expected) { isGenuine = true }
        }
        return isGenuine ? nil : "\(Self.field) does not fit the delivery and the secret"
    }

    private static func signatures(_ field: String) -> [[UInt8]] {
        field.split(separator: " ").prefix(signaturesMaximum).compactMap { text in
            text.hasPrefix("v1,") ? Base64.decode(String(text.dropFirst(3))) : nil
        }
    }
}
