/// The 32 bytes of a SHA-256 hash.
///
/// Its `==` takes a time that depends on the values; where one side is a secret, use ``constantTimeEquals(_:_:)``.
public struct SHA256Digest: Sendable, Hashable, CustomStringConvertible {
    /// How many bytes a digest has.
    public static let byteCount = 32

    /// The 32 bytes.
    public let bytes: [UInt8]

    init(checked bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "a SHA-256 digest has 32 bytes")
        self.bytes = bytes
    }

    /// Makes a digest from its bytes.
    ///
    /// - Parameter bytes: The bytes; nil comes out when they are not 32.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Makes a digest from lower-case hexadecimal digits.
    ///
    /// Capitals are refused, since registries refuse them and two spellings of one digest would be two names.
    ///
    /// - Parameter hex: 64 digits.
    public init?(hex: String) {
        guard !hex.utf8.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) }),
            let bytes = Hex.decode(hex)
        else { return nil }
        self.init(bytes: bytes)
    }

    /// Makes a digest from its OCI form.
    ///
    /// - Parameter text: `sha256:` and 64 lower-case digits.
    public init?(prefixed text: String) {
        guard text.hasPrefix("sha256:") else { return nil }
        self.init(hex: String(text.dropFirst("sha256:".count)))
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { Hex.encode(bytes) }

    /// The digest as registries write it: `sha256:` and 64 digits (OCI image specification, "Digests").
    public var prefixed: String { "sha256:" + hex }

    /// The digest as registries write it.
    public var description: String { prefixed }
}
