import Cryptography
public import Timing

/// Names a seed without telling it: the first 16 hexadecimal digits of a hash of it.
public struct SeedID: Hashable, Sendable, CustomStringConvertible {
    /// 16 lower-case hexadecimal digits.
    public let description: String

    /// The name of a seed.
    ///
    /// - Parameter seed: The seed's bytes.
    public init(of seed: [UInt8]) {
        description = String(SHA256.hash(of: Array("farebox seed\n".utf8) + seed).hex.prefix(16))
    }

    /// Reads a name; nil when it is no 16 lower-case hexadecimal digits.
    public init?(_ text: String) {
        let isHex = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
        guard text.utf8.count == 16, isHex else { return nil }
        description = text
    }
}

/// What the secrets of receipts are derived from.
///
/// New connections use the newest; receipts of older ones verify until their connections expire.
public struct ReceiptSeed: Hashable, Sendable {
    /// The seed's name.
    public let id: SeedID
    /// The secret; it never appears in a log, an error or an event.
    public let bytes: [UInt8]
    /// When it was added.
    public let createdAt: Timestamp

    /// Makes a seed.
    public init(bytes: [UInt8], createdAt: Timestamp) {
        id = SeedID(of: bytes)
        self.bytes = bytes
        self.createdAt = createdAt
    }
}

extension ReceiptSeed: CustomStringConvertible, CustomReflectable {
    /// The name only.
    public var description: String { "seed \(id)" }

    /// No member: a mirror would show the secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
