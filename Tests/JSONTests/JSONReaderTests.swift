import JSON
import Testing

@Suite("JSON reader")
struct JSONReaderTests {
    static let lists: [(String, [JSONValue], JSONValue)] = [
        (
            #"{"a": 1, "items": [1, [2], {"items": [3]}], "z": null}"#, [1, [2], ["items": [3]]],
            ["a": 1, "items": [], "z": .null]
        ),
        (#"{"items": []}"#, [], ["items": []]),
        (#"{"items": null}"#, [], ["items": .null]),
        (#"{"items": {"0": 1}}"#, [], ["items": ["0": 1]]),
        (#"{"other": {"items": [1]}}"#, [], ["other": ["items": [1]]]),
        (#"[{"items": [1]}]"#, [], [["items": [1]]]),
        ("7", [], 7),
    ]

    /// Reads all elements of `items`, one by one and the last first.
    private func elements(
        of text: String, leavingOut leftOut: [[String]] = [], limits: JSONReader.Limits = JSONReader.Limits()
    ) throws -> (elements: [JSONValue], rest: JSONValue) {
        let list = try JSONReader(limits: limits).list(Array(text.utf8), elementsOf: "items")
        var found: [JSONValue] = []
        for position in (0..<list.count).reversed() {
            try list.read(position..<position + 1, leavingOut: leftOut) { found.insert($0, at: 0) }
        }
        return (found, list.rest)
    }

    @Test("Elements of one array of the outermost object are read one by one", arguments: lists)
    func list(text: String, elements: [JSONValue], rest: JSONValue) throws {
        let found = try self.elements(of: text)

        #expect(found.elements == elements && found.rest == rest)
    }

    @Test(
        "A member of elements that nobody needs is left out there, and nowhere else",
        arguments: [
            (#"{"items": [{"a": {"b": [1, {"c": "\\\""}], "c": 2}, "b": 3}]}"#, #"[{"a": {"c": 2}, "b": 3}]"#),
            (
                #"{"items": [{"a": {"b": {}}}, {"a": {"b": "\u00e9", "a": {"b": 1}}}]}"#,
                #"[{"a": {}}, {"a": {"a": {"b": 1}}}]"#
            ),
            (
                #"{"items": [{"a": 1}, {"c": {"b": 1}}, {"b": 2}, [{"a": {"b": 1}}]]}"#,
                #"[{"a": 1}, {"c": {"b": 1}}, {"b": 2}, [{"a": {}}]]"#
            ),
            (
                #"{"items": [{"a": [{"b": 1, "x": 2}, [{"b": 3}]], "x": {"x": 1}, "y": {"z": 1}, "z": {"x": 1}}]}"#,
                #"[{"a": [{"x": 2}, [{}]], "z": {"x": 1}}]"#
            ),
        ])
    func leftOut(text: String, elements: String) throws {
        let elsewhere = #", "a": {"b": 1}, "d": {"e": {"a": {"b": 2}}}}"#

        let found = try self.elements(
            of: text.dropLast() + elsewhere,
            leavingOut: [["a", "b"], ["x"], ["y", "z", "1"], ["y", "z", "2"], ["y"], []])

        #expect(try .array(found.elements) == JSONReader().parse(elements))
        #expect(try found.rest == JSONReader().parse(#"{"items": []"# + elsewhere))
    }

    @Test(
        "What is left out must have the form of JSON all the same",
        arguments: [
            "", "{", "[", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1,}", "{a:1}", "{1:1}", "[1 2]",
            "{\"a\" 1}", "\"", "\"a",
            "\"\\", "\"\n\"", "nul", "01", "-", "[[[[[[1]]]]]]", "]", "}",
        ])
    func leftOutMalformed(value: String) {
        let text = #"{"items": [{"a": \#(value)}]}"#

        #expect(throws: JSONError.self) {
            try elements(of: text, leavingOut: [["a"]], limits: JSONReader.Limits(depthMaximum: 7))
        }
    }

    @Test(
        "Reading elements one by one is as strict as reading all",
        arguments: [
            #"{"items": [1, 2,], "a": 1}"#, #"{"items": [1 2]}"#, #"{"items": [1], "items": [2]}"#, #"{"items": [1]"#,
            #"{"items": ["#, #"{"items": [1]}]"#, #"{"items": [[[[[1]]]]]}"#, #"{"items": [0, {"a": 1, "a": 2}]}"#,
            #"{"items": ["\uD800"]}"#, #"{"items": ["\x"]}"#, #"{"items": [{"\u00zz": 1}]}"#, #"{"items": [01]}"#,
        ])
    func listMalformed(text: String) {
        #expect(throws: JSONError.self) {
            try elements(of: text, limits: JSONReader.Limits(depthMaximum: 5))
        }
    }

    @Test("An error in an element tells where it is in the whole text")
    func errorInElement() {
        let text = "{\"items\":\n[1,\n  {\"a\": 1, \"a\": 2}]}"

        let whole = #expect(throws: JSONError.self) { try JSONReader().parse(text) }
        let one = #expect(throws: JSONError.self) { try elements(of: text) }
        #expect(one == whole)
    }

    @Test(
        "A valid text becomes the tree it describes",
        arguments: [
            ("null", JSONValue.null),
            (" \t\r\n true ", true),
            ("false", false),
            ("0", 0),
            ("-0", 0),
            ("-17", -17),
            ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .unsigned(9_223_372_036_854_775_808)),
            ("18446744073709551615", .unsigned(.max)),
            ("18446744073709551616", .double(18_446_744_073_709_551_616)),
            ("-9223372036854775809", .double(-9_223_372_036_854_775_808)),
            ("1.0", .double(1)),
            ("1e3", .double(1000)),
            ("-2.5E-1", .double(-0.25)),
            ("0.1", .double(0.1)),
            ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
            ("5e-324", .double(.leastNonzeroMagnitude)),
            ("1e-999", .double(0)),
            ("123456789012345678901234567890", .double(123_456_789_012_345_677_877_719_597_056)),
            (#""""#, ""),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (#""\u0041\u00e9\u20AC\ud83d\uDE00""#, "Aé€😀"),
            (#""\u0000""#, "\0"),
            ("\"Grüße, 世界 😀\u{7f}\"", "Grüße, 世界 😀\u{7f}"),
            ("[]", []),
            ("[ ]", []),
            ("[1, [2], []]", [1, [2], []]),
            ("{}", [:]),
            (#"{ "b" : 1 , "a" : [ { } ] }"#, ["a": [[:]], "b": 1]),
            (#"{"":""}"#, ["": ""]),
        ] as [(String, JSONValue)])
    func valid(text: String, expected: JSONValue) throws {
        let value = try JSONReader().parse(text)

        #expect(value == expected)
    }

    @Test(
        "What RFC 8259 does not allow is refused",
        arguments: [
            "", " ", "nul", "nulL", "True", "tru", "truex", "+1", "01", "-01", "-", "--1", ".5", "1.", "1.e3", "1e",
            "1e+",
            "0x10", "1_000", "NaN", "Infinity", "-Infinity", "1e999", "-1e400", "1 2", "1,", "[", "]", "[1", "[1,",
            "[1,]",
            "[,1]", "[1 2]", "{", "}", "{a:1}", "{'a':1}", #"{"a"}"#, #"{"a":}"#, #"{"a":1"#, #"{"a":1,}"#,
            #"{,"a":1}"#,
            #"{"a":1 "b":2}"#, #"{"a" 1}"#, #"{1:1}"#, #"{"a":1}}"#, #"""#, #""a"#, #""\"#, #""\""#, #""\x""#,
            #""\u12""#,
            #""\u12G4""#, #""\uD800""#, #""\uDC00""#, #""\uD800\u0041""#, #""\uD800\uD800""#, #""\uD800x""#, #""\uD8"#,
            "\"\n\"", "\"\t\"", "\"\u{1f}\"", "// x\n1", "/* x */1", "1 // x", "\u{feff}1", "\u{a0}1", "[1}",
            "{\"a\":1]",
        ])
    func malformed(text: String) {
        #expect(throws: JSONError.self) { try JSONReader().parse(text) }
    }

    @Test(
        "Invalid UTF-8 is refused at its own place",
        arguments: [
            ([0x80], 1), ([0x61, 0xC0, 0xAF], 2), ([0xE2, 0x82], 1), ([0xED, 0xA0, 0x80], 1),
            ([0xF4, 0x90, 0x80, 0x80], 1), ([0x5C, 0x6E, 0x61, 0xFF], 4), ([0xFF, 0x5C, 0x6E], 1),
        ] as [([UInt8], Int)])
    func invalidUTF8(content: [UInt8], offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONReader().parse([0x22] + content + [0x22]) }

        guard case .malformed("invalid UTF-8", let location) = error else {
            Issue.record("unexpected error: \(String(describing: error))")
            return
        }
        #expect(location.offset == offset)
    }

    @Test(
        "An object with a key twice is refused, however the key is written",
        arguments: [#"{"a":1,"a":1}"#, #"{"a":1,"b":2,"\u0061":3}"#, #"{"z":1,"b":2,"a":3,"z":4}"#, #"{"é":1,"é":2}"#])
    func duplicateKeys(text: String) {
        let error = #expect(throws: JSONError.self) { try JSONReader().parse(text) }

        #expect(error?.description.contains("twice") == true)
    }

    @Test("An error names line, column, byte and reason")
    func errorPlace() {
        let error = #expect(throws: JSONError.self) { try JSONReader().parse("{\n  \"größe\": 01\n}") }

        #expect(error?.description == "line 2, column 12 (byte 15): a number must not begin with a zero")
    }

    @Test("Nesting is allowed up to the limit and refused above", arguments: [("[", "]"), ("{\"a\":", "}")])
    func depth(open: String, close: String) throws {
        let reader = JSONReader(limits: JSONReader.Limits(depthMaximum: 128))
        let deepest = String(repeating: open, count: 127) + "[]" + String(repeating: close, count: 127)
        let tooDeep = String(repeating: open, count: 100_000)

        #expect(throws: Never.self) { try reader.parse(deepest) }
        let error = #expect(throws: JSONError.self) { try reader.parse(tooDeep) }

        guard case .limitExceeded = error else {
            Issue.record("unexpected error: \(String(describing: error))")
            return
        }
    }

    @Test("A text may have as many bytes as the limit says and no more")
    func size() throws {
        let reader = JSONReader(limits: JSONReader.Limits(bytesMaximum: 4))

        #expect(throws: Never.self) { try reader.parse("1234") }
        #expect(throws: JSONError.self) { try reader.parse("12345") }
    }

    @Test("A number may have 1024 bytes and no more")
    func numberLength() throws {
        let longest = "0." + String(repeating: "1", count: 1022)

        #expect(try JSONReader().parse(longest).doubleValue == 0.1111111111111111)
        #expect(throws: JSONError.self) { try JSONReader().parse(longest + "1") }
        #expect(throws: JSONError.self) { try JSONReader().parse(String(repeating: "9", count: 1_000_000)) }
    }

    @Test("What needs care in a string is found wherever it stands", arguments: 0...20)
    func anyPosition(count: Int) throws {
        let before = String(repeating: "x", count: count)

        for after in ["", "y", String(repeating: "z", count: 9)] {
            #expect(try JSONReader().parse("\"\(before)\\n\(after)\"") == .string(before + "\n" + after))
            #expect(try JSONReader().parse("\"\(before)é\(after)\"") == .string(before + "é" + after))
            #expect(
                try JSONReader().parse("\"\(before)!#[]~ \u{7f}\(after)\"") == .string(before + "!#[]~ \u{7f}" + after))
            #expect(try JSONReader().parse("[\"\(before)\",\"\(after)\"]") == [.string(before), .string(after)])
            #expect(throws: JSONError.self) { try JSONReader().parse("\"\(before)\u{1f}\(after)\"") }
            let broken = Array("\"\(before)".utf8) + [0xC3] + Array("\(after)\"".utf8)
            #expect(throws: JSONError.self) { try JSONReader().parse(broken) }
        }
    }

    @Test("Objects of any size keep all members and refuse a key twice", arguments: [2, 24, 25, 1000])
    func largeObjects(count: Int) throws {
        var random = SplitMix64(state: UInt64(count))
        let keys = (0..<count).map { "a key that is longer than fifteen bytes \($0)" }.shuffled(using: &random)
        let members = keys.map { "\"\($0)\":\"\($0)\"" }

        let object = try JSONReader().parse("{" + members.joined(separator: ",") + "}").objectValue

        #expect(object?.keys == keys.sorted())
        #expect(object?.values == keys.sorted().map { .string($0) })
        #expect(throws: JSONError.self) {
            try JSONReader().parse("{" + (members + [members[count / 2]]).joined(separator: ",") + "}")
        }
    }

    @Test("Every prefix of a text is refused")
    func truncated() throws {
        let text = Array(#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00é",true,false,null],"b":{"c":{}}}"#.utf8)

        for count in text.indices {
            #expect(throws: JSONError.self) { try JSONReader().parse(Array(text[..<count])) }
        }
    }

    @Test("Mutated texts never trap, and what is accepted survives a round trip", arguments: [1, 2, 3, 4] as [UInt64])
    func mutations(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let original = Array(
            #"{"kind":"Function","spec":{"scale":{"min":0,"max":1e1},"x":[-0.5,true,null,"a\u00e9\n\ud83d\ude00ü"]}}"#
                .utf8)
        var accepted = 0

        for _ in 0..<20_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
            guard let value = try? JSONReader().parse(bytes) else { continue }
            accepted += 1
            let again = try JSONReader().parse(JSONWriter().write(value))
            #expect(again == value, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }

        #expect(accepted > 100, "the mutations should leave some texts valid")
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        guard let index = bytes.indices.randomElement(using: &random) else { return }
        switch UInt8.random(in: 0...3, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: index)
        default: bytes.removeSubrange(index..<min(index + 5, bytes.count))
        }
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
