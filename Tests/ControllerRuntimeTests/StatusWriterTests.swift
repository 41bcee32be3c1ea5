import JSON
import KubernetesClient
import KubernetesTypes
import Testing

@testable import ControllerRuntime

@Suite("Writing status")
struct StatusWriterTests {
    let api = FakeAPI()
    let key = ObjectKey(namespace: "test", name: "w")

    func stored() throws -> Widget { try #require(try api.objects(Widget.self)[key]) }

    @Test("Only what differs is sent, to the subresource, bound to the object's identity")
    func sendsDifference() async throws {
        _ = try await api.create(Widget("w"))
        try await StatusWriter(api: api).write(Widget.Status(parts: 1, observedGeneration: 1), to: try stored())
        api.forgetRequests()

        let isSent = try await StatusWriter(api: api).write(
            Widget.Status(parts: 2, observedGeneration: 1), to: stored())

        let request = try #require(api.requests.first)
        #expect(isSent)
        #expect(request.subresource == "status")
        #expect(
            request.body == [
                ["op": "test", "path": "/metadata/uid", "value": .string(try stored().metadata.uid)],
                ["op": "add", "path": "/status/parts", "value": 2],
            ])
        #expect(try stored().status == Widget.Status(parts: 2, observedGeneration: 1))
    }

    @Test("The same status is not written")
    func sameStatus() async throws {
        _ = try await api.create(Widget("w"))
        let status = Widget.Status(
            parts: 3, conditions: [Condition(type: "Ready", status: .true, reason: "Yes", lastTransitionTime: .now)])
        try await StatusWriter(api: api).write(status, to: try stored())
        api.forgetRequests()

        let isSent = try await StatusWriter(api: api).write(status, to: try stored())

        #expect(!isSent)
        #expect(api.requests.isEmpty)
    }

    @Test("A field that no longer holds goes")
    func removes() async throws {
        _ = try await api.create(Widget("w"))
        try await StatusWriter(api: api).write(Widget.Status(parts: 3, observedGeneration: 1), to: try stored())

        try await StatusWriter(api: api).write(Widget.Status(observedGeneration: 1), to: try stored())

        #expect(try stored().status == Widget.Status(observedGeneration: 1))
    }

    @Test("While the watch lags behind our write, it is not repeated")
    func laggingCache() async throws {
        _ = try await api.create(Widget("w"))
        let writer = StatusWriter(api: api)
        let stale = try stored()
        try await writer.write(Widget.Status(parts: 1), to: stale)
        api.forgetRequests()

        let isSent = try await writer.write(Widget.Status(parts: 1), to: stale)

        #expect(!isSent)
        #expect(api.requests.isEmpty)
    }

    @Test("What a write against an outdated view leaves wrong is put right by the next pass")
    func outdatedView() async throws {
        _ = try await api.create(Widget("w"))
        let writer = StatusWriter(api: api)
        try await writer.write(Widget.Status(parts: 2, observedGeneration: 1), to: try stored())
        let outdated = try stored()
        try await writer.write(Widget.Status(parts: 3, observedGeneration: 2), to: outdated)
        try await writer.write(Widget.Status(parts: 2, observedGeneration: 3), to: outdated)

        try await writer.write(Widget.Status(parts: 2, observedGeneration: 3), to: try stored())

        #expect(try stored().status == Widget.Status(parts: 2, observedGeneration: 3))
    }

    @Test("A status that others write too is not written over a version that was not seen")
    func shared() async throws {
        _ = try await api.create(Widget("w"))
        let old = try stored()
        try await StatusWriter(api: api).write(Widget.Status(parts: 1), to: old, isShared: true)

        await #expect(throws: StaleObject(object: "Widget test/w")) {
            try await StatusWriter(api: api).write(Widget.Status(parts: 2), to: old, isShared: true)
        }
        #expect(try stored().status == Widget.Status(parts: 1))
        try await StatusWriter(api: api).write(Widget.Status(parts: 2), to: try stored(), isShared: true)

        #expect(try stored().status == Widget.Status(parts: 2))
    }

    @Test("An object that is gone, or made again, is left alone; the latter is told")
    func gone() async throws {
        _ = try await api.create(Widget("w"))
        let old = try stored()
        try await api.delete(Widget.self, key)
        let writer = StatusWriter(api: api)

        try await writer.write(Widget.Status(parts: 1), to: old)
        _ = try await api.create(Widget("w"))
        await #expect(throws: StaleObject(object: "Widget test/w")) {
            try await writer.write(Widget.Status(parts: 1), to: old)
        }

        #expect(try stored().status == nil)
    }

    @Test(
        "Only the members that differ are named",
        arguments: [
            (nil, "{}", "[]"),
            (nil, #"{"a":1}"#, #"[{"op":"add","path":"/status","value":{"a":1}}]"#),
            (#"{"a":1}"#, #"{"a":1}"#, "[]"),
            (#"{"a":1,"b":[1]}"#, #"{"a":1,"b":[1,2]}"#, #"[{"op":"add","path":"/status/b","value":[1,2]}]"#),
            (#"{"a":1,"b":2}"#, #"{"a":1}"#, #"[{"op":"remove","path":"/status/b"}]"#),
            (#"{"a/b~":1}"#, "{}", #"[{"op":"remove","path":"/status/a~1b~0"}]"#),
            ("null", #"{"a":1}"#, #"[{"op":"add","path":"/status","value":{"a":1}}]"#),
        ] as [(String?, String, String)])
    func operations(old: String?, new: String, expected: String) async throws {
        let reader = JSONReader()
        let observed = try old.map { try reader.parse($0) }

        let operations = StatusWriter.operations(from: observed, to: try reader.parse(new))
        let api = FakeAPI()
        _ = try? await api.patch(Widget.self, key, .json(operations))

        #expect(api.requests.first?.body == (try reader.parse(expected)))
    }

    @Test("A status that breaks the kind's rules is not taken for a stale one")
    func invalid() async throws {
        _ = try await api.create(Widget("w"))
        let observed = try stored()
        api.plan { _ in
            let cause = StatusCause(reason: "FieldValueInvalid", message: "too long", field: "status.parts")
            return .refuse(
                .api(
                    APIStatus(
                        message: "invalid", reason: .invalid, details: StatusDetails(causes: [cause]), code: 422)))
        }

        await #expect(throws: KubernetesError.self) {
            try await StatusWriter(api: api).write(Widget.Status(parts: 1), to: observed)
        }
    }

    @Test("A failure is told")
    func failure() async throws {
        _ = try await api.create(Widget("w"))
        let observed = try stored()
        api.plan { _ in .refuse(FakeState.failure(500, "InternalError", "fault")) }

        await #expect(throws: KubernetesError.self) {
            try await StatusWriter(api: api).write(Widget.Status(parts: 1), to: observed)
        }
    }
}
