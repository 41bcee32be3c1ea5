/// A block of IP addresses in CIDR notation, such as `10.0.0.0/8` or `fc00::/7`.
///
/// Only the strict textual forms are read: four decimal parts without leading zeros for IPv4 (RFC 6943 §3.1.1 tells why),
/// RFC 4291 §2.2 for IPv6, no zone, and no bits set behind the prefix. Source: RFC 4632, RFC 4291 §2.3.
public struct AddressRange: Hashable, Sendable {
    /// The two kinds of addresses.
    public enum Family: Hashable, Sendable {
        /// 32-bit addresses.
        case ipv4
        /// 128-bit addresses.
        case ipv6

        /// Bits in an address.
        var bits: Int { self == .ipv4 ? 32 : 128 }
    }

    /// The kind of addresses in this block.
    public let family: Family
    /// How many leading bits all addresses of the block share.
    public let prefixLength: Int
    /// The first address; IPv4 uses the low 32 bits.
    let first: UInt128

    /// Reads a block; an address without prefix length is refused.
    ///
    /// - Returns: `nil` when the text is no block, or when bits are set behind the prefix (`10.0.0.1/8`), which usually
    ///   is a mistake.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddressParser.parse(parts[0]),
            let length = IPAddressParser.decimal(parts[1], maximum: address.family.bits)
        else { return nil }
        let block = AddressRange(family: address.family, prefixLength: length, containing: address.value)
        guard block.first == address.value else { return nil }
        self = block
    }

    /// Reads a single address as the block that holds only it.
    ///
    /// - Returns: `nil` when the text is no address.
    public init?(address text: String) {
        guard let address = IPAddressParser.parse(text[...]) else { return nil }
        self.init(family: address.family, prefixLength: address.family.bits, containing: address.value)
    }

    private init(family: Family, prefixLength: Int, containing address: UInt128) {
        self.family = family
        self.prefixLength = prefixLength
        let hostBits = family.bits - prefixLength
        // A shift by all 128 bits gives 0 with Swift's smart shift, which is the mask of ::/0.
        first = (address >> UInt128(hostBits)) << UInt128(hostBits)
    }

    /// Whether every address of `other` is in this block.
    public func contains(_ other: AddressRange) -> Bool {
        guard family == other.family, prefixLength <= other.prefixLength else { return false }
        return AddressRange(family: family, prefixLength: prefixLength, containing: other.first).first == first
    }

    /// Whether the two blocks share an address; of two such blocks one always contains the other.
    public func overlaps(_ other: AddressRange) -> Bool { contains(other) || other.contains(self) }
}

extension AddressRange: CustomStringConvertible {
    /// The canonical text; IPv6 follows RFC 5952 §4.
    public var description: String { "\(IPAddressParser.text(first, family: family))/\(prefixLength)" }
}

extension AddressRange: Codable {
    /// Decodes CIDR notation.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let range = AddressRange(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "\(text) is not a block of addresses such as 10.0.0.0/8 or fd00::/8")
        }
        self = range
    }

    /// Encodes CIDR notation.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
