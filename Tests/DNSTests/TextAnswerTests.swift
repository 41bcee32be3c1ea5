import Testing

@testable import DNS

@Suite("The answer of a name server")
struct TextAnswerTests {
    private static let name = "_farebox.Shop.example.com"

    @Test("Records are put together of their strings, and others than TXT are passed over")
    func texts() throws {
        var message = Message(name: Self.name, answers: 4)
        message.text("farebox=", "team-a/shop")
        message.text("")
        message.record(type: 1, data: [10, 0, 0, 1])
        message.record(type: 16, family: 3, data: [1, 0x61])

        let answer = try TextAnswer(message.bytes, name: Self.name)

        #expect(answer.texts == ["farebox=team-a/shop", ""])
    }

    @Test("The records of another name count where it is an alias, and only there")
    func aliases() throws {
        var message = Message(name: Self.name, answers: 4)
        message.record(type: 5, data: Message.name("proofs.Example.net"))
        message.record(owner: Message.name("proofs.example.net"), type: 5, data: Message.name("x.example.net"))
        message.text("far", owner: Message.name("X.example.NET"))
        message.text("foreign", owner: Message.name("other.example.net"))

        let answer = try TextAnswer(message.bytes, name: Self.name)

        #expect(answer.texts == ["far"])
    }

    @Test("Aliases that lead in a circle end")
    func circle() throws {
        var message = Message(name: "a", answers: 2)
        message.record(owner: Message.name("a"), type: 5, data: Message.name("b"))
        message.record(owner: Message.name("b"), type: 5, data: Message.name("a"))

        #expect(try TextAnswer(message.bytes, name: "a").texts.isEmpty)
    }

    private static let hostile: [(String, [UInt8])] = {
        func record(_ owner: [UInt8], _ data: [UInt8], length: Int? = nil) -> [UInt8] {
            var message = Message(name: "a.b", answers: 1)
            message.record(owner: owner, type: 16, data: data, length: length)
            return message.bytes
        }
        return [
            ("nothing", []), ("half a head", [0, 1, 0x81]), ("no question", Array(Message(name: "a").bytes.prefix(12))),
            ("no record", Message(name: "a", answers: 1).bytes),
            ("a name that leads to itself", record([0xC0, 21], [1, 0x61])),
            ("a name that leads outside", record([0xFF, 0xFF], [1, 0x61])),
            ("a label of a kind there is not", record([0x80, 0], [1, 0x61])),
            ("a label beyond the end", record([63, 0x61], [])),
            ("a record beyond the end", record([0xC0, 12], [1, 0x61], length: 60_000)),
            ("a string beyond its record", record([0xC0, 12], [200, 0x61])),
            ("two questions", [0, 1, 0x81, 0x80, 0, 2, 0, 0, 0, 0, 0, 0] + Message.name("a") + [0, 16, 0, 1]),
            ("more records than anybody has", [0, 1, 0x81, 0x80, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0]),
        ]
    }()

    @Test("Bytes that break the form are refused", arguments: hostile)
    func malformed(what: String, bytes: [UInt8]) {
        #expect(throws: TextAnswer.Malformed.self) { try TextAnswer(bytes, name: "a.b") }
    }

    @Test("No answer cut or changed anywhere traps or hangs")
    func noise() throws {
        var message = Message(name: Self.name, answers: 2)
        message.record(type: 5, data: Message.name("proofs.example.net"))
        message.text("farebox=team-a/shop", owner: [0xC0, 12])
        for count in message.bytes.indices {
            _ = try? TextAnswer(Array(message.bytes.prefix(count)), name: Self.name)
            for value: UInt8 in [0, 1, 0x3F, 0x40, 0xC0, 0xFF] {
                var bytes = message.bytes
                bytes[count] = value
                _ = try? TextAnswer(bytes, name: Self.name)
            }
        }
    }
}
