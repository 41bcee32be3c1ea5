import JSON
import Testing
import YAML

@Suite("YAML writer")
struct YAMLWriterTests {
    @Test("Objects look as kubectl prints them")
    func layout() throws {
        let value: JSONValue = [
            "apiVersion": "v1",
            "kind": "List",
            "empty": [:],
            "none": [],
            "nothing": .null,
            "items": [
                ["args": ["--flag", "-c", "a b", "1"], "name": "x", "script": "#!/bin/sh\nset -e\n\necho hi\n"],
                [["nested"], []],
                "plain",
                "two\nlines",
            ],
            "ratio": 0.5,
            "replicas": 3,
        ]

        let text = String(decoding: try YAMLWriter().encode(value), as: UTF8.self)

        #expect(
            text == """
                apiVersion: v1
                empty: {}
                items:
                - args:
                  - --flag
                  - -c
                  - a b
                  - "1"
                  name: x
                  script: |
                    #!/bin/sh
                    set -e

                    echo hi
                - - - nested
                  - []
                - plain
                - |-
                  two
                  lines
                kind: List
                none: []
                nothing: null
                ratio: 0.5
                replicas: 3

                """)
    }

    @Test(
        "A string is quoted where another reader could take it for something else",
        arguments: [
            ("", #""""#), ("true", #""true""#), ("Yes", #""Yes""#), ("n", #""n""#), ("null", #""null""#),
            ("~", #""~""#),
            ("1", #""1""#), ("-1.5", #""-1.5""#), ("1e3", #""1e3""#), ("0x1F", #""0x1F""#), ("0b1", #""0b1""#),
            ("1_000", #""1_000""#), ("12:30", #""12:30""#), ("2026-07-28", #""2026-07-28""#),
            ("2026-07-28T12:00:00Z", #""2026-07-28T12:00:00Z""#), (".inf", #"".inf""#), ("-", #""-""#),
            ("- a", #""- a""#),
            ("---", #""---""#), ("a: b", #""a: b""#), ("a:", #""a:""#), ("a #b", #""a #b""#), ("#a", ##""#a""##),
            ("*a", #""*a""#), ("&a", #""&a""#), ("!a", #""!a""#), ("[a", #""[a""#), ("{a", #""{a""#), ("@a", #""@a""#),
            ("`a", #""`a""#), ("%a", #""%a""#), ("'a", #""'a""#), ("\"a", #""\"a""#), (" a", #"" a""#),
            ("a ", #""a ""#),
            ("a\tb", #""a\tb""#), ("a\r\nb", #""a\r\nb""#), ("\n", #""\n""#), ("\u{0}", #""\u0000""#),
            ("\u{2028}", #""\u2028""#), ("\u{feff}", #""\ufeff""#), ("<<", #""<<""#), ("=", #""=""#),
            ("a", "a"), ("a:b", "a:b"), ("a#b", "a#b"), ("10s", "10s"), ("v1", "v1"),
            ("r/i:1@sha256:ab", "r/i:1@sha256:ab"),
            ("it's", "it's"), ("Grüße 😀", "Grüße 😀"), ("--flag", "--flag"), ("/a b", "/a b"), ("$(x)", "$(x)"),
        ])
    func quoting(string: String, expected: String) throws {
        let bytes = try YAMLWriter().encode(["k": string])

        #expect(String(decoding: bytes, as: UTF8.self) == "k: \(expected)\n")
        #expect(try YAMLReader().decode([String: String].self, from: bytes) == ["k": string])
    }

    @Test("Texts of several lines come back as they were")
    func literals() throws {
        let texts = [
            "a\nb", "a\nb\n", "a\nb\n\n", "a\n\n\nb\n\n\n", "a\n  indented\n", " a\nb", "\na", "\n\n", "a\n ", "a \nb ",
            "a\n#b\n",
            "a\n---\nb", "a\tb\n\tc\n", "- a\n- b\n", "a: b\nc: d\n", "a\n\u{1b}[31m\n", "\ta\nb",
        ]

        for text in texts {
            let nested = ["list": [["k": text, "l": "after"]]]
            let bytes = try YAMLWriter().encode(nested)
            #expect(try YAMLReader().decode([String: [[String: String]]].self, from: bytes) == nested, "\(bytes)")
            let alone = try YAMLWriter().encode(text)
            #expect(try YAMLReader().decode(String.self, from: alone) == text)
        }
    }

    @Test("Random strings survive a round trip as values and keys", arguments: [31, 32] as [UInt64])
    func randomStrings(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let alphabet = Array("ab01-:#'\"\\ \n\t[]{},&*!|>%@`?.~=<é\u{85}\u{7f}\u{2028}😀\u{1}").map(String.init)

        for _ in 0..<3000 {
            let count = Int.random(in: 0...8, using: &random)
            let string = (0..<count).compactMap { _ in alphabet.randomElement(using: &random) }.joined()
            let value = ["k\(string)": [string], string: []]
            let bytes = try YAMLWriter().encode(value)
            #expect(
                try YAMLReader().decode([String: [String]].self, from: bytes) == value, "seed \(seed): \(string.utf8)")
        }
    }

    @Test("Documents are parted by three dashes")
    func documents() throws {
        let writer = YAMLWriter()

        let bytes = writer.write(all: [try writer.node(of: ["a": 1]), try writer.node(of: [true])])

        #expect(String(decoding: bytes, as: UTF8.self) == "a: 1\n---\n- true\n")
    }

    @Test("Numbers keep their values")
    func numbers() throws {
        let values: [JSONValue] = [
            0, -1, .integer(.min), .unsigned(.max), 0.1, .double(1), .double(1e300), .double(.leastNonzeroMagnitude),
        ]

        let again = try YAMLReader().decode([JSONValue].self, from: try YAMLWriter().encode(values))

        #expect(again == values)
        #expect(
            try YAMLWriter().encode([Double.infinity, -.infinity, .nan]) == Array("- .inf\n- -.inf\n- .nan\n".utf8))
    }
}
