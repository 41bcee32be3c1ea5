/// The fields `X-Hub-Signature-256` and, where the administrator allows it, the older `X-Hub-Signature`.
struct HubSignature {
    static let field256 = "X-Hub-Signature-256"
    static let field1 = "X-Hub-Signature"

    /// Whether SHA-1 counts where SHA-256 is not there: for GitHub Enterprise before 2.22 and what imitates it.
    let acceptsSHA1: Bool

    /// Says why a delivery is not to be believed; nil when it is genuine.
    ///
    /// A delivery that carries both fields is judged by the better one, so that nobody gains by a forged SHA-1.
    func doubt(_ delivery: RawDelivery, secrets: [[UInt8]]) -> String? {
        let signature = BodySignature(secrets: secrets)
        if let field = delivery.field(Self.field256) {
            return signature.verifies(field: field, of: delivery.body)
                ? nil : "\(Self.field256) does not fit the body and the secret"
        }
        guard acceptsSHA1, let field = delivery.field(Self.field1) else {
            return "\(Self.field256) is missing: give the webhook a secret"
        }
        let isGenuine =
            field.hasPrefix(BodySignature.prefix1)
            && signature.verifies(sha1: field.dropFirst(BodySignature.prefix1.count), of: delivery.body)
        return isGenuine ? nil : "\(Self.field1) does not fit the body and the secret"
    }
}
