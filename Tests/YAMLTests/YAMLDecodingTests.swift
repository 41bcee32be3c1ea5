import Testing
import YAML

@Suite("YAML and Codable types")
struct YAMLDecodingTests {
    struct Function: Codable, Equatable {
        var image: String
        var replicas: Int?
        var ports: [UInt16]?
        var environment: [String: String]?
        var ratio: Double?
        var isOn: Bool?
        var limits: [String: Limit]?
    }

    struct Limit: Codable, Equatable { var bytes: UInt64? }

    struct Stack: Codable, Equatable {
        var version: String?
        var functions: [String: Function]
    }

    @Test("A type is read, and unquoted texts serve as strings")
    func reading() throws {
        let text = """
            version: 1.0
            functions:
              hello:
                image: r/hello:1.10
                replicas: 2
                ports: [80, 8080]
                environment: {DEBUG: true, COUNT: 010, EMPTY: "", QUOTED: "x"}
                ratio: 1
                isOn: false
                limits: {memory: {bytes: 18446744073709551615}}
              bare: {image: x, replicas: ~, unknown: 1}
            """

        let stack = try YAMLReader().decode(Stack.self, from: Array(text.utf8))

        let hello = Function(
            image: "r/hello:1.10", replicas: 2, ports: [80, 8080],
            environment: ["DEBUG": "true", "COUNT": "010", "EMPTY": "", "QUOTED": "x"], ratio: 1, isOn: false,
            limits: ["memory": Limit(bytes: .max)])
        #expect(stack == Stack(version: "1.0", functions: ["hello": hello, "bare": Function(image: "x")]))
    }

    @Test(
        "A mismatch names place, field, what was expected and what was found",
        arguments: [
            ("functions: []", "line 1, column 12: functions: expected a mapping, found a list"),
            ("{}", "line 1, column 1: functions: required, but missing"),
            ("functions:\n  a:\n    replicas: 1", "line 3, column 5: functions.a.image: required, but missing"),
            ("functions: {a: {image: [x]}}", "line 1, column 24: functions.a.image: expected a string, found a list"),
            ("functions: {a: {image: ~}}", "line 1, column 24: functions.a.image: expected a string, found null"),
            (
                "functions:\n  a:\n    image: x\n    replicas: two",
                "line 4, column 15: functions.a.replicas: expected an integer, found a string"
            ),
            (
                "functions: {a: {image: x, ports: [1, 70000]}}",
                "line 1, column 38: functions.a.ports[1]: expected an integer from 0 to 65535"
            ),
            (
                "functions: {a: {image: x, isOn: yes}}",
                "line 1, column 33: functions.a.isOn: expected a Boolean, found a string"
            ),
        ])
    func mismatch(text: String, message: String) {
        let error = #expect(throws: YAMLError.self) { try YAMLReader().decode(Stack.self, from: Array(text.utf8)) }

        #expect(error?.description == message)
    }

    @Test("A key that the type does not know is refused where asked for, but not in a dictionary")
    func unknownKeys() throws {
        let reader = YAMLReader(unknownKeys: .refuse)
        let text = "functions:\n  a:\n    image: x\n    replica: 1\n"

        let error = #expect(throws: YAMLError.self) { try reader.decode(Stack.self, from: Array(text.utf8)) }

        #expect(error?.description == "line 4, column 5: functions.a: unknown key \"replica\"")
        #expect(throws: Never.self) { try YAMLReader().decode(Stack.self, from: Array(text.utf8)) }
        #expect(throws: Never.self) {
            try reader.decode(Stack.self, from: Array("functions: {any: {image: x, environment: {any: y}}}".utf8))
        }
    }

    @Test("An error that a type throws itself gets a place")
    func ownError() {
        struct Even: Decodable {
            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                guard try container.decode(Int.self).isMultiple(of: 2) else {
                    throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected an even number")
                }
            }
        }

        let error = #expect(throws: YAMLError.self) {
            try YAMLReader().decode([String: [Even]].self, from: Array("a: [2, 4,\n  5]".utf8))
        }

        #expect(error?.description == "line 2, column 3: a[2]: expected an even number")
    }

    @Test("Nodes tell their kind, text and place")
    func nodes() throws {
        let node = try YAMLReader().parse(Array("a:\n  - x\n  - ~\n".utf8))

        #expect(node["a"]?.elements?.first?.text == "x")
        #expect(node["a"]?.elements?.last?.text == nil)
        #expect(node["a"]?.elements?.first?.location == YAMLLocation(line: 2, column: 5))
        #expect(node.mapping?.entries.map(\.key) == ["a"])
        #expect(node.kind == "a mapping")
        #expect(node["b"] == nil)
    }
}
