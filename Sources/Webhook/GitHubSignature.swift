import Cryptography

/// The signature that GitHub sends with each delivery: `X-Hub-Signature-256: sha256=<hex HMAC-SHA256 of the raw body>`.
///
/// Source: GitHub, "Validating webhook deliveries". The older `X-Hub-Signature` (SHA-1) is not accepted.
struct GitHubSignature {
    static let headerName = "X-Hub-Signature-256"
    static let prefix = "sha256="

    /// The secrets that are valid now.
    ///
    /// Two while one is being replaced by the other.
    let secrets: [[UInt8]]

    /// Whether `header` signs `body` with one of the secrets.
    ///
    /// The comparison takes the same time wherever the first difference is. An empty secret never matches.
    func verifies(_ header: String, body: [UInt8]) -> Bool {
        guard header.hasPrefix(Self.prefix), let given = Hex.decode(String(header.dropFirst(Self.prefix.count))) else {
            return false
        }
        var isValid = false
        for secret in secrets where !secret.isEmpty {
            // Every secret is tried, so that the time does not tell which one matched.
            if constantTimeEquals(given, HMAC.sha256(key: secret, message: body)) { isValid = true }
        }
        return isValid
    }
}
