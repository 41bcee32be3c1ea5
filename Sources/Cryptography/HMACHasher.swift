/// HMAC with SHA-256 of a message that comes piece by piece (RFC 2104).
///
/// Compare a received code with ``constantTimeEquals(_:_:)``, never with `==`.
public final class HMACHasher {
    private let inner = SHA256Hasher()
    private let outerKey: [UInt8]

    /// The block of SHA-256 (FIPS 180-4, section 1).
    private static let blockBytes = 64

    /// Makes a hasher that has seen nothing.
    ///
    /// - Parameter key: The secret, of any length.
    public init(key: [UInt8]) {
        var block = key.count > Self.blockBytes ? SHA256.hash(of: key).bytes : key
        block += [UInt8](repeating: 0, count: Self.blockBytes - block.count)
        inner.update(block.map { $0 ^ 0x36 })
        outerKey = block.map { $0 ^ 0x5C }
    }

    /// Adds bytes at the end.
    ///
    /// - Parameter bytes: The next ones.
    public func update(_ bytes: [UInt8]) { inner.update(bytes) }

    /// The code of all bytes so far; more may follow.
    ///
    /// - Returns: 32 bytes.
    public func finalize() -> [UInt8] {
        let outer = SHA256Hasher()
        outer.update(outerKey)
        outer.update(inner.finalize().bytes)
        return outer.finalize().bytes
    }
}
