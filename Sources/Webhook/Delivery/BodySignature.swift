import Cryptography

/// An HMAC over the raw body, as GitHub, Gitea and Forgejo send it in a header field.
///
/// Source: GitHub, "Validating webhook deliveries"; Gitea, "Webhooks".
struct BodySignature {
    /// The prefix of `X-Hub-Signature-256`.
    static let prefix256 = "sha256="
    /// The prefix of `X-Hub-Signature`.
    static let prefix1 = "sha1="

    /// The secrets that are valid now.
    ///
    /// Two while one is being replaced by the other.
    let secrets: [[UInt8]]

    /// Whether `hex` is the HMAC-SHA256 of `body` under one of the secrets.
    func verifies(sha256 hex: some StringProtocol, of body: [UInt8]) -> Bool {
        verifies(hex, body, HMAC.sha256)
    }

    /// Whether `hex` is the HMAC-SHA1 of `body` under one of the secrets.
    func verifies(sha1 hex: some StringProtocol, of body: [UInt8]) -> Bool {
        verifies(hex, body, HMAC.sha1)
    }

    /// Whether a field of the form `sha256=<hex>` signs `body`.
    func verifies(field: String, of body: [UInt8]) -> Bool {
        field.hasPrefix(Self.prefix256) && verifies(sha256: field.dropFirst(Self.prefix256.count), of: body)
    }

    /// The comparison takes the same time wherever the first difference is; an empty secret never matches.
    private func verifies(
        _ hex: some StringProtocol, _ body: [UInt8], _ hmac: (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]
    ) -> Bool {
        // No HMAC is longer than 32 bytes: a long field is not even decoded.
        guard hex.utf8.count <= 64, let given = Hex.decode(String(hex)) else { return false }
        var isValid = false
        for secret in secrets where !secret.isEmpty {
            // Every secret is tried, so that the time does not tell which one matched.
            if constantTimeEquals(given, hmac(secret, body)) { isValid = true }
        }
        return isValid
    }
}
