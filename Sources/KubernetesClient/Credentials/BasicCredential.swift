import Cryptography

/// A user name and password (RFC 7617).
enum BasicCredential {
    /// Returns the value of the `Authorization` field.
    static func authorization(_ username: String, _ password: SecretText) -> SecretText {
        SecretText("Basic " + Base64.encode(Array("\(username):\(password.value)".utf8)))
    }
}
