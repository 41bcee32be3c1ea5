import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization
import Testing

@testable import ControllerRuntime

@Suite("Followers over a faulty server")
struct FollowerTests {
    /// What a follower told: `+name size` for what is there, `-name` for what is gone.
    final class Story: Sendable {
        private let lines = Mutex<[String]>([])

        var told: [String] { lines.withLock { $0 } }

        func forget() { lines.withLock { $0 = [] } }

        func take(_ change: Follower<Widget>.Change) {
            switch change {
            case .stored(let widget):
                lines.withLock { $0.append("+\(widget.metadata.name) \(widget.spec.size)") }
            case .removed(let key): lines.withLock { $0.append("-\(key.name)") }
            }
        }
    }

    func follower(_ api: FakeAPI, _ story: Story) -> Follower<Widget> {
        Follower(api: api, scope: InformerScope(), limits: .impatient) { story.take($0) }
    }

    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "test", name: name) }

    @Test("It tells what was there before it is synced, and then what comes, changes and goes, in order")
    func follows() async throws {
        let api = FakeAPI()
        _ = try await api.create(Widget("first"))
        let story = Story()
        let follower = follower(api, story)

        try await during(follower.run) {
            try await follower.waitForSync()
            #expect(story.told == ["+first 1"])
            try await eventually("the watch is open") { api.openWatches == 1 }
            _ = try await api.create(Widget("second"))
            api.edit(Widget.self, key("first")) { $0[path: "spec", "size"] = 5 }
            try await api.delete(Widget.self, key("first"))
            try await eventually("the deletion is told") { story.told.last == "-first" }
        }

        #expect(story.told == ["+first 1", "+second 1", "+first 5", "-first"])
    }

    @Test("After a compaction it tells of what is there once more, and then of the deletions that were missed")
    func missedDeletion() async throws {
        let api = FakeAPI()
        _ = try await api.create(Widget("doomed"))
        _ = try await api.create(Widget("kept"))
        let story = Story()
        let follower = follower(api, story)

        try await during(follower.run) {
            try await eventually("the watch is open") { api.openWatches == 1 }
            story.forget()
            api.plan { $0.verb == .watch ? .refuse(FakeState.failure(503, "ServiceUnavailable", "away")) : nil }
            api.dropWatches()
            try await api.delete(Widget.self, key("doomed"))
            api.compact()
            api.plan(nil)
            try await eventually("the list is told") { story.told.contains("-doomed") }
        }

        #expect(story.told == ["+kept 1", "-doomed"])
    }

    @Test("A list that breaks off removes nothing, however often, and what cannot be read stays as it was told")
    func brokenList() async throws {
        let api = FakeAPI()
        for name in ["kept", "odd", "doomed"] { _ = try await api.create(Widget(name)) }
        let story = Story()
        let follower = follower(api, story)
        let failures = Mutex(5)

        try await during(follower.run) {
            try await eventually("the watch is open") { api.openWatches == 1 }
            story.forget()
            api.plan { $0.verb == .watch ? .refuse(FakeState.failure(503, "ServiceUnavailable", "away")) : nil }
            api.dropWatches()
            try await api.delete(Widget.self, key("doomed"))
            api.edit(Widget.self, key("odd")) { $0[path: "spec", "size"] = "large" }
            api.compact()
            api.plan { request in
                request.verb == .list
                    && failures.withLock {
                        $0 -= 1; return $0 >= 0
                    }
                    ? .refuse(FakeState.failure(503, "ServiceUnavailable", "away")) : nil
            }
            try await eventually("the list is told") { story.told.contains("-doomed") }
        }

        #expect(failures.withLock { $0 } < 0)
        #expect(story.told == ["+kept 1", "-doomed"])
    }

    @Test("An object made anew under the name of a deleted one is told as gone first")
    func anotherObject() async throws {
        let api = FakeAPI()
        _ = try await api.create(Widget("twin"))
        let story = Story()
        let follower = follower(api, story)

        try await during(follower.run) {
            try await eventually("the watch is open") { api.openWatches == 1 }
            api.plan { $0.verb == .watch ? .refuse(FakeState.failure(503, "ServiceUnavailable", "away")) : nil }
            api.dropWatches()
            try await api.delete(Widget.self, key("twin"))
            _ = try await api.create(Widget("twin"))
            api.compact()
            api.plan(nil)
            try await eventually("the new one is told") { story.told.count >= 3 }
        }

        #expect(story.told == ["+twin 1", "-twin", "+twin 1"])
    }
}
