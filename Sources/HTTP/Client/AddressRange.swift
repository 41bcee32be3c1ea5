/// A range of addresses in CIDR notation.
public struct AddressRange: Hashable, Sendable {
    /// The first address.
    public let base: NetworkAddress
    /// How many leading bits all its addresses share.
    public let prefixLength: Int

    /// Reads the notation `address/length`; a plain address is a range of one.
    ///
    /// Bits behind the prefix are cleared.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = NetworkAddress(String(first)) else { return nil }
        var length = address.bytes.count * 8
        if parts.count == 2 {
            let digits = parts[1]
            guard digits.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
                let given = Int(digits), given <= length
            else { return nil }
            length = given
        }
        self.init(address, length)
    }

    private init?(_ address: NetworkAddress, _ length: Int) {
        var bytes = address.bytes
        for index in bytes.indices { bytes[index] &= Self.mask(byte: index, length) }
        guard let base = NetworkAddress(bytes: bytes) else { return nil }
        self.base = base
        prefixLength = length
    }

    /// Whether the range holds `address`; one of the other family never is.
    public func contains(_ address: NetworkAddress) -> Bool {
        guard address.bytes.count == base.bytes.count else { return false }
        return zip(address.bytes, base.bytes).enumerated().allSatisfy { index, pair in
            pair.0 & Self.mask(byte: index, prefixLength) == pair.1
        }
    }

    /// The bits of byte `index` that lie inside a prefix of `length` bits.
    private static func mask(byte index: Int, _ length: Int) -> UInt8 {
        let bits = min(max(length - index * 8, 0), 8)
        return bits == 0 ? 0 : ~UInt8(0) << UInt8(8 - bits)
    }

    /// IPv4 ranges outside the public Internet: IANA IPv4 Special-Purpose Address Registry, plus multicast.
    static let specialIPv4: [AddressRange] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    ].compactMap { AddressRange($0) }

    /// The only IPv6 block from which public addresses are given out.
    static let globalUnicastIPv6: [AddressRange] = ["2000::/3"].compactMap { AddressRange($0) }

    /// Ranges inside the global block that are no ordinary addresses: protocol assignments with Teredo, documentation,
    /// 6to4, and the second documentation block. (NAT64's 64:ff9b::/96 lies outside the global block.)
    static let specialIPv6: [AddressRange] = [
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    ]
    .compactMap { AddressRange($0) }
}
