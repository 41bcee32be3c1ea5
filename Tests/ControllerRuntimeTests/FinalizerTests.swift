import JSON
import KubernetesClient
import KubernetesTypes
import Testing

@testable import ControllerRuntime

@Suite("Finalizers")
struct FinalizerTests {
    let api = FakeAPI()
    let key = ObjectKey(namespace: "test", name: "w")

    var finalizer: Finalizer { Finalizer(name: "farebox.dev/test", api: api) }

    func stored() throws -> Widget? { try api.objects(Widget.self)[key] }

    /// One pass; returns what ran.
    @discardableResult
    func pass(_ object: Widget, cleanUp: ReconcileOutcome = .done) async throws -> String {
        var ran = "nothing"
        _ = try await finalizer.reconcile(object) {
            ran = "apply"
            return .done
        } cleanUp: {
            ran = "cleanUp"
            return cleanUp
        }
        return ran
    }

    @Test("It is stored before anything else happens, and anything happens only then")
    func addsFirst() async throws {
        let object = try await api.create(Widget("w"))

        let first = try await pass(object)
        let second = try await pass(try #require(try stored()))

        #expect(first == "nothing")
        #expect(second == "apply")
        #expect(try stored()?.metadata.finalizers == ["farebox.dev/test"])
    }

    @Test("It goes only after the clean-up is done")
    func removesLast() async throws {
        var widget = Widget("w")
        widget.metadata.finalizers = ["other/a", "farebox.dev/test", "other/b"]
        _ = try await api.create(widget)
        try await api.delete(Widget.self, key)

        let unfinished = try await pass(try #require(try stored()), cleanUp: .requeue(after: .seconds(1)))
        let between = try stored()?.metadata.finalizers
        let finished = try await pass(try #require(try stored()))

        #expect(unfinished == "cleanUp")
        #expect(between == ["other/a", "farebox.dev/test", "other/b"])
        #expect(finished == "cleanUp")
        #expect(try stored()?.metadata.finalizers == ["other/a", "other/b"])
    }

    @Test("An object that goes without our finalizer is left alone")
    func notOurs() async throws {
        var widget = Widget("w")
        widget.metadata.finalizers = ["other/a"]
        _ = try await api.create(widget)
        try await api.delete(Widget.self, key)
        api.forgetRequests()

        let ran = try await pass(try #require(try stored()))

        #expect(ran == "nothing")
        #expect(api.requests.isEmpty)
    }

    @Test("An entry that another controller made in the meantime is not lost", arguments: [[], ["other/a"]])
    func concurrentEntry(present: [String]) async throws {
        var widget = Widget("w")
        widget.metadata.finalizers = present
        let stale = try await api.create(widget)
        api.edit(Widget.self, key) {
            $0[path: "metadata", "finalizers"] = .array((present + ["other/new"]).map { .string($0) })
        }

        await #expect(throws: StaleObject.self) { try await pass(stale) }
        try await pass(try #require(try stored()))

        #expect(try stored()?.metadata.finalizers == present + ["other/new", "farebox.dev/test"])
    }

    @Test("A list that moved is not cut at the wrong place")
    func concurrentRemoval() async throws {
        var widget = Widget("w")
        widget.metadata.finalizers = ["other/a", "farebox.dev/test"]
        _ = try await api.create(widget)
        try await api.delete(Widget.self, key)
        let stale = try #require(try stored())
        api.edit(Widget.self, key) { $0[path: "metadata", "finalizers"] = ["farebox.dev/test", "other/b"] }

        await #expect(throws: StaleObject.self) { try await pass(stale) }

        #expect(try stored()?.metadata.finalizers == ["farebox.dev/test", "other/b"])
    }

    @Test("An object that vanished in the meantime is a success")
    func vanished() async throws {
        let object = try await api.create(Widget("w"))
        try await api.delete(Widget.self, key)

        let ran = try await pass(object)

        #expect(ran == "nothing")
    }
}
