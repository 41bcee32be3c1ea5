import JSON
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    @Test(
        "A tree is written compactly with sorted keys",
        arguments: [
            (.null, "null"),
            (true, "true"),
            (-12, "-12"),
            (7, "7"),
            (.unsigned(.max), "18446744073709551615"),
            (1.5, "1.5"),
            (.double(1), "1.0"),
            (.double(1e300), "1e+300"),
            (.double(.nan), "null"),
            (.double(.infinity), "null"),
            ("a/b", #""a/b""#),
            ("\"\\\n\r\t\u{8}\u{c}\u{1}\u{1f}\0", #""\"\\\n\r\t\b\f\u0001\u001f\u0000""#),
            ("é😀\u{7f}", "\"é😀\u{7f}\""),
            ([], "[]"),
            ([:], "{}"),
            (["b": [1, "x", .null], "a": ["c": false]], #"{"a":{"c":false},"b":[1,"x",null]}"#),
        ] as [(JSONValue, String)])
    func compact(value: JSONValue, expected: String) {
        #expect(JSONWriter().string(value) == expected)
    }

    @Test("The pretty style puts each member on its own line")
    func pretty() {
        let value: JSONValue = ["list": [1, [:], []], "empty": [:], "name": "x"]

        let text = JSONWriter(style: .pretty).string(value)

        #expect(
            text == """
                {
                  "empty": {},
                  "list": [
                    1,
                    {},
                    []
                  ],
                  "name": "x"
                }
                """)
    }

    @Test("Random doubles survive a round trip", arguments: [11, 12] as [UInt64])
    func doubles(seed: UInt64) throws {
        var random = SplitMix64(state: seed)

        for _ in 0..<20_000 {
            let number = Double(bitPattern: random.next())
            guard number.isFinite else { continue }
            let value = try JSONReader().parse(JSONWriter().write(.double(number)))
            #expect(value == .double(number), "seed \(seed)")
        }
    }
}
