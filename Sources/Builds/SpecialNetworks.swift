/// The address ranges that are not the public Internet: where neither builds nor checkouts may go by themselves.
///
/// Private, loopback, link-local (cloud metadata among them), carrier-grade NAT, documentation, benchmarking, multicast
/// and reserved ranges (IANA special-purpose registries, RFC 6890), and the IPv6 prefixes that lead back to IPv4 (NAT64,
/// 6to4, Teredo, mapped addresses).
public enum SpecialNetworks {
    /// IPv4 ranges, as CIDRs.
    public static let ipv4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    ]

    /// IPv6 ranges, as CIDRs.
    public static let ipv6 = [
        "::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32",
        "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8",
    ]
}
