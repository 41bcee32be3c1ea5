/// The addresses that are the public Internet, and those that never are.
///
/// What is excluded would lead a stranger's code into the cluster, the node or the provider's network: private ranges,
/// loopback, link-local (cloud metadata), carrier-grade NAT, documentation, benchmarking, multicast, and the IPv6 prefixes
/// that embed IPv4 addresses and so lead around an IPv4 rule (NAT64, Teredo, 6to4).
/// Sources: IANA special-purpose address registries (RFC 6890), RFC 6052, RFC 8215, RFC 3056, RFC 4380.
public enum PublicInternet {
    /// IPv4 ranges that are not the Internet.
    public static let excludedIPv4 = ranges([
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    ])

    /// IPv6 ranges that are not the Internet.
    ///
    /// `::/8` stands for `::ffff:0:0/96` (addresses that embed IPv4 ones), which the API server refuses as an exception of
    /// `::/0` because Go takes it for an IPv4 range; the more special ranges inside `::/8` are named all the same.
    public static let excludedIPv6 = ranges([
        "::/8", "::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32",
        "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8",
    ])

    /// All ranges that are not the Internet.
    public static let excluded = excludedIPv4 + excludedIPv6

    /// Whether a block shares an address with a range that is not the Internet.
    public static func excludes(partOf block: AddressRange) -> Bool { excluded.contains { $0.overlaps(block) } }

    /// Returns the peers that are the Internet, without further ranges.
    ///
    /// - Parameter others: Ranges of the cluster's own (pods, Services, nodes) that strangers' code must not reach either.
    /// - Returns: One peer for IPv4, one for IPv6.
    public static func peers(excluding others: [AddressRange] = []) -> [NetworkPolicyPeer] {
        [block("0.0.0.0/0"), block("::/0")].compactMap { $0 }.map { peer(for: $0, excluding: others) }
    }

    /// Returns the peer for one block, without what lies in it and is not the Internet.
    ///
    /// - Parameters:
    ///   - block: The addresses. A block inside an excluded range stays whole: whether it may be used is the caller's
    ///     decision.
    ///   - others: Further ranges to exclude.
    public static func peer(for block: AddressRange, excluding others: [AddressRange] = []) -> NetworkPolicyPeer {
        var exceptions: [AddressRange] = []
        for range in excluded + others where range != block && block.contains(range) && !exceptions.contains(range) {
            exceptions.append(range)
        }
        return NetworkPolicyPeer(ipBlock: IPBlock(cidr: block.description, except: exceptions.map(\.description)))
    }

    private static func block(_ text: String) -> AddressRange? { AddressRange(text) }

    private static func ranges(_ texts: [String]) -> [AddressRange] {
        let ranges = texts.compactMap { AddressRange($0) }
        precondition(ranges.count == texts.count, "a range in the list above is misspelt")
        return ranges
    }
}
