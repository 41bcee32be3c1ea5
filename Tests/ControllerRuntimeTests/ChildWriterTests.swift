import JSON
import KubernetesClient
import KubernetesTypes
import Testing

@testable import ControllerRuntime

@Suite("Writing children")
struct ChildWriterTests {
    let api = FakeAPI()
    let key = ObjectKey(namespace: "test", name: "w-part")

    func owner(_ name: String = "w") async throws -> Widget { try await api.create(Widget(name)) }

    func child(_ data: [String: String] = ["a": "1"]) -> ConfigMap {
        ConfigMap(metadata: ObjectMeta(name: "w-part", namespace: "test", labels: ["app": "w"]), data: data)
    }

    func writer() -> ChildWriter { ChildWriter(api: api, fieldManager: "farebox-test") }

    /// The child as the server has it.
    func stored() throws -> ConfigMap? { try api.objects(ConfigMap.self)[key] }

    @Test("A missing child is made, with its owner and its hash")
    func creates() async throws {
        let owner = try await owner()

        let outcome = try await writer().apply(child(), observed: nil, owner: owner)

        let child = try #require(try stored())
        #expect(outcome == .created)
        #expect(child.data == ["a": "1"])
        #expect(child.metadata.controllerReference?.uid == owner.metadata.uid)
        #expect(child.metadata.controllerReference?.blockOwnerDeletion == true)
        #expect(child.metadata.annotations[ChildWriter.appliedHash]?.count == 64)
    }

    @Test("A child that is as it should be costs no request, also for a new process")
    func unchanged() async throws {
        let owner = try await owner()
        try await writer().apply(child(), observed: nil, owner: owner)
        let observed = try #require(try stored())
        api.forgetRequests()

        let outcome = try await writer().apply(child(), observed: observed, owner: owner)

        #expect(outcome == .unchanged)
        #expect(api.requests.isEmpty)
    }

    @Test(
        "Another wish is applied, be it a field less",
        arguments: [["a": "2"], ["a": "1", "b": "2"], ["b": "1"], [:]])
    func anotherWish(data: [String: String]) async throws {
        let owner = try await owner()
        try await writer().apply(child(), observed: nil, owner: owner)

        let outcome = try await writer().apply(child(data), observed: try stored(), owner: owner)

        #expect(outcome == .updated)
        #expect(try stored()?.data == data)
    }

    @Test("A field of ours that somebody changed is set again; a field of theirs stays")
    func drift() async throws {
        let owner = try await owner()
        try await writer().apply(child(), observed: nil, owner: owner)
        api.edit(ConfigMap.self, key) { $0[path: "data", "a"] = "wrong" }
        api.edit(ConfigMap.self, key) { $0[path: "data", "theirs"] = "kept" }

        let outcome = try await writer().apply(child(), observed: try stored(), owner: owner)

        #expect(outcome == .updated)
        #expect(try stored()?.data == ["a": "1", "theirs": "kept"])
    }

    @Test("While the watch lags behind our write, it is not repeated")
    func laggingCache() async throws {
        let owner = try await owner()
        let writer = writer()
        try await writer.apply(child(), observed: nil, owner: owner)
        let stale = try stored()
        try await writer.apply(child(["a": "2"]), observed: stale, owner: owner)
        api.forgetRequests()

        let outcome = try await writer.apply(child(["a": "2"]), observed: stale, owner: owner)

        #expect(outcome == .unchanged)
        #expect(api.requests.isEmpty)
    }

    @Test("A value that the server stores in another form is written once, not at each pass")
    func normalised() async throws {
        let owner = try await owner()
        let writer = writer()
        api.admit { object in
            var object = object
            if object[path: "data", "a"] == "1" {
                object[path: "data", "a"] = "one"
            }
            return object
        }
        try await writer.apply(child(), observed: nil, owner: owner)
        let normalised = try #require(try stored())
        api.forgetRequests()

        let outcome = try await writer.apply(child(), observed: normalised, owner: owner)

        #expect(normalised.data == ["a": "one"])
        #expect(outcome == .unchanged)
        #expect(api.requests.isEmpty)
    }

    @Test("A change by somebody else is never mistaken for our own write")
    func foreignChangeAfterOurs() async throws {
        let owner = try await owner()
        let writer = writer()
        try await writer.apply(child(), observed: nil, owner: owner)
        api.edit(ConfigMap.self, key) { $0[path: "data", "a"] = "wrong" }

        let outcome = try await writer.apply(child(), observed: try stored(), owner: owner)

        #expect(outcome == .updated)
        #expect(try stored()?.data == ["a": "1"])
    }

    @Test("What another controls is left alone, also when the cache does not show it", arguments: [true, false])
    func controlledByAnother(isObserved: Bool) async throws {
        let owner = try await owner()
        let other = try await self.owner("other")
        try await writer().apply(child(["other": "x"]), observed: nil, owner: other)
        let observed = isObserved ? try stored() : nil

        let error = await #expect(throws: ChildError.self) {
            try await writer().apply(child(), observed: observed, owner: owner)
        }

        #expect(
            error
                == .controlledByAnother(
                    child: "ConfigMap test/w-part", controller: OwnerReference(controller: other)))
        #expect(try stored()?.data == ["other": "x"])
    }

    @Test("What somebody made by hand is left alone, also when the cache does not show it", arguments: [true, false])
    func madeByHand(isObserved: Bool) async throws {
        let owner = try await owner()
        let byHand = try await api.create(child(["precious": "yes"]))

        let error = await #expect(throws: ChildError.self) {
            try await writer().apply(child(), observed: isObserved ? byHand : nil, owner: owner)
        }

        #expect(error == .notOurs(child: "ConfigMap test/w-part"))
        #expect(try stored()?.data == ["precious": "yes"])
    }

    @Test("A child of a deleted owner of the same name is not taken over but waited for")
    func predecessor() async throws {
        let old = try await owner()
        try await writer().apply(child(), observed: nil, owner: old)
        var new = old
        new.metadata.uid = "uid-new"

        let error = await #expect(throws: ChildError.self) {
            try await writer().apply(child(), observed: try stored(), owner: new)
        }

        #expect(error == .awaitsGarbageCollection(child: "ConfigMap test/w-part"))
    }

    @Test("Nothing is made for an owner that is being deleted")
    func ownerGoing() async throws {
        var owner = try await owner()
        owner.metadata.deletionTimestamp = .now
        let going = owner
        api.forgetRequests()

        await #expect(throws: ChildError.ownerIsBeingDeleted(owner: "Widget test/w")) {
            try await writer().apply(child(), observed: nil, owner: going)
        }

        #expect(api.requests.isEmpty)
    }

    @Test("A child in another namespace than its owner is refused")
    func wrongNamespace() async throws {
        let owner = try await owner()
        var child = child()
        child.metadata.namespace = "elsewhere"
        let misplaced = child

        await #expect(throws: ChildError.self) {
            try await writer().apply(misplaced, observed: nil, owner: owner)
        }
    }

    @Test("A child that is being deleted is waited for")
    func terminating() async throws {
        let owner = try await owner()
        try await writer().apply(child(), observed: nil, owner: owner)
        var observed = try #require(try stored())
        observed.metadata.deletionTimestamp = .now
        api.forgetRequests()

        let outcome = try await writer().apply(child(["a": "2"]), observed: observed, owner: owner)

        #expect(outcome == .terminating)
        #expect(api.writes.isEmpty)
    }

    @Test("An object without an owner is kept as well")
    func ownerless() async throws {
        let first = try await writer().apply(child(), observed: nil)
        let second = try await writer().apply(child(), observed: try stored())
        let third = try await writer().apply(child(["a": "2"]), observed: try stored())

        #expect([first, second, third] == [.created, .unchanged, .updated])
    }

    @Test("Deleting hits only the very object that was observed")
    func deletesByIdentity() async throws {
        let owner = try await owner()
        try await writer().apply(child(), observed: nil, owner: owner)
        var impostor = try #require(try stored())
        impostor.metadata.uid = "uid-old"
        let observed = impostor

        let error = await #expect(throws: KubernetesError.self) { try await writer().delete(observed) }
        let survivor = try stored()
        try await writer().delete(try #require(survivor))

        #expect(error?.isConflict == true)
        #expect(survivor != nil)
        #expect(try stored() == nil)
    }

    @Test("Deleting what is gone is a success")
    func deletesGone() async throws {
        var gone = child()
        gone.metadata.uid = "uid-1"
        let observed = gone

        try await writer().delete(observed)

        #expect(api.writes.count == 1)
    }
}
