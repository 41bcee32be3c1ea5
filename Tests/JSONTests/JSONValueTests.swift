import JSON
import Testing

@Suite("JSON values")
struct JSONValueTests {
    @Test("Accessors answer for their own kind only")
    func accessors() {
        let value: JSONValue = ["s": "x", "i": 3, "d": 2.5, "b": true, "n": .null, "a": [1, 2], "o": ["k": 1]]

        #expect(value["s"]?.stringValue == "x")
        #expect(value["i"]?.integerValue == 3)
        #expect(value["i"]?.doubleValue == 3)
        #expect(value["d"]?.doubleValue == 2.5)
        #expect(value["d"]?.integerValue == nil)
        #expect(value["b"]?.boolValue == true)
        #expect(value["n"]?.isNull == true)
        #expect(value["a"]?[1] == 2)
        #expect(value["a"]?[2] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["a"]?.arrayValue == [1, 2])
        #expect(value["o"]?.objectValue == ["k": 1])
        #expect(value["s"]?.integerValue == nil)
        #expect(value["missing"] == nil)
        #expect(value["s"]?["deeper"] == nil)
        #expect(JSONValue.double(3).integerValue == 3)
        #expect(JSONValue.double(1e300).integerValue == nil)
        #expect(JSONValue(UInt64.max) == .unsigned(.max))
        #expect(JSONValue(UInt64(5)) == 5)
    }

    @Test("A path reads through objects and writes them")
    func paths() {
        var value: JSONValue = ["metadata": ["name": "x"]]

        value[path: "metadata", "labels", "app"] = "y"
        value[path: "metadata", "name"] = nil
        value[path: "spec", "never", "made"] = nil

        #expect(value == ["metadata": ["labels": ["app": "y"]]])
        #expect(value[path: "metadata", "labels", "app"] == "y")
        #expect(value[path: "metadata", "labels", "app", "deeper"] == nil)
        #expect(value[path: "spec", "x"] == nil)
    }

    @Test("Member changes keep an object sorted and free of duplicates")
    func objectChanges() {
        var object: JSONObject = ["b": 1, "a": 2, "b": 3]

        object["c"] = 4
        object["a"] = nil
        object["zz"] = nil
        object["aa", default: 10] = 11
        object.merge(["c": 5, "d": 6])

        #expect(object.keys == ["aa", "b", "c", "d"])
        #expect(object.values == [11, 3, 5, 6])
        #expect(object.removeValue(forKey: "b") == 3)
        #expect(object.removeValue(forKey: "b") == nil)
        #expect([String: JSONValue](object) == ["aa": 11, "c": 5, "d": 6])
        #expect(JSONObject(["x": 1, "w": 2] as [String: JSONValue]).keys == ["w", "x"])
    }

    @Test("Equality does not depend on the order of members")
    func equality() throws {
        let left = try JSONReader().parse(#"{"a":1,"b":{"x":null,"y":[]}}"#)
        let right = try JSONReader().parse(#"{"b":{"y":[],"x":null},"a":1}"#)

        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1])
    }
}
