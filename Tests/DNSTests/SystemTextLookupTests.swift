import Testing

@testable import DNS

@Suite("Looking up TXT records", .timeLimit(.minutes(10)))
struct SystemTextLookupTests {
    private static let name = "_farebox.shop.example.com"

    /// Asks a server that has long for its answer: its threads may have to wait for a processor.
    private func ask(
        timeout: Int = 100, _ answer: @escaping NameServer.Answer
    ) async throws -> (finding: TextFinding, count: Int) {
        let server = try NameServer(answer)
        defer { server.stop() }
        let lookup = SystemTextLookup(server: .init(address: "127.0.0.1", port: server.port), timeout: timeout)

        let finding = await lookup.texts(of: Self.name)

        return (finding, server.count)
    }

    @Test("Finds what is there")
    func found() async throws {
        let (finding, count) = try await ask { id, _ in
            var message = Message(id: id, name: Self.name, answers: 2)
            message.text("v=spf1 -all")
            message.text("farebox=team-a/", "shop")
            return message.bytes
        }

        #expect(finding == .texts(["v=spf1 -all", "farebox=team-a/shop"]))
        // A starved server is asked again.
        #expect(count >= 1)
    }

    @Test("Asks by TCP for an answer that is cut")
    func cut() async throws {
        let (finding, count) = try await ask { id, isTCP in
            guard isTCP else { return Message(id: id, name: Self.name, isCut: true).bytes }
            var message = Message(id: id, name: Self.name, answers: 100)
            for _ in 0..<100 { message.text(String(repeating: "x", count: 250)) }
            return message.bytes
        }

        #expect(finding == .texts(Array(repeating: String(repeating: "x", count: 250), count: 100)))
        #expect(count >= 2)
    }

    @Test(
        "Tells a name or a record that is not there from a server that does not know",
        arguments: [0, 2, 3, 5] as [UInt8])
    func absent(code: UInt8) async throws {
        let (finding, _) = try await ask { id, _ in Message(id: id, name: Self.name, code: code).bytes }

        #expect(finding == (code == 0 || code == 3 ? .texts([]) : .unknown))
    }

    @Test("Gives up on a server that is silent, or answers nonsense or somebody else's question", arguments: [0, 1, 2])
    func silent(kind: Int) async throws {
        // That it ends is what is shown: without a limit it would wait for ever.
        let (finding, count) = try await ask(timeout: SystemTextLookup.timeout) { id, _ in
            switch kind {
            case 0: nil
            case 1: id + [0x81]
            default: Message(id: [id[0] ^ 1, id[1]], name: Self.name).bytes
            }
        }

        #expect(finding == .unknown)
        #expect(count <= SystemTextLookup.tries)
    }

    @Test("Asks nobody for what cannot be a name", arguments: ["a\0b", String(repeating: "a.", count: 200)])
    func unaskable(name: String) async throws {
        let server = try NameServer { _, _ in nil }
        defer { server.stop() }

        let finding = await SystemTextLookup(server: .init(address: "127.0.0.1", port: server.port)).texts(of: name)

        #expect(finding == .unknown || finding == .texts([]))
        #expect(server.count == 0)
    }
}
