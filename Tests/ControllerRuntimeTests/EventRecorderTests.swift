import KubernetesClient
import KubernetesTypes
import Testing

@testable import ControllerRuntime

@Suite("Reporting events")
struct EventRecorderTests {
    let api = FakeAPI()

    func recorder() -> EventRecorder {
        EventRecorder(
            api: api, controller: "farebox.dev/test", instance: "host_1", retryPeriod: .milliseconds(1))
    }

    func widget() -> Widget {
        var widget = Widget("w")
        widget.metadata.uid = "u1"
        return widget
    }

    func stored() throws -> [Event] { Array(try api.objects(Event.self).values) }

    @Test("An event has what the API asks for, within its limits")
    func fields() async throws {
        let recorder = recorder()
        recorder.record(
            on: widget(), type: .warning, reason: String(repeating: "R", count: 200), action: "Build",
            note: String(repeating: "é", count: 2000))

        try await during(recorder.run) {
            try await eventually("it is stored") { try stored().count == 1 }
        }

        let event = try #require(try stored().first)
        #expect(event.metadata.namespace == "test")
        #expect(event.metadata.name.hasPrefix("w."))
        #expect(event.regarding?.uid == "u1")
        #expect(event.reportingController == "farebox.dev/test")
        #expect(event.reportingInstance == "host_1")
        #expect(event.eventTime != nil)
        #expect(event.type == "Warning")
        #expect(event.reason.utf8.count <= 128)
        #expect(event.note.utf8.count <= 1024 && event.note.utf8.count > 1000)
    }

    @Test("What concerns a cluster-scoped object is reported in default")
    func clusterScoped() async throws {
        let recorder = recorder()
        recorder.record(
            on: ObjectReference(kind: "Namespace", name: "x"), reason: "Seen", action: "Look", note: "it is there")

        try await during(recorder.run) {
            try await eventually("it is stored") { try stored().count == 1 }
        }

        #expect(try stored().first?.metadata.namespace == "default")
    }

    @Test("Repetitions become one event with a count")
    func repetitions() async throws {
        let recorder = recorder()
        for _ in 0..<3 {
            recorder.record(on: widget(), reason: "Built", action: "Build", note: "done")
        }

        try await during(recorder.run) {
            try await eventually("the series is stored") { try stored().first?.series?.count == 2 }
        }

        #expect(try stored().count == 1)
    }

    @Test("A series whose event the server forgot is stored anew")
    func forgotten() async throws {
        let recorder = recorder()
        recorder.record(on: widget(), reason: "Built", action: "Build", note: "done")

        try await during(recorder.run) {
            try await eventually("it is stored") { try stored().count == 1 }
            let key = try #require(try stored().first?.key)
            try await api.delete(Event.self, key)
            recorder.record(on: widget(), reason: "Built", action: "Build", note: "done")
            try await eventually("it is stored again") { try stored().first?.series?.count == 2 }
        }
    }

    @Test("While the server is away it tries again, without ever making two of one")
    func serverAway() async throws {
        let recorder = recorder()
        api.plan { $0.verb == .create ? .loseAnswer : nil }
        recorder.record(on: widget(), reason: "Built", action: "Build", note: "done")

        try await during(recorder.run) {
            try await eventually("it was tried") { api.writes.count >= 2 }
            api.plan(nil)
            recorder.record(on: widget(), reason: "Other", action: "Build", note: "done")
            try await eventually("both are stored") { try stored().count == 2 }
        }
    }

    @Test("What the server refuses is not tried again")
    func refused() async throws {
        let recorder = recorder()
        api.plan {
            $0.verb == .create ? .refuse(FakeState.failure(403, "Forbidden", "namespace is terminating")) : nil
        }
        recorder.record(on: widget(), reason: "Built", action: "Build", note: "done")

        try await during(recorder.run) {
            try await eventually("it was tried") { api.writes.count == 1 }
            api.plan(nil)
            recorder.record(on: widget(), reason: "Other", action: "Build", note: "done")
            try await eventually("the other is stored") { try stored().count == 1 }
        }

        #expect(api.writes.count == 2)
    }

    @Test("More than it can hold is dropped, and nobody waits")
    func overload() async throws {
        let recorder = recorder()
        for number in 0..<EventRecorder.pendingMaximum + 50 {
            recorder.record(on: widget(), reason: "R\(number)", action: "Build", note: "done")
        }

        try await during(recorder.run) {
            try await eventually("the first ones are stored") { api.count(Event.self) == EventRecorder.pendingMaximum }
            recorder.record(on: widget(), reason: "Last", action: "Build", note: "done")
            try await eventually("there is room again") { api.count(Event.self) == EventRecorder.pendingMaximum + 1 }
        }
    }
}
