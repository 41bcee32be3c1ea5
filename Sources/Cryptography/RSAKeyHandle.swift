import COpenSSL

/// Why a key cannot be used.
public enum RSAKeyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It is no PEM with one unencrypted key of the wanted kind.
    case unreadable
    /// It is a key of another algorithm.
    case notRSA
    /// It is shorter than ``bitsMinimum`` or longer than ``bitsMaximum``.
    case length(bits: Int)
    /// OpenSSL refuses to work with it.
    case unusable

    /// Shorter keys can be broken (RFC 7518 §3.3).
    public static let bitsMinimum = 2048
    /// Longer keys only take time.
    public static let bitsMaximum = 16_384
    /// A PEM of the longest key has 13 kB.
    public static let pemBytesMaximum = 64 << 10

    /// One line for a person.
    public var description: String {
        switch self {
        case .unreadable: "it is no PEM with one unencrypted RSA key"
        case .notRSA: "it is no RSA key"
        case .length(let bits):
            "it has \(bits) bits; from \(Self.bitsMinimum) to \(Self.bitsMaximum) are allowed"
        case .unusable: "OpenSSL cannot use it"
        }
    }
}

/// Owns one `EVP_PKEY`.
///
/// SAFETY: the pointer is set once, and OpenSSL 3 only reads a key while it signs and verifies; its reference count is
/// atomic. Nothing here changes the key after the initialiser.
final class RSAKeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(pem: [UInt8], isPrivate: Bool) throws(RSAKeyError) {
        guard !pem.isEmpty, pem.count <= RSAKeyError.pemBytesMaximum, let key = Self.read(pem, isPrivate: isPrivate)
        else { throw .unreadable }
        let bits = Int(EVP_PKEY_get_bits(key))
        let isRSA = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA
        guard isRSA, (RSAKeyError.bitsMinimum...RSAKeyError.bitsMaximum).contains(bits) else {
            EVP_PKEY_free(key)
            throw isRSA ? .length(bits: bits) : .notRSA
        }
        pointer = key
    }

    deinit {
        EVP_PKEY_free(pointer)
    }

    private static func read(_ pem: [UInt8], isPrivate: Bool) -> OpaquePointer? {
        pem.withUnsafeBytes { bytes in
            guard let input = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer {
                BIO_free(input)
                ERR_clear_error()
            }
            // Without an answer of ours OpenSSL would ask for a password on the terminal.
            return isPrivate
                ? PEM_read_bio_PrivateKey(input, nil, { _, _, _, _ in -1 }, nil)
                : PEM_read_bio_PUBKEY(input, nil, { _, _, _, _ in -1 }, nil)
        }
    }
}
