import COpenSSL

/// A public RSA key that checks RS256 signatures (RFC 7518 §3.3).
public final class RSAVerifyingKey: Sendable {
    private let key: RSAKeyHandle

    /// Reads a key in PEM, as `BEGIN PUBLIC KEY` (SubjectPublicKeyInfo).
    ///
    /// - Parameter pem: The text, at most ``RSAKeyError/pemBytesMaximum`` bytes.
    /// - Throws: ``RSAKeyError``.
    public init(pem: [UInt8]) throws(RSAKeyError) {
        key = try RSAKeyHandle(pem: pem, isPrivate: false)
    }

    /// Whether a signature was made over a message with the private half of this key.
    ///
    /// - Parameters:
    ///   - signature: The signature, of any length.
    ///   - message: What was signed, unhashed.
    public func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        return EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key.pointer) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}
