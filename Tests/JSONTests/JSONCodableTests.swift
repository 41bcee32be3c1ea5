import JSON
import Testing

@Suite("JSON and Codable types")
struct JSONCodableTests {
    struct Scale: Codable, Equatable {
        var min: Int
        var max: Int32?
    }

    struct Port: Codable, Equatable {
        var port: UInt16
        var name: String?
    }

    enum Mode: String, Codable { case fast, slow }

    struct Spec: Codable, Equatable {
        var image: String
        var scale: Scale?
        var ports: [Port]?
        var labels: [String: String]?
        var arguments: [String]?
        var mode: Mode?
        var ratio: Double?
        var total: UInt64?
        var extra: JSONValue?
        var matrix: [[Int]]?
        var table: [String: Port]?
    }

    struct Document: Codable, Equatable { var spec: Spec }

    static let full = Document(
        spec: Spec(
            image: "x", scale: Scale(min: 0, max: 3), ports: [Port(port: 80, name: nil), Port(port: 81, name: "p")],
            labels: ["a": "b"], arguments: ["x", "y"], mode: .slow, ratio: 0.5, total: .max,
            extra: ["free": [1, .null, "x"]], matrix: [[1], []], table: ["t": Port(port: 1, name: nil)]))

    @Test("A type survives a round trip")
    func roundTrip() throws {
        let bytes = try JSONWriter().encode(Self.full)

        let again = try JSONReader().decode(Document.self, from: bytes)

        #expect(again == Self.full)
    }

    @Test("Nil properties are left out and keys are sorted")
    func layout() throws {
        let bytes = try JSONWriter().encode(Spec(image: "x", scale: Scale(min: 1)))

        #expect(String(decoding: bytes, as: UTF8.self) == #"{"image":"x","scale":{"min":1}}"#)
    }

    @Test("Unknown members are ignored, absent and null optionals are nil")
    func tolerance() throws {
        let text = #"{"spec":{"image":"x","scale":null,"labels":null,"mode":null,"future":{"a":1}},"kind":"Y"}"#

        let document = try JSONReader().decode(Document.self, from: Array(text.utf8))

        #expect(document == Document(spec: Spec(image: "x")))
    }

    @Test(
        "A mismatch names the field, what was expected and what was found",
        arguments: [
            (#"{}"#, "spec: required, but missing"),
            (#"[]"#, "expected an object, found an array"),
            (#"{"spec":null}"#, "spec: expected an object, found null"),
            (#"{"spec":{"image":1}}"#, "spec.image: expected a string, found an integer"),
            (
                #"{"spec":{"image":"x","scale":{"min":"1"}}}"#,
                "spec.scale.min: expected an integer, found a string"
            ),
            (
                #"{"spec":{"image":"x","scale":{"min":1.5}}}"#,
                "spec.scale.min: expected an integer, found a number"
            ),
            (
                #"{"spec":{"image":"x","ports":[{"port":80},{"port":65536}]}}"#,
                "spec.ports[1].port: expected an integer from 0 to 65535"
            ),
            (
                #"{"spec":{"image":"x","ports":[{"port":-1}]}}"#,
                "spec.ports[0].port: expected an integer from 0 to 65535"
            ),
            (#"{"spec":{"image":"x","ports":{}}}"#, "spec.ports: expected an array, found an object"),
            (
                #"{"spec":{"image":"x","labels":{"a/b":true}}}"#,
                #"spec.labels["a/b"]: expected a string, found a Boolean"#
            ),
            (#"{"spec":{"image":"x","arguments":["a",2]}}"#, "spec.arguments[1]: expected a string, found an integer"),
            (#"{"spec":{"image":"x","matrix":[[],[1,null]]}}"#, "spec.matrix[1][1]: expected an integer, found null"),
            (#"{"spec":{"image":"x","ratio":"1"}}"#, "spec.ratio: expected a number, found a string"),
            (#"{"spec":{"image":"x","total":1e30}}"#, "spec.total: expected an integer from 0 to 18446744073709551615"),
        ])
    func mismatch(text: String, message: String) {
        let error = #expect(throws: JSONError.self) {
            try JSONReader().decode(Document.self, from: Array(text.utf8))
        }

        #expect(error?.description == message)
    }

    @Test("An unknown case of an enum names the field")
    func unknownCase() {
        let error = #expect(throws: JSONError.self) {
            try JSONReader().decode(Document.self, from: Array(#"{"spec":{"image":"x","mode":"warp"}}"#.utf8))
        }

        #expect(error?.description.hasPrefix("spec.mode: ") == true)
    }

    @Test("An integral number with a fraction counts as an integer")
    func integralDouble() throws {
        #expect(try JSONReader().decode([Int].self, from: Array("[3.0, 1e2]".utf8)) == [3, 100])
    }

    @Test("A number that JSON cannot hold is refused with its path")
    func unencodable() {
        let error = #expect(throws: JSONError.self) { try JSONWriter().encode(["a": [1.0, .nan]]) }

        #expect(error?.description == "a[1]: nan has no JSON form")
    }

    @Test("Top-level values that are no objects work")
    func scalars() throws {
        #expect(try JSONWriter().encode("x") == Array(#""x""#.utf8))
        #expect(try JSONWriter().encode([1, nil, 3]) == Array("[1,null,3]".utf8))
        #expect(try JSONWriter().value(of: Float(0.1)) == 0.1)
        #expect(try JSONReader().decode(Bool.self, from: true) == true)
        #expect(try JSONReader().decode([Int?].self, from: [1, .null] as JSONValue) == [1, nil])
        #expect(try JSONReader().decode(JSONObject.self, from: ["a": 1]) == ["a": 1])
    }

    /// A class hierarchy and nested containers, written by hand as rare types are.
    class Base: Codable {
        var id: Int
        init(id: Int) { self.id = id }
    }

    final class Derived: Base {
        var names: [String] = []

        init(id: Int, names: [String]) {
            self.names = names
            super.init(id: id)
        }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            var list = try container.nestedContainer(keyedBy: Keys.self, forKey: .inner)
                .nestedUnkeyedContainer(forKey: .names)
            while !list.isAtEnd { names.append(try list.decode(String.self)) }
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            var inner = container.nestedContainer(keyedBy: Keys.self, forKey: .inner)
            var list = inner.nestedUnkeyedContainer(forKey: .names)
            for name in names { try list.encode(name) }
            try super.encode(to: container.superEncoder())
        }

        enum Keys: String, CodingKey { case inner, names }
    }

    @Test("Nested containers and superclasses survive a round trip")
    func nestedContainers() throws {
        let bytes = try JSONWriter().encode(Derived(id: 7, names: ["a", "b"]))

        let again = try JSONReader().decode(Derived.self, from: bytes)

        #expect(String(decoding: bytes, as: UTF8.self) == #"{"inner":{"names":["a","b"]},"super":{"id":7}}"#)
        #expect(again.id == 7)
        #expect(again.names == ["a", "b"])
    }

    @Test("An array that ends too early names the missing element")
    func shortArray() {
        struct Pair: Decodable {
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                _ = try container.decode(Int.self)
                _ = try container.decode(Int.self)
            }
        }

        let error = #expect(throws: JSONError.self) { try JSONReader().decode(Pair.self, from: [1] as JSONValue) }

        #expect(error?.description == "[1]: required, but the array ends before")
    }
}
