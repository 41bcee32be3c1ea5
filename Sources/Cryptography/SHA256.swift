import COpenSSL

/// The SHA-256 hash of bytes that are all there (FIPS 180-4).
public enum SHA256 {
    /// Hashes bytes.
    ///
    /// - Parameter bytes: All of them.
    /// - Returns: Their digest.
    public static func hash(of bytes: [UInt8]) -> SHA256Digest {
        let hasher = SHA256Hasher()
        hasher.update(bytes)
        return hasher.finalize()
    }

    /// Hashes a text in UTF-8.
    ///
    /// - Parameter text: The text.
    /// - Returns: The digest of its bytes.
    public static func hash(of text: String) -> SHA256Digest {
        hash(of: Array(text.utf8))
    }
}

/// The SHA-256 hash of bytes that come piece by piece.
public final class SHA256Hasher {
    private let context: OpaquePointer

    /// Makes a hasher that has seen nothing.
    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("OpenSSL has no memory or no SHA-256")
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
        bytes.withUnsafeBytes { update($0) }
    }

    /// Adds bytes at the end.
    ///
    /// - Parameter bytes: The next ones.
    public func update(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest of all bytes so far; more may follow.
    ///
    /// - Returns: The digest.
    public func finalize() -> SHA256Digest {
        guard let copy = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(copy, context) == 1 else {
            preconditionFailure("OpenSSL has no memory")
        }
        defer { EVP_MD_CTX_free(copy) }
        var digest = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
        let status = EVP_DigestFinal_ex(copy, &digest, nil)
        precondition(status == 1, "OpenSSL cannot end a SHA-256 that it began")
        return SHA256Digest(checked: digest)
    }

    private func update(_ buffer: UnsafeRawBufferPointer) {
        let status = EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
        precondition(status == 1, "OpenSSL cannot go on with a SHA-256 that it began")
    }
}
