import Glibc

/// An IPv4 or IPv6 address.
public struct NetworkAddress: Hashable, Sendable {
    /// Four or sixteen bytes in network order.
    public let bytes: [UInt8]

    /// Wraps bytes; `nil` unless there are four or sixteen.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads the usual notation, such as `192.0.2.1` or `2001:db8::1`, without brackets, port or zone.
    public init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            bytes = withUnsafeBytes(of: &six) { Array($0) }
        } else {
            return nil
        }
    }

    /// Whether this is an IPv4 address.
    public var isIPv4: Bool { bytes.count == 4 }

    /// The IPv4 address inside an IPv4-mapped IPv6 address, else the address itself.
    ///
    /// The kernel connects `::ffff:10.0.0.1` to `10.0.0.1`, so it is judged as that.
    var unmapped: NetworkAddress {
        guard bytes.count == 16, bytes.prefix(10).allSatisfy({ $0 == 0 }) else { return self }
        let marker = bytes[10..<12]
        guard marker.elementsEqual([0xFF, 0xFF]) else { return self }
        return NetworkAddress(bytes: Array(bytes.suffix(4))) ?? self
    }

    /// Whether the address belongs to the public Internet.
    ///
    /// IPv6 addresses that carry an IPv4 address for a translator (NAT64, 6to4, Teredo) count as not public, since
    /// what they reach is decided elsewhere. Source: the IANA special-purpose address registries.
    public var isPublic: Bool {
        let address = unmapped
        return address.isIPv4
            ? !AddressRange.specialIPv4.contains { $0.contains(address) }
            : AddressRange.globalUnicastIPv6.contains { $0.contains(address) }
                && !AddressRange.specialIPv6.contains { $0.contains(address) }
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// The usual notation.
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(isIPv4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
