import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization
import Testing
import Timing

@testable import ControllerRuntime

/// The three fault patterns that broke real controllers (sieve: crashes between writes, missed events, stale reads).
@Suite("An operator under faults", .serialized)
struct FaultScenarioTests {
    /// How a request that the crash falls on ends.
    enum Crash: CaseIterable {
        case beforeTheWrite
        case afterTheWrite
    }

    let api = FakeAPI()
    let world = OutsideWorld()

    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "test", name: name) }

    /// Whether the cluster and the world outside are as the widgets say.
    func isSettled() throws -> Bool {
        let widgets = try api.objects(Widget.self).values
        let parts = try api.objects(ConfigMap.self)
        let wanted = widgets.flatMap { widget in (0..<widget.spec.size).map { WidgetReconciler.part($0, of: widget) } }
        guard Set(parts.keys) == Set(wanted.map(\.key)) else {
            return false
        }
        let partsAreRight = wanted.allSatisfy { part in
            parts[part.key]?.data == part.data && parts[part.key]?.metadata.controllerReference != nil
        }
        let widgetsAreRight = widgets.allSatisfy { widget in
            widget.status?.observedGeneration == widget.metadata.generation
                && widget.status?.parts == widget.spec.size && !widget.metadata.isBeingDeleted
        }
        let entries = widgets.map { ($0.key, $0.metadata.uid) }
        return partsAreRight && widgetsAreRight
            && world.entries == Dictionary(entries, uniquingKeysWith: { first, _ in first })
    }

    /// The story that each crash is put into: two widgets come, one changes, one goes.
    func story() async throws {
        _ = try await api.create(Widget("kept", size: 2, note: "old"))
        _ = try await api.create(Widget("doomed", size: 1))
        let operating = WidgetOperator(api: api, world: world)
        try await during(operating.run) {
            try await eventually("the first state", isSettled)
            api.edit(Widget.self, key("kept")) {
                $0["spec"] = ["size": 3, "note": "new"]
            }
            try await api.delete(Widget.self, key("doomed"))
            try await eventually("the second state") {
                try isSettled() && api.objects(Widget.self).count == 1
            }
        }
    }

    @Test("Without faults the story ends, and a second pass sends nothing")
    func idempotent() async throws {
        try await story()
        api.forgetRequests()
        let operating = WidgetOperator(api: api, world: world)
        try await during(operating.run) {
            try await eventually("the cache is there") { operating.manager.readiness.failing.isEmpty }
            try await eventually("all is looked at") {
                operating.controller.queue.depth == 0 && operating.controller.queue.snapshot().added > 0
            }
            operating.controller.enqueue(key("kept"))
            try await eventually("again") { operating.controller.queue.depth == 0 }
        }

        #expect(api.writes.isEmpty)
        #expect(api.requests.allSatisfy { $0.verb == .list || $0.verb == .watch })
    }

    @Test("Whatever write a crash falls on, the next life ends in the same state", arguments: Crash.allCases)
    func crashes(crash: Crash) async throws {
        try await story()
        let writes = api.writes.count
        #expect(writes >= 9)

        for fatal in 1...writes {
            try await FaultScenarioTests().crashing(at: fatal, crash)
        }
    }

    /// The story once more, with a crash at one write.
    private func crashing(at fatal: Int, _ crash: Crash) async throws {
        let count = Mutex(0)
        let isDead = Gate()
        api.plan { request in
            guard ![.get, .list, .watch].contains(request.verb),
                request.resource != Widget.descriptor || request.key != nil
            else {
                return isDead.isOpen ? .refuse(Self.away) : nil
            }
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number < fatal {
                return nil
            }
            isDead.open()
            return number == fatal && crash == .afterTheWrite ? .loseAnswer : .refuse(Self.away)
        }
        _ = try await api.create(Widget("kept", size: 2, note: "old"))
        _ = try await api.create(Widget("doomed", size: 1))
        let firstLife = WidgetOperator(api: api, world: world)
        try await during(firstLife.run) {
            try await eventually("the crash, or the first state") { try isDead.isOpen || isSettled() }
            if !isDead.isOpen {
                api.edit(Widget.self, key("kept")) { $0["spec"] = ["size": 3, "note": "new"] }
                api.edit(Widget.self, key("doomed")) {
                    $0[path: "metadata", "deletionTimestamp"] = "2026-01-01T00:00:00Z"
                }
                try await eventually("the crash, or the second state") { try isDead.isOpen || isSettled() }
            }
        }
        api.plan(nil)
        api.edit(Widget.self, key("kept")) { $0["spec"] = ["size": 3, "note": "new"] }
        api.edit(Widget.self, key("doomed")) { $0[path: "metadata", "deletionTimestamp"] = "2026-01-01T00:00:00Z" }

        let secondLife = WidgetOperator(api: api, world: world)
        try await during(secondLife.run) {
            try await eventually("the same end after a crash at write \(fatal)") {
                try isSettled() && api.objects(Widget.self).count == 1
            }
        }
    }

    private static let away = KubernetesError.transport(
        .connectionFailed(reason: "the process is dead"), during: "test")

    @Test("Whatever events are missed, the end is the same", arguments: 0..<6)
    func missedEvents(round: Int) async throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix64(seed: seed)
        let operating = WidgetOperator(api: api, world: world)
        var script: [@Sendable () async throws -> Void] = []
        for step in 0..<60 {
            let name = "w\(Int.random(in: 0..<4, using: &random))"
            let size = Int.random(in: 0...3, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: script.append { try? await api.delete(Widget.self, key(name)) }
            case 1: script.append { api.dropWatches(silently: true) }
            case 2:
                script.append {
                    api.compact()
                    api.dropWatches()
                }
            case 3: script.append { try? await api.delete(ConfigMap.self, key("\(name)-0")) }
            default:
                script.append {
                    _ = try? await api.create(Widget(name, size: size))
                    api.edit(Widget.self, key(name)) {
                        $0["spec"] = ["size": .integer(Int64(size)), "note": "\(step)"]
                    }
                }
            }
        }
        let steps = script

        try await during(operating.run) {
            for step in steps {
                try await step()
                await Task.yield()
            }
            try await eventually("the state that is wanted, seed \(seed)", isSettled)
        }
    }

    @Test("Lost answers and refusals at random do no harm", arguments: 0..<6)
    func lostAnswers(round: Int) async throws {
        let seed = UInt64.random(in: .min ... .max)
        let random = Mutex(SplitMix64(seed: seed))
        api.plan { request in
            switch random.withLock({ Int.random(in: 0..<10, using: &$0) }) {
            case 0, 1: .loseAnswer
            case 2: .refuse(FakeState.failure(500, "InternalError", "fault"))
            case 3: .refuse(FakeState.failure(409, "Conflict", "fault"))
            default: nil
            }
        }
        let operating = WidgetOperator(api: api, world: world)

        try await during(operating.run) {
            for number in 0..<5 {
                _ = try? await api.create(Widget("w\(number)", size: number))
                api.edit(Widget.self, key("w\(number)")) { $0[path: "spec", "note"] = "changed" }
            }
            api.edit(Widget.self, key("w3")) { $0[path: "metadata", "deletionTimestamp"] = "2026-01-01T00:00:00Z" }
            try await eventually("the state that is wanted, seed \(seed)", isSettled)
        }
    }

    @Test("A life that begins with a stale view of the cluster does no harm", arguments: 0..<10)
    func staleReads(round: Int) async throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix64(seed: seed)
        try await story()
        _ = try await api.create(Widget("doomed", size: 2))
        let latest = api.version
        let stale = UInt64.random(in: 100...latest, using: &random)
        api.serveCachedLists(asOf: stale)

        let operating = WidgetOperator(api: api, world: world)
        try await during(operating.run) {
            try await eventually("the state that is wanted, from version \(stale) of \(latest), seed \(seed)") {
                try isSettled() && api.objects(Widget.self).count == 2
            }
        }

        #expect(try api.objects(Widget.self)[key("kept")]?.spec.note == "new")
    }
}
