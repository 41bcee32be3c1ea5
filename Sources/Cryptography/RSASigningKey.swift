import COpenSSL

/// A private RSA key that signs as JSON Web Tokens want it: RS256, RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
///
/// It has no description and no way out: the key stays inside.
public final class RSASigningKey: Sendable {
    private let key: RSAKeyHandle

    /// Reads a key in PEM, as `BEGIN RSA PRIVATE KEY` (PKCS#1) or `BEGIN PRIVATE KEY` (PKCS#8).
    ///
    /// - Parameter pem: The text, at most ``RSAKeyError/pemBytesMaximum`` bytes; what stands before the first block is
    ///   skipped. A key with a password is refused: nobody is there to type it.
    /// - Throws: ``RSAKeyError``; it never repeats anything of the key.
    public init(pem: [UInt8]) throws(RSAKeyError) {
        key = try RSAKeyHandle(pem: pem, isPrivate: true)
    }

    /// Signs a message.
    ///
    /// - Parameter message: What to sign, unhashed.
    /// - Returns: As many bytes as the key's modulus has.
    /// - Throws: ``RSAKeyError/unusable`` when OpenSSL cannot sign with this key.
    public func signature(of message: [UInt8]) throws(RSAKeyError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .unusable }
        defer { EVP_MD_CTX_free(context) }
        var count = 0
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key.pointer) == 1,
            EVP_DigestSign(context, nil, &count, message, message.count) == 1, count > 0
        else {
            ERR_clear_error()
            throw .unusable
        }
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else {
            ERR_clear_error()
            throw .unusable
        }
        return Array(signature.prefix(count))
    }
}
