import JSON
import Testing
import YAML

@Suite("YAML reader")
struct YAMLReaderTests {
    @Test(
        "Plain scalars mean what YAML 1.2's core schema says",
        arguments: [
            ("", .null), ("~", .null), ("null", .null), ("NULL", .null), ("true", true), ("True", true),
            ("FALSE", false),
            ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("tRue", "tRue"),
            ("0", 0), ("-12", -12), ("+12", 12), ("007", 7), ("0o17", 15), ("0x1F", 31), ("0x", "0x"), ("0x-1", "0x-1"),
            ("0o8", "0o8"), ("1_000", "1_000"), ("9223372036854775807", .integer(.max)),
            ("9223372036854775808", .unsigned(9_223_372_036_854_775_808)),
            ("18446744073709551616", .double(18_446_744_073_709_551_616)), ("1.5", 1.5), ("-.5", -0.5),
            ("1.", .double(1)),
            ("1e3", .double(1000)), ("1e", "1e"), ("1.2.3", "1.2.3"), (".", "."), ("-", nil), ("+", "+"), ("..", ".."),
            (".inf", .double(.infinity)), ("-.INF", .double(-.infinity)), ("inf", "inf"), ("nan", "nan"),
            ("1:30", "1:30"), ("2026-07-28", "2026-07-28"), ("0b11", "0b11"), ("'true'", "true"), ("\"1\"", "1"),
            ("!!str 1", "1"), ("! 1", "1"), ("!!int 1", 1), ("!!float 1", .double(1)), ("|\n  1\n", "1\n"),
            (">-\n  a\n  b\n", "a b"),
        ] as [(String, JSONValue?)])
    func scalars(text: String, expected: JSONValue?) throws {
        let value = try? YAMLReader().decode([String: JSONValue].self, from: Array("k: \(text)\n".utf8))

        #expect(value?["k"] == expected)
    }

    @Test("Blocks, flows, comments, anchors and merge keys become one tree")
    func structure() throws {
        let text = """
            # comment
            base: &base {image: x, replicas: 1}
            list:
            - a
            - {b: [1, 2], "c d": 'it''s'}
            -
              - nested
            web:
              <<: *base
              replicas: 2
            both:
              <<: [{a: 1}, {a: 2, b: 3}]
            again: *base
            text: |
              line 1
                line 2

            """

        let value = try YAMLReader().decode(JSONValue.self, from: Array(text.utf8))

        #expect(
            value == [
                "base": ["image": "x", "replicas": 1],
                "list": ["a", ["b": [1, 2], "c d": "it's"], ["nested"]],
                "web": ["image": "x", "replicas": 2],
                "both": ["a": 1, "b": 3],
                "again": ["image": "x", "replicas": 1],
                "text": "line 1\n  line 2\n",
            ])
    }

    @Test(
        "What is ambiguous or broken is refused at its place",
        arguments: [
            ("a: 1\nb: 2\na: 3\n", "line 3, column 1: the key \"a\" is there twice, first at line 1, column 1"),
            ("a: {\"b\": 1, b: 2}", "line 1, column 13: the key \"b\" is there twice, first at line 1, column 5"),
            ("? [1]\n: 2", "line 1, column 3: a key must be a plain or quoted text"),
            ("a: *nowhere", "line 1, column 4: the alias repeats an anchor that is not there"),
            ("&a [*a]", "line 1, column 5: the alias repeats an anchor that is not there"),
            ("a: !custom x", "line 1, column 4: unknown tag, or a value that it does not fit"),
            ("a: !!int x", "line 1, column 4: unknown tag, or a value that it does not fit"),
            ("a: !!binary aGk=", "line 1, column 4: unknown tag, or a value that it does not fit"),
            ("!!set {a}", "line 1, column 1: unknown tag, or a value that it does not fit"),
            ("<<: 1", "line 1, column 5: expected a mapping or a list of mappings to merge"),
            ("a: 1\n--- \nb: 2\n", "line 3, column 1: expected one document, found 2"),
            ("a: [1, 2", "line 2, column 1: did not find expected ',' or ']', while parsing a flow sequence"),
            (
                "a:\n\t- b",
                "line 2, column 1: found character that cannot start any token, while scanning for the next token"
            ),
        ])
    func refused(text: String, message: String) {
        let error = #expect(throws: YAMLError.self) { try YAMLReader().parse(Array(text.utf8)) }

        #expect(error?.description == message)
    }

    @Test(
        "Bytes that are no text are refused",
        arguments: [[0xFF], [0x61, 0x3A, 0x20, 0xC3], [0xFE, 0xFF, 0x00, 0x61], [0x00], [0x61, 0x00, 0x62]] as [[UInt8]]
    )
    func noText(bytes: [UInt8]) {
        #expect(throws: YAMLError.self) { try YAMLReader().parse(bytes) }
    }

    @Test("Several documents come one by one, and nothing is null")
    func documents() throws {
        let reader = YAMLReader()

        let documents = try reader.parseAll(Array("a: 1\n---\n---\n- 2\n...\n".utf8))

        #expect(try documents.map { try reader.decode(JSONValue.self, from: $0) } == [["a": 1], .null, [2]])
        #expect(try reader.parseAll([]).isEmpty)
        #expect(try reader.decode(JSONValue.self, from: []) == .null)
        #expect(try reader.parseAll(Array("# only a comment\n".utf8)).isEmpty)
    }

    @Test("A small text cannot blow up through its aliases")
    func aliasBomb() {
        var text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1...20 {
            let references = repeatElement("*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(references)]\n"
        }

        let error = #expect(throws: YAMLError.self) { try YAMLReader().parse(Array(text.utf8)) }

        #expect(error?.description.contains("after following aliases") == true)
    }

    @Test("Aliases count as deep as what they repeat")
    func aliasDepth() {
        var text = "a0: &a0 [x]\n"
        for level in 1...200 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }

        let error = #expect(throws: YAMLError.self) { try YAMLReader().parse(Array(text.utf8)) }

        #expect(error?.description.contains("nest deeper than the 100 levels") == true)
    }

    @Test(
        "Each limit is kept",
        arguments: [
            (YAMLReader.Limits(bytesMaximum: 3), "a: 1", "4 bytes, more than the 3"),
            (YAMLReader.Limits(aliasesMaximum: 1), "[&a 1, *a, *a]", "more than the 1 aliases"),
            (
                YAMLReader.Limits(expandedBytesMaximum: 100), "[&a abcdefghij, *a, *a, *a, *a]",
                "more than the 100 bytes"
            ),
            (YAMLReader.Limits(documentsMaximum: 1), "a\n---\nb\n", "more than the 1 documents"),
            (YAMLReader.Limits(depthMaximum: 2), "[[[]]]", "deeper than the 2 levels"),
        ])
    func limits(limits: YAMLReader.Limits, text: String, message: String) {
        let error = #expect(throws: YAMLError.self) { try YAMLReader(limits: limits).parseAll(Array(text.utf8)) }

        #expect(error?.description.contains(message) == true)
    }

    @Test("Deep nesting of any size is refused", arguments: ["[", "{a: ", "- ", "? "])
    func deep(open: String) {
        let text = String(repeating: open, count: 100_000)

        #expect(throws: YAMLError.self) { try YAMLReader().parse(Array(text.utf8)) }
    }

    @Test("Mutated texts never trap", arguments: [21, 22, 23] as [UInt64])
    func mutations(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let original = Array(
            "a: &x {b: [1, -2.5, 'it''s', \"q\\u00e9\"], <<: {c: ~}}\nd: *x\ne: |\n  text\n---\n- é: 0x1F\n".utf8)
        var accepted = 0

        for _ in 0..<800 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                guard let index = bytes.indices.randomElement(using: &random) else { break }
                switch UInt8.random(in: 0...2, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: index)
                }
            }
            guard let nodes = try? YAMLReader().parseAll(bytes) else { continue }
            accepted += 1
            let values = try nodes.map { try YAMLReader().decode(JSONValue.self, from: $0) }
            let again = try YAMLReader().parseAll(YAMLWriter().write(all: nodes))
            #expect(
                try again.map { try YAMLReader().decode(JSONValue.self, from: $0) } == values, "seed \(seed): \(bytes)")
        }

        #expect(accepted > 100, "the mutations should leave some texts valid")
    }
}

/// A small generator of repeatable random numbers.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
