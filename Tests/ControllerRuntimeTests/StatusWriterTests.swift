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
        #expect(request.body?["status"] == ["parts": 2])
        #expect(request.body?[path: "metadata", "uid"]?.stringValue == (try stored().metadata.uid))
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

    @Test("An object that is gone, or made again, is left alone; the latter is a conflict")
    func gone() async throws {
        _ = try await api.create(Widget("w"))
        let old = try stored()
        try await api.delete(Widget.self, key)
        let writer = StatusWriter(api: api)

        try await writer.write(Widget.Status(parts: 1), to: old)
        _ = try await api.create(Widget("w"))
        let error = await #expect(throws: KubernetesError.self) {
            try await writer.write(Widget.Status(parts: 1), to: old)
        }

        #expect(error?.isConflict == true)
        #expect(try stored().status == nil)
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
