import COpenSSL

/// The MD5 hash of bytes that come piece by piece (RFC 1321).
///
/// It protects nothing: it is here because faas-cli names images by it (`--tag=digest`).
public final class MD5Hasher {
    /// How many bytes a digest has.
    public static let byteCount = 16

    private let context: OpaquePointer

    /// Makes a hasher that has seen nothing.
    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_md5(), nil) == 1 else {
            preconditionFailure("OpenSSL has no memory or no MD5")
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Adds bytes at the end.
    ///
    /// - Parameter bytes: The next ones.
    public func update(_ bytes: [UInt8]) {
        let status = bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(status == 1, "OpenSSL cannot go on with an MD5 that it began")
    }

    /// The digest of all bytes so far, 16 of them; more may follow.
    ///
    /// - Returns: The digest.
    public func finalize() -> [UInt8] {
        guard let copy = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(copy, context) == 1 else {
            preconditionFailure("OpenSSL has no memory")
        }
        defer { EVP_MD_CTX_free(copy) }
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        let status = EVP_DigestFinal_ex(copy, &digest, nil)
        precondition(status == 1, "OpenSSL cannot end an MD5 that it began")
        return digest
    }
}
