import JSON
import Testing

@testable import ControllerRuntime

@Suite("Whether what we want is there already")
struct JSONSubsetTests {
    func parse(_ text: String) throws -> JSONValue { try JSONReader().parse(text) }

    @Test(
        "It is there among what the server and others filled in",
        arguments: [
            (#"{"a":1}"#, #"{"a":1,"b":2}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"c","default":true},"x":[]}"#),
            (#"{"a":1}"#, #"{"a":1.0}"#),
            (#"{"a":false,"b":"","c":[],"d":{},"e":0,"f":null}"#, #"{}"#),
            (#"{"emptyDir":{}}"#, #"{"emptyDir":{}}"#),
            (#"{"cpu":"1000m","memory":"1024Mi"}"#, #"{"cpu":"1","memory":"1Gi"}"#),
            (#"{"env":[{"name":"A","value":"1"}]}"#, #"{"env":[{"name":"INJECTED"},{"name":"A","value":"1"}]}"#),
            (#"{"m":[{"mountPath":"/tmp","name":"t"}]}"#, #"{"m":[{"mountPath":"/tmp","name":"t","readOnly":false}]}"#),
            (#"{"args":["a","b"]}"#, #"{"args":["a","b"]}"#),
            (
                #"{"egress":[{"to":[{"ipBlock":{"cidr":"0.0.0.0/0","except":["10.0.0.0/8"]}}]}]}"#,
                #"{"egress":[{"to":[{"ipBlock":{"cidr":"0.0.0.0/0","except":["10.0.0.0/8"]}}]}]}"#
            ),
        ])
    func holds(desired: String, observed: String) throws {
        #expect(JSONSubset.holds(try parse(desired), in: try parse(observed)))
    }

    @Test(
        "A field that is missing or another's is noticed",
        arguments: [
            (#"{"a":1}"#, #"{}"#),
            (#"{"a":1}"#, #"{"a":2}"#),
            (#"{"a":"1"}"#, #"{"a":1}"#),
            (#"{"a":{"b":1}}"#, #"{"a":[1]}"#),
            (#"{"cpu":"1000m"}"#, #"{"cpu":"2"}"#),
            (#"{"args":["a","b"]}"#, #"{"args":["b","a"]}"#),
            (#"{"args":["a"]}"#, #"{"args":["a","b"]}"#),
            (#"{"env":[{"name":"A","value":"1"}]}"#, #"{"env":[{"name":"A","value":"2"}]}"#),
            (#"{"env":[{"name":"A"}]}"#, #"{"env":[{"name":"B"}]}"#),
            (#"{"ingress":[{"from":[{"x":1}]}]}"#, #"{"ingress":[{"from":[{"x":1}]},{}]}"#),
            (#"{"ingress":[{"from":[{"x":1}]}]}"#, #"{"ingress":[{"from":[]}]}"#),
            (#"{"a":true}"#, #"{"a":null}"#),
        ])
    func differs(desired: String, observed: String) throws {
        #expect(!JSONSubset.holds(try parse(desired), in: try parse(observed)))
    }
}
