import KubernetesTypes
import Testing

@Suite("Blocks of addresses")
struct AddressRangeTests {
    @Test(
        "CIDR notation is read strictly and printed in its canonical form",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("255.255.255.255/32", "255.255.255.255/32"),
            ("::/0", "::/0"), ("::1/128", "::1/128"), ("2001:DB8:0:0::/32", "2001:db8::/32"),
            ("1:0:0:2:0:0:0:3/128", "1:0:0:2::3/128"), ("::ffff:10.0.0.0/104", "::ffff:a00:0/104"),
            ("64:ff9b:1::/48", "64:ff9b:1::/48"), ("1:2:3:4:5:6:7:8/128", "1:2:3:4:5:6:7:8/128"),
            ("1::/16", "1::/16"), ("::2:3:4:5:6:7:8/128", "0:2:3:4:5:6:7:8/128"),
        ])
    func reading(text: String, canonical: String) throws {
        let range = try #require(AddressRange(text))

        #expect(range.description == canonical)
    }

    @Test(
        "What is no block is refused",
        arguments: [
            "", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.1/8", "10.0.0/8",
            "10.0.0.0.0/8", "010.0.0.0/8", "256.0.0.0/8", "1.2.3.4/32/1", "0x0a.0.0.0/8", " 10.0.0.0/8", "::/129",
            ":::/0",
            "1::2::3/128", "12345::/16", "1:2:3:4:5:6:7/128", "1:2:3:4:5:6:7:8:9/128", "1:2:3:4:5:6:7:8::/128",
            "g::/16",
            "fe80::1%eth0/128", "::1/64", "1.2.3.4::/32", "::1.2.3/128", "+1::/16", ":1::/16", "1:/16",
            String(repeating: "1", count: 10_000) + "/8",
        ])
    func refusing(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test(
        "A block contains its parts",
        arguments: [
            ("10.0.0.0/8", "10.1.0.0/16", true), ("10.1.0.0/16", "10.0.0.0/8", false), ("0.0.0.0/0", "::/0", false),
            ("::/0", "ff00::/8", true), ("fc00::/7", "fd00::/8", true), ("10.0.0.0/8", "11.0.0.0/8", false),
        ])
    func containing(outer: String, inner: String, expected: Bool) throws {
        let outer = try #require(AddressRange(outer))
        let inner = try #require(AddressRange(inner))

        #expect(outer.contains(inner) == expected)
        #expect(outer.overlaps(inner) == (expected || inner.contains(outer)))
    }

    @Test(
        "Addresses that lead into a cluster, a node or a provider are not the Internet",
        arguments: [
            "10.0.0.1", "127.0.0.1", "169.254.169.254", "172.31.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0",
            "224.0.0.1", "255.255.255.255", "198.18.0.1", "::", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
            "64:ff9b:1::1", "2002:a00:1::", "2001::1", "fd00:ec2::254", "fe80::1", "ff02::1", "100::1", "2001:db8::1",
        ])
    func excluded(address: String) throws {
        let address = try #require(AddressRange(address: address))

        #expect(PublicInternet.excludes(partOf: address))
    }

    @Test("Public addresses are the Internet", arguments: ["8.8.8.8", "1.1.1.1", "151.101.0.1", "2606:4700::1111"])
    func included(address: String) throws {
        let address = try #require(AddressRange(address: address))

        #expect(!PublicInternet.excludes(partOf: address))
    }

    @Test("Only what lies inside a block is excepted from it, and each range once")
    func exceptions() throws {
        let block = try #require(AddressRange("192.0.0.0/8"))
        let own = try ["192.5.0.0/16", "192.168.0.0/16", "11.0.0.0/8"].map { try #require(AddressRange($0)) }

        let peer = PublicInternet.peer(for: block, excluding: own)

        #expect(
            peer.ipBlock?.except == [
                "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.5.0.0/16",
            ])
    }
}
