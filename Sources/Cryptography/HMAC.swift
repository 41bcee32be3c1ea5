import COpenSSL

/// Keyed message authentication codes (RFC 2104).
///
/// Compare a received code with ``constantTimeEquals(_:_:)``, never with `==`.
public enum HMAC {
    /// HMAC with SHA-256.
    ///
    /// - Parameters:
    ///   - key: The secret, of any length.
    ///   - message: What to authenticate.
    /// - Returns: 32 bytes.
    public static func sha256(key: [UInt8], message: [UInt8]) -> [UInt8] {
        code(EVP_sha256(), 32, key, message)
    }

    /// HMAC with SHA-1, for old peers that know nothing else; sound as a MAC, though SHA-1 is broken as a hash.
    ///
    /// - Parameters:
    ///   - key: The secret, of any length.
    ///   - message: What to authenticate.
    /// - Returns: 20 bytes.
    public static func sha1(key: [UInt8], message: [UInt8]) -> [UInt8] {
        code(EVP_sha1(), 20, key, message)
    }

    private static func code(
        _ hash: OpaquePointer?, _ byteCount: Int, _ key: [UInt8], _ message: [UInt8]
    ) -> [UInt8] {
        precondition(key.count <= Int(Int32.max), "a key has less than 2 GiB")
        var output = [UInt8](repeating: 0, count: byteCount)
        var outputCount: UInt32 = 0
        let result = COpenSSL.HMAC(hash, key, Int32(key.count), message, message.count, &output, &outputCount)
        precondition(result != nil && outputCount == UInt32(byteCount), "OpenSSL has no memory or not this hash")
        return output
    }
}
