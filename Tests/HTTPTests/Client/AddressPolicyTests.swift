import Synchronization
import Testing

@testable import HTTP

@Suite("Address policy", .timeLimit(.minutes(10)))
struct AddressPolicyTests {
    @Test(
        "Addresses outside the public Internet are refused",
        arguments: [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
            "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1",
            "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
            "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "64:ff9b::a00:1",
            "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::", "3fff::1", "fc00::1", "fd00:ec2::254",
            "fe80::1", "fec0::1", "ff02::1", "5f00::1",
        ])
    func refuses(text: String) throws {
        let address = try #require(NetworkAddress(text))

        #expect(!AddressPolicy.publicOnly.allows(address))
        #expect(AddressPolicy.any.allows(address))
    }

    @Test(
        "Public addresses are allowed",
        arguments: [
            "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
            "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
            "::ffff:1.1.1.1",
        ])
    func allows(text: String) throws {
        #expect(AddressPolicy.publicOnly.allows(try #require(NetworkAddress(text))))
    }

    @Test("Ranges of our own are refused as well, in either notation of the address")
    func refusesOwnRanges() throws {
        let range = try #require(AddressRange("8.8.8.0/24"))
        let policy = AddressPolicy(isPublicOnly: true, refusedRanges: [range])

        #expect(!policy.allows(try #require(NetworkAddress("8.8.8.255"))))
        #expect(!policy.allows(try #require(NetworkAddress("::ffff:8.8.8.8"))))
        #expect(policy.allows(try #require(NetworkAddress("8.8.9.0"))))
    }

    @Test("A private range can be let in, but not against a refusal")
    func allowsOwnRanges() throws {
        let allowed = try #require(AddressRange("10.1.2.0/24"))
        let refused = try #require(AddressRange("10.1.2.128/25"))
        let policy = AddressPolicy(isPublicOnly: true, refusedRanges: [refused], allowedRanges: [allowed])

        #expect(policy.allows(try #require(NetworkAddress("10.1.2.127"))))
        #expect(policy.allows(try #require(NetworkAddress("::ffff:10.1.2.3"))))
        #expect(!policy.allows(try #require(NetworkAddress("10.1.2.128"))))
        #expect(!policy.allows(try #require(NetworkAddress("10.1.3.1"))))
        #expect(policy.allows(try #require(NetworkAddress("1.1.1.1"))))
    }

    @Test(
        "A malformed range is none",
        arguments: ["", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/129", "a/b", "10.0.0.0/+8", "10.0.0.0/8/8"])
    func malformedRange(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test("A range's edges are inside and their neighbours outside")
    func rangeEdges() throws {
        let range = try #require(AddressRange("172.16.99.1/12"))

        #expect(range.base.description == "172.16.0.0")
        for (text, isInside) in [
            ("172.15.255.255", false), ("172.16.0.0", true), ("172.31.255.255", true), ("172.32.0.0", false),
        ] {
            #expect(range.contains(try #require(NetworkAddress(text))) == isInside)
        }
    }

    @Test(
        "A guarded client connects to no inner address, whatever name leads there",
        arguments: [
            "127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0177.0.0.1",
        ])
    func guardsClient(host: String) async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.respond("inside")
        }
        let client = HTTPClient(configuration: HTTPClientConfiguration(addresses: .publicOnly))

        let error = await #expect(throws: HTTPClientError.self) {
            try await client.send(HTTPClientRequest(url: "http://\(host):\(server.port)/"))
        }

        guard case .refusedAddress = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
        #expect(server.connectionCount == 0)
    }

    @Test("A redirect to a refused address is not followed")
    func guardsRedirects() async throws {
        let inner = try ScriptedServer { $0.respond("inside") }
        let target = inner.url().replacing("127.0.0.1", with: "127.0.0.2")
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.respond("", status: "302 Found", headers: "Location: \(target)\r\n")
        }
        let policy = AddressPolicy(isPublicOnly: false, refusedRanges: [try #require(AddressRange("127.0.0.2/32"))])
        let client = HTTPClient(configuration: HTTPClientConfiguration(addresses: policy, redirectsMaximum: 5))

        await #expect(throws: HTTPClientError.refusedAddress("127.0.0.2")) {
            try await client.send(HTTPClientRequest(url: server.url()))
        }

        #expect(server.connectionCount == 1)
        #expect(inner.connectionCount == 0)
    }

    @Test("A guarded client goes through no proxy, which could lead anywhere")
    func guardedGoesWithoutProxy() async throws {
        let proxy = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.respond("by proxy")
        }
        let client = HTTPClient(
            configuration: HTTPClientConfiguration(proxy: .url(proxy.url("")), addresses: .publicOnly))

        await #expect(throws: HTTPClientError.refusedAddress("127.0.0.1")) {
            try await client.send(HTTPClientRequest(url: "http://127.0.0.1:9/"))
        }

        #expect(proxy.connectionCount == 0)
    }
}
