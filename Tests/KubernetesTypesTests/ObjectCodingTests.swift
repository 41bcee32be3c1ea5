import JSON
import Testing
import Timing

@testable import KubernetesTypes

@Suite("Objects in JSON")
struct ObjectCodingTests {
    private func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try JSONReader().decode(type, from: Array(text.utf8))
    }

    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try JSONWriter().encode(value), as: UTF8.self)
    }

    @Test("Empty metadata fields are left out, set ones are written")
    func omitsEmpty() throws {
        let metadata = ObjectMeta(name: "hello", labels: ["a": "b"])

        #expect(try text(metadata) == #"{"labels":{"a":"b"},"name":"hello"}"#)
    }

    @Test("Absent fields and nulls read as empty, unknown fields are ignored")
    func toleratesAbsence() throws {
        let metadata = try decode(
            ObjectMeta.self, #"{"name":"x","labels":null,"finalizers":["a"],"managedFields":[{"manager":"m"}]}"#)

        #expect(metadata.labels.isEmpty)
        #expect(metadata.annotations.isEmpty)
        #expect(metadata.finalizers == ["a"])
        #expect(metadata.generation == nil)
    }

    @Test("A null in a map of texts reads as the empty text")
    func nullText() throws {
        let metadata = try decode(ObjectMeta.self, #"{"name":"x","annotations":{"a":null,"b":"","c":"d"}}"#)

        #expect(metadata.annotations == ["a": "", "b": "", "c": "d"])
    }

    @Test("A field of the wrong type is an error that names its path")
    func namesPath() {
        let error = #expect(throws: JSONError.self) { try decode(ConfigMap.self, #"{"metadata":{"labels":{"a":1}}}"#) }

        #expect("\(error, default: "")".contains(#"metadata.labels["a"]"#))
    }

    @Test("A manifest carries apiVersion and kind of its descriptor")
    func manifest() throws {
        let lease = Lease(metadata: ObjectMeta(name: "l", namespace: "n"))

        let manifest = try lease.manifest()

        #expect(manifest["apiVersion"] == "coordination.k8s.io/v1")
        #expect(manifest["kind"] == "Lease")
        #expect(manifest[path: "metadata", "namespace"] == "n")
    }

    @Test("Times read with or without fraction and are written in their kind's precision")
    func times() throws {
        let lease = try decode(
            Lease.Spec.self, #"{"renewTime":"2024-05-06T07:08:09.123456789Z","acquireTime":"2024-05-06T07:08:09Z"}"#)
        let created = try decode(Time.self, #""2024-05-06T09:08:09.75+02:00""#)

        #expect(
            try text(lease)
                == #"{"acquireTime":"2024-05-06T07:08:09.000000Z","renewTime":"2024-05-06T07:08:09.123456Z"}"#)
        #expect(try text(created) == #""2024-05-06T07:08:09Z""#)
        #expect(throws: (any Error).self) { try decode(Time.self, #""yesterday""#) }
    }

    @Test("A written moment reads back equal")
    func timesRoundTrip() throws {
        let time = Time.now
        let micro = MicroTime.now

        #expect(try decode(Time.self, text(time)) == time)
        #expect(try decode(MicroTime.self, text(micro)) == micro)
    }

    @Test("A port is a number or a name")
    func intOrString() throws {
        let ports = try decode([IntOrString].self, #"[80,"http","25%"]"#)

        #expect(ports == [80, "http", "25%"])
        #expect(try text(ports) == #"[80,"http","25%"]"#)
        #expect(throws: (any Error).self) { try decode(IntOrString.self, "3000000000") }
    }

    @Test("Secret values are base64 on the wire and never printed")
    func secret() throws {
        let secret = try decode(Secret.self, #"{"metadata":{"name":"s"},"data":{"key":"aHVudGVyMg=="}}"#)
        var dumped = ""
        dump(secret, to: &dumped)

        #expect(secret["key"] == Array("hunter2".utf8))
        #expect(try text(secret).contains("aHVudGVyMg=="))
        for printed in ["\(secret)", String(reflecting: secret), dumped] {
            #expect(printed.contains("key"))
            #expect(!printed.contains("hunter2") && !printed.contains("104"))
        }
        #expect(throws: (any Error).self) { try decode(Secret.self, #"{"metadata":{},"data":{"key":"!"}}"#) }
    }

    @Test("A list reads items of null as none and keeps the continue token")
    func lists() throws {
        let list = try decode(
            ResourceList<ConfigMap>.self, #"{"metadata":{"resourceVersion":"7","continue":"tok"},"items":null}"#)

        #expect(list.items.isEmpty)
        #expect(list.metadata.continue == "tok")
        #expect(list.metadata.resourceVersion == "7")
    }

    @Test("A condition with an undefined status reads as unknown")
    func conditionStatus() throws {
        let condition = try decode(Condition.self, #"{"type":"Ready","status":"Maybe"}"#)

        #expect(condition.status == .unknown)
    }
}
