import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization
import Testing
import Timing

@testable import ControllerRuntime

@Suite("Informers over a faulty server")
struct InformerTests {
    func informer(_ api: FakeAPI, scope: InformerScope = InformerScope()) -> Informer<Widget> {
        Informer(api: api, scope: scope, limits: .impatient)
    }

    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "test", name: name) }

    @Test("It holds what was there and what comes, changes and goes")
    func follows() async throws {
        let api = FakeAPI()
        _ = try await api.create(Widget("first"))
        let informer = informer(api)

        try await during(informer.run) {
            try await informer.waitForSync()
            #expect(informer.get(key("first"))?.spec.size == 1)

            _ = try await api.create(Widget("second"))
            api.edit(Widget.self, key("first")) { $0[path: "spec", "size"] = 5 }
            try await eventually("the change is seen") {
                informer.get(key("first"))?.spec.size == 5 && informer.count == 2
            }
            try await api.delete(Widget.self, key("first"))
            try await eventually("the deletion is seen") { informer.get(key("first")) == nil }
        }

        #expect(informer.list().map(\.metadata.name) == ["second"])
        #expect(informer.list(namespace: "other").isEmpty)
    }

    @Test("A settled informer sends nothing but its one watch")
    func settledIsSilent() async throws {
        let api = FakeAPI()
        let informer = informer(api)

        try await during(informer.run) {
            try await eventually("the watch is open") { api.openWatches == 1 }
            api.forgetRequests()
            for number in 0..<20 {
                _ = try await api.create(Widget("w\(number)"))
            }
            try await eventually("all are seen") { informer.count == 20 }
        }

        #expect(api.requests.allSatisfy { $0.verb == .create })
    }

    @Test("A dropped watch resumes from where it was, without a list", arguments: [true, false])
    func resumes(withError: Bool) async throws {
        let api = FakeAPI()
        let informer = informer(api)

        try await during(informer.run) {
            try await eventually("the watch is open") { api.openWatches == 1 }
            _ = try await api.create(Widget("a"))
            try await eventually("a is seen") { informer.count == 1 }
            api.forgetRequests()
            api.dropWatches(silently: withError)
            _ = try await api.create(Widget("b"))
            try await eventually("b is seen") { informer.count == 2 }
        }

        #expect(api.requests.filter { $0.verb == .list }.isEmpty)
    }

    @Test("After a compaction deletions that were missed reach the handlers, as uncertain ones")
    func missedDeletion() async throws {
        let api = FakeAPI()
        _ = try await api.create(Widget("doomed"))
        _ = try await api.create(Widget("kept"))
        let informer = informer(api)
        let events = Mutex<[String]>([])
        informer.addHandler { event in
            if case .deleted(let object, let isUnknown) = event {
                events.withLock { $0.append("\(object.metadata.name) \(isUnknown)") }
            }
        }

        try await during(informer.run) {
            try await eventually("the watch is open") { api.openWatches == 1 }
            api.plan { $0.verb == .watch ? .refuse(FakeState.failure(503, "ServiceUnavailable", "away")) : nil }
            api.dropWatches()
            try await api.delete(Widget.self, key("doomed"))
            api.compact()
            api.plan(nil)
            try await eventually("the deletion is noticed") { informer.count == 1 }
        }

        #expect(events.withLock { $0 } == ["doomed true"])
        #expect(api.requests.contains { $0.verb == .list && ($0.query("resourceVersion") ?? "0") != "0" })
    }

    @Test("An error inside the stream is told apart from the objects", arguments: [410, 429, 500])
    func errorEvents(code: Int) async throws {
        let api = FakeAPI()
        let informer = informer(api)

        try await during(informer.run) {
            try await eventually("the watch is open") { api.openWatches == 1 }
            api.forgetRequests()
            api.inject(
                [
                    "type": "ERROR",
                    "object": ["kind": "Status", "code": .integer(Int64(code)), "message": "fault"],
                ], into: Widget.descriptor)
            try await eventually("a new watch is open") {
                api.requests.contains { $0.verb == .watch } && api.openWatches == 1
            }
            _ = try await api.create(Widget("a"))
            try await eventually("a is seen") { informer.count == 1 }
        }

        #expect(api.requests.contains { $0.verb == .list } == (code == 410))
    }

    @Test(
        "Events that are not for us are skipped",
        arguments: [
            #"{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","namespace":"test"}}}"#,
            #"{"type":"SURPRISE","object":{"kind":"Widget","apiVersion":"test.farebox.dev/v1","metadata":{}}}"#,
            #"{"type":"ADDED"}"#, #"{}"#, "null", "[1]", "{\"type\":", "\u{0}",
        ])
    func strangeEvents(line: String) async throws {
        let api = FakeAPI()
        let informer = informer(api)

        try await during(informer.run) {
            try await eventually("the watch is open") { api.openWatches == 1 }
            api.forgetRequests()
            api.injectLine(line, into: Widget.descriptor)
            _ = try await api.create(Widget("a"))
            try await eventually("a is seen") { informer.count == 1 }
        }

        #expect(api.requests.map(\.verb) == [.create])
    }

    @Test("One object that cannot be read does not hide the others, and its last good state stays")
    func unreadable() async throws {
        let api = FakeAPI()
        _ = try await api.create(Widget("odd", size: 3))
        _ = try await api.create(Widget("good"))
        let informer = informer(api)

        try await during(informer.run) {
            try await eventually("the watch is open") { api.openWatches == 1 }
            api.edit(Widget.self, key("odd")) { $0[path: "spec", "size"] = "many" }
            _ = try await api.create(Widget("later"))
            try await eventually("later is seen") { informer.count == 3 }
            #expect(informer.get(key("odd"))?.spec.size == 3)

            api.compact()
            api.dropWatches()
            try await eventually("the watch is open again") { api.openWatches == 1 }
            #expect(informer.count == 3)

            try await api.delete(Widget.self, key("odd"))
            try await eventually("the deletion is seen") { informer.count == 2 }
        }
    }

    @Test("An unreadable object in the first list does not keep the informer from syncing")
    func unreadableAtFirst() async throws {
        let api = FakeAPI()
        _ = try await api.create(Widget("odd"))
        _ = try await api.create(Widget("good"))
        api.edit(Widget.self, key("odd")) { $0["spec"] = nil }
        let informer = informer(api)

        try await during(informer.run) {
            try await withDeadline(.seconds(300)) { try await informer.waitForSync() }
        }

        #expect(informer.list().map(\.metadata.name) == ["good"])
    }

    @Test("A permission that comes later is used without a restart")
    func forbiddenAtFirst() async throws {
        let api = FakeAPI()
        _ = try await api.create(Widget("a"))
        api.plan { $0.verb == .list ? .refuse(FakeState.failure(403, "Forbidden", "no")) : nil }
        let informer = informer(api)

        try await during(informer.run) {
            try await eventually("some tries were made") { api.requests.count { $0.verb == .list } > 2 }
            #expect(!informer.hasSynced)
            api.plan(nil)
            try await withDeadline(.seconds(300)) { try await informer.waitForSync() }
        }

        #expect(informer.count == 1)
    }

    @Test("The selectors and the namespace are the server's work")
    func scope() async throws {
        let api = FakeAPI()
        let scope = InformerScope(namespace: "test", labelSelector: "color=red")
        var red = Widget("red")
        red.metadata.labels = ["color": "red"]
        _ = try await api.create(red)
        _ = try await api.create(Widget("plain"))
        _ = try await api.create(Widget("elsewhere", namespace: "other"))
        let informer = informer(api, scope: scope)

        try await during(informer.run) {
            try await informer.waitForSync()
        }

        #expect(informer.list().map(\.metadata.name) == ["red"])
        #expect(api.requests.filter { $0.verb == .list }.allSatisfy { $0.query("labelSelector") == "color=red" })
    }

    @Test("A late handler is shown all that is there before addHandler returns")
    func lateHandler() async throws {
        let api = FakeAPI()
        for number in 0..<10 {
            _ = try await api.create(Widget("w\(number)"))
        }
        let informer = informer(api)

        try await during(informer.run) {
            try await informer.waitForSync()
            let seen = Mutex<[String]>([])
            informer.addHandler { event in seen.withLock { $0.append(event.object.metadata.name) } }
            #expect(Set(seen.withLock { $0 }).count == 10)
            #expect(seen.withLock { $0.count } == 10)
        }
    }

    @Test("Handlers added while objects stream in miss nothing and see everything in order")
    func concurrentHandlers() async throws {
        let api = FakeAPI()
        _ = try await api.create(Widget("w", size: 0))
        let informer = informer(api)
        let logs = (0..<20).map { _ in SizeLog() }

        try await during(informer.run) {
            try await eventually("the watch is open") { api.openWatches == 1 }
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for size in 1...300 {
                        api.edit(Widget.self, key("w")) { $0[path: "spec", "size"] = .integer(Int64(size)) }
                        await Task.yield()
                    }
                }
                for log in logs {
                    group.addTask {
                        await Task.yield()
                        informer.addHandler { log.append($0.object.spec.size) }
                    }
                }
            }
            try await eventually("all have seen the end") { logs.allSatisfy { $0.sizes.last == 300 } }
        }

        for log in logs {
            #expect(log.sizes == log.sizes.sorted())
            #expect(Set(log.sizes).count == log.sizes.count)
            #expect(log.sizes.count == 301 - (log.sizes.first ?? 0))
        }
    }

    @Test("What nobody reads is not held")
    func transform() async throws {
        let api = FakeAPI()
        var widget = Widget("a", note: "long text")
        widget.metadata.annotations = ["kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"]
        _ = try await api.create(widget)
        let informer = Informer<Widget>(api: api) { $0.spec.note = "" }

        try await during(informer.run) {
            try await informer.waitForSync()
        }

        #expect(informer.get(key("a"))?.spec.note == "")
        #expect(informer.get(key("a"))?.metadata.annotations == ["kept": "yes"])
    }

    @Test("One kind and scope has one informer and one watch, however many ask")
    func shared() async throws {
        let api = FakeAPI()
        let informers = SharedInformers(api: api)
        let first = informers.informer(Widget.self)
        let second = informers.informer(Widget.self)
        let scoped = informers.informer(Widget.self, scope: InformerScope(namespace: "test"))

        informers.start()
        try await informers.waitForSync()
        let late = informers.informer(ConfigMap.self)
        try await withDeadline(.seconds(300)) { try await late.waitForSync() }
        await informers.stop()

        #expect(first === second)
        #expect(first !== scoped)
        #expect(api.requests.count { $0.verb == .list } == 3)
    }

    @Test("A kind that cannot be listed is named after the limit")
    func syncTimeout() async throws {
        let api = FakeAPI()
        api.plan { $0.verb == .list ? .refuse(FakeState.failure(403, "Forbidden", "no")) : nil }
        let informers = SharedInformers(api: api)
        _ = informers.informer(Widget.self, scope: InformerScope(namespace: "test"))
        informers.start()

        let error = await #expect(throws: InformersNotSynced.self) {
            try await informers.waitForSync(within: .milliseconds(30))
        }
        await informers.stop()

        #expect(error?.resources == ["widgets.v1.test.farebox.dev in test"])
    }
}

/// Sizes in the order a handler saw them.
private final class SizeLog: Sendable {
    private let state = Mutex<[Int]>([])

    var sizes: [Int] { state.withLock { $0 } }

    func append(_ size: Int) {
        state.withLock { $0.append(size) }
    }
}
