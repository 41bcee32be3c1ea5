import Testing

@testable import HTTP

@Suite("Header fields")
struct HTTPHeadersTests {
    @Test("Names compare without regard to case and keep theirs")
    func namesIgnoreCase() {
        var headers = HTTPHeaders([("Content-Type", "text/plain")])

        headers.add("X-Two", "1")
        headers.add("x-two", "2")

        #expect(headers["content-TYPE"] == "text/plain")
        #expect(headers.values(for: "X-TWO") == ["1", "2"])
        #expect(headers.fields.map(\.name) == ["Content-Type", "X-Two", "x-two"])
    }

    @Test("Setting replaces every field of the name at the place of the first")
    func settingReplaces() {
        var headers = HTTPHeaders([("A", "1"), ("B", "2"), ("a", "3")])

        headers["A"] = "4"

        #expect(headers.fields.map(\.name) == ["A", "B"])
        #expect(headers["a"] == "4")
    }

    @Test("Setting nil removes every field of the name")
    func settingNilRemoves() {
        var headers = HTTPHeaders([("A", "1"), ("B", "2"), ("a", "3")])

        headers["a"] = nil

        #expect(headers.count == 1)
        #expect(!headers.contains("A"))
    }

    @Test("A value cannot start a line of its own", arguments: ["a\r\nX: y", "a\nX: y", "a\u{0}b", "\r\n"])
    func valuesStayOnTheirLine(value: String) {
        var headers = HTTPHeaders()

        headers.add("Location", value)

        let stored = headers["location"] ?? "\n"
        #expect(stored.utf8.allSatisfy { $0 >= 0x20 })
        #expect(stored.first != " ")
    }

    @Test("A name that is no token is refused", arguments: ["", "a b", "a:", "ä", "a\r\n", "(a)"])
    func namesAreTokens(name: String) {
        var headers = HTTPHeaders()

        let isAdded = headers.add(name, "1")

        #expect(!isAdded)
        #expect(headers.isEmpty)
    }

    @Test("The token class is exactly that of RFC 9110")
    func tokenClass() {
        let expected = Set("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

        let tokens = Set((0...255).map(UInt8.init).filter(HTTPCharacters.isToken))

        #expect(tokens == expected)
    }
}
