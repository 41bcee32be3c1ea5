import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization
import Telemetry
import Testing
import Timing

@testable import ControllerRuntime

/// Does what a test says and remembers what it was asked.
private final class ScriptedReconciler: Reconciler {
    private let calls = Mutex<[ObjectKey]>([])
    private let script: @Sendable (ObjectKey, Int) async throws -> ReconcileOutcome

    init(_ script: @escaping @Sendable (ObjectKey, Int) async throws -> ReconcileOutcome = { _, _ in .done }) {
        self.script = script
    }

    var keys: [ObjectKey] { calls.withLock { $0 } }

    func reconcile(_ key: ObjectKey) async throws -> ReconcileOutcome {
        let call = calls.withLock { calls in
            calls.append(key)
            return calls.count { $0 == key }
        }
        return try await script(key, call)
    }
}

private struct Fault: Error {}

@Suite("Controllers")
struct ControllerTests {
    let api = FakeAPI()
    let metrics = MetricsRegistry()

    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "test", name: name) }

    /// Runs a controller over widgets, and its informers, while `body` runs.
    func run(
        _ reconciler: any Reconciler, predicate: Predicate<Widget> = .any,
        configure: (inout ControllerConfiguration) -> Void = { _ in },
        set: (Controller, SharedInformers) -> Void = { _, _ in },
        _ body: @Sendable (Controller) async throws -> Void
    ) async throws {
        let informers = SharedInformers(api: api)
        var configuration = ControllerConfiguration()
        configuration.backoff = Backoff(base: .milliseconds(1), ceiling: .milliseconds(20))
        configure(&configuration)
        let controller = Controller(
            name: "widget", root: informers.informer(Widget.self), predicate: predicate, reconciler: reconciler,
            configuration: configuration, metrics: metrics)
        set(controller, informers)
        informers.start()
        try await during({ try? await controller.run() }) { try await body(controller) }
        await informers.stop()
    }

    /// The value of one line of the metrics.
    func metric(_ line: String) -> String? {
        String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix(line + " ") }
            .map { String($0.dropFirst(line.count + 1)) }
    }

    @Test("Each object is reconciled at the start, and again when it changes or goes")
    func reactsToRoot() async throws {
        _ = try await api.create(Widget("a"))
        let reconciler = ScriptedReconciler()

        try await run(reconciler) { _ in
            try await eventually("the first pass") { reconciler.keys == [key("a")] }
            api.edit(Widget.self, key("a")) { $0[path: "spec", "size"] = 2 }
            try await eventually("the second pass") { reconciler.keys.count == 2 }
            try await api.delete(Widget.self, key("a"))
            try await eventually("the third pass") { reconciler.keys.count == 3 }
        }

        #expect(Set(reconciler.keys) == [key("a")])
    }

    @Test("A failure is tried again until it works, and counted")
    func retries() async throws {
        _ = try await api.create(Widget("a"))
        let reconciler = ScriptedReconciler { _, call in
            if call < 5 {
                throw Fault()
            }
            return .done
        }

        try await run(reconciler) { controller in
            try await eventually("it works") { reconciler.keys.count == 5 }
            try await eventually("it is settled") { controller.queue.snapshot().held.isEmpty }
        }

        #expect(metric(#"controller_runtime_reconcile_total{controller="widget",result="error"}"#) == "4")
        #expect(metric(#"controller_runtime_reconcile_total{controller="widget",result="success"}"#) == "1")
        #expect(metric(#"workqueue_retries_total{name="widget",controller="widget"}"#) == "4")
    }

    @Test("A terminal failure is not tried again until something changes")
    func terminal() async throws {
        _ = try await api.create(Widget("bad"))
        let reconciler = ScriptedReconciler { key, _ in
            if key.name == "bad" {
                throw TerminalError(Fault())
            }
            return .done
        }

        try await run(reconciler, configure: { $0.concurrency = 1 }) { _ in
            try await eventually("the first pass") { reconciler.keys.count == 1 }
            // Whatever the first pass put into the queue would come before these.
            for number in 0..<30 {
                _ = try await api.create(Widget("good\(number)"))
            }
            try await eventually("the others are done") { reconciler.keys.count == 31 }
            api.edit(Widget.self, key("bad")) { $0[path: "spec", "size"] = 2 }
            try await eventually("the change is tried") { reconciler.keys.count == 32 }
        }

        #expect(reconciler.keys.count { $0 == key("bad") } == 2)
        #expect(metric(#"controller_runtime_terminal_reconcile_errors_total{controller="widget"}"#) == "2")
    }

    @Test("A requeue comes after its time, at most a tenth later, and starts with a clean record")
    func requeues() async throws {
        _ = try await api.create(Widget("a"))
        let times = Mutex<[ContinuousClock.Instant]>([])
        let reconciler = ScriptedReconciler { _, call in
            times.withLock { $0.append(.now) }
            return call < 3 ? .requeue(after: .milliseconds(30)) : .done
        }

        try await run(reconciler) { _ in
            try await eventually("three passes") { reconciler.keys.count == 3 }
        }

        let waits = times.withLock { times in zip(times, times.dropFirst()).map { $0.duration(to: $1) } }
        #expect(waits.allSatisfy { $0 >= .milliseconds(30) })
        #expect(metric(#"controller_runtime_reconcile_total{controller="widget",result="requeue_after"}"#) == "2")
    }

    @Test("One key is never reconciled twice at once, different ones are")
    func concurrency() async throws {
        for number in 0..<4 {
            _ = try await api.create(Widget("w\(number)"))
        }
        let active = Mutex<[ObjectKey: Int]>([:])
        let most = Mutex((perKey: 0, all: 0))
        let reconciler = ScriptedReconciler { key, call in
            let (perKey, all) = active.withLock { active in
                active[key, default: 0] += 1
                return (active[key] ?? 0, active.values.reduce(0, +))
            }
            most.withLock { $0 = (max($0.perKey, perKey), max($0.all, all)) }
            for _ in 0..<50 {
                await Task.yield()
            }
            active.withLock { $0[key, default: 0] -= 1 }
            return .done
        }

        try await run(reconciler) { controller in
            for _ in 0..<20 {
                for number in 0..<4 {
                    controller.enqueue(key("w\(number)"))
                }
                await Task.yield()
            }
            try await eventually("all are settled") { controller.queue.depth == 0 }
        }

        #expect(most.withLock { $0.perKey } == 1)
        #expect(most.withLock { $0.all } > 1)
    }

    @Test("A child's change reconciles its controller, and a child that changes hands reconciles both")
    func owners() async throws {
        let first = try await api.create(Widget("first"))
        let second = try await api.create(Widget("second"))
        var child = ConfigMap(metadata: ObjectMeta(name: "part", namespace: "test"))
        child.metadata.ownerReferences = [OwnerReference(controller: first)]
        let owned = child
        let reconciler = ScriptedReconciler()

        try await run(
            reconciler,
            set: { controller, informers in
                controller.owns(informers.informer(ConfigMap.self))
            }
        ) { _ in
            try await eventually("the first passes") { reconciler.keys.count == 2 }
            _ = try await api.create(owned)
            try await eventually("the child is noticed") { reconciler.keys.count == 3 }
            #expect(reconciler.keys.last == key("first"))

            api.edit(ConfigMap.self, key("part")) {
                $0[path: "metadata", "ownerReferences"] = [
                    [
                        "apiVersion": "test.farebox.dev/v1", "kind": "Widget", "name": "second", "controller": true,
                        "uid": .string(second.metadata.uid),
                    ]
                ]
            }
            try await eventually("both are reconciled") { reconciler.keys.count == 5 }
            #expect(Set(reconciler.keys.suffix(2)) == [key("first"), key("second")])
        }
    }

    @Test(
        "A child of another kind's object, or one without controller, concerns nobody here",
        arguments: [
            OwnerReference(apiVersion: "apps/v1", kind: "Widget", name: "a", uid: "u", controller: true),
            OwnerReference(
                apiVersion: "test.farebox.dev/v1", kind: "Gadget", name: "a", uid: "u", controller: true),
            OwnerReference(apiVersion: "test.farebox.dev/v1", kind: "Widget", name: "a", uid: "u"),
        ])
    func foreignChildren(reference: OwnerReference) async throws {
        let reconciler = ScriptedReconciler()
        var child = ConfigMap(metadata: ObjectMeta(name: "part", namespace: "test"))
        child.metadata.ownerReferences = [reference]
        let foreign = child

        try await run(
            reconciler,
            set: { controller, informers in
                controller.owns(informers.informer(ConfigMap.self))
            }
        ) { _ in
            _ = try await api.create(foreign)
            // Both come by way of the same informer, the second one after the first.
            var ours = ConfigMap(metadata: ObjectMeta(name: "zzz", namespace: "test"))
            ours.metadata.ownerReferences = [
                OwnerReference(
                    apiVersion: "test.farebox.dev/v2", kind: "Widget", name: "ours", uid: "u", controller: true)
            ]
            _ = try await api.create(ours)
            try await eventually("ours is reconciled") { !reconciler.keys.isEmpty }
        }

        #expect(reconciler.keys == [key("ours")])
    }

    @Test("Changes go before what was only listed")
    func resyncsComeLast() async throws {
        for number in 0..<5 {
            _ = try await api.create(Widget("listed\(number)"))
        }
        let informers = SharedInformers(api: api)
        let reconciler = ScriptedReconciler()
        var configuration = ControllerConfiguration()
        configuration.concurrency = 1
        let controller = Controller(
            name: "widget", root: informers.informer(Widget.self), reconciler: reconciler,
            configuration: configuration, metrics: metrics)
        informers.start()
        try await informers.waitForSync()
        _ = try await api.create(Widget("changed"))
        try await eventually("all are queued") { controller.queue.depth == 6 }

        try await during({ try? await controller.run() }) {
            try await eventually("all are done") { reconciler.keys.count == 6 }
        }
        await informers.stop()

        #expect(reconciler.keys.first == key("changed"))
    }

    @Test("A predicate keeps out what does not matter")
    func predicates() async throws {
        _ = try await api.create(Widget("a"))
        let reconciler = ScriptedReconciler()

        try await run(reconciler, predicate: .generationChanged) { _ in
            try await eventually("the first pass") { reconciler.keys.count == 1 }
            api.edit(Widget.self, key("a")) { $0["status"] = ["parts": 1] }
            api.edit(Widget.self, key("a")) { $0[path: "metadata", "labels"] = ["x": "y"] }
            api.edit(Widget.self, key("a")) { $0[path: "spec", "size"] = 2 }
            try await eventually("the second pass") { reconciler.keys.count == 2 }
            _ = try await api.create(Widget("b"))
            try await eventually("another one") { reconciler.keys.contains(key("b")) }
        }

        #expect(reconciler.keys.count { $0 == key("a") } == 2)
    }

    @Test("A reconcile that takes too long is cancelled, counted and tried again")
    func timeout() async throws {
        _ = try await api.create(Widget("slow"))
        let isCancelled = Mutex(false)
        let reconciler = ScriptedReconciler { _, call in
            if call == 1 {
                defer { isCancelled.withLock { $0 = Task.isCancelled } }
                try await ContinuousClock().sleep(for: .seconds(600))
            }
            return .done
        }

        try await run(reconciler, configure: { $0.reconcileTimeout = .milliseconds(100) }) { _ in
            try await eventually("a pass in time") {
                metric(#"controller_runtime_reconcile_total{controller="widget",result="success"}"#) == "1"
            }
        }

        #expect(isCancelled.withLock { $0 })
        // On a busy machine a pass that does nothing can be late as well; then it is counted and tried again too.
        let late = reconciler.keys.count - 1
        #expect(late >= 1)
        #expect(metric(#"controller_runtime_reconcile_timeouts_total{controller="widget"}"#) == "\(late)")
    }

    @Test("Stopping cancels what runs, waits for its end, and reconciles nothing more")
    func stops() async throws {
        _ = try await api.create(Widget("a"))
        let ended = Mutex(false)
        let reconciler = ScriptedReconciler { _, _ in
            defer { ended.withLock { $0 = true } }
            try await ContinuousClock().sleep(for: .seconds(600))
            return .done
        }

        try await run(reconciler) { controller in
            try await eventually("it runs") { reconciler.keys.count == 1 }
            controller.enqueue(key("b"), after: .milliseconds(1))
            try await eventually("the second runs") { reconciler.keys.count == 2 }
        }

        #expect(ended.withLock { $0 })
        #expect(reconciler.keys.count == 2)
    }

    @Test("Workers wait for the first lists, and a kind that never comes is named")
    func syncTimeout() async throws {
        api.plan { $0.verb == .list ? .refuse(FakeState.failure(404, "NotFound", "no such kind")) : nil }
        let informers = SharedInformers(api: api)
        let reconciler = ScriptedReconciler()
        var configuration = ControllerConfiguration()
        configuration.syncTimeout = .milliseconds(30)
        let controller = Controller(
            name: "widget", root: informers.informer(Widget.self), reconciler: reconciler,
            configuration: configuration, metrics: metrics)
        controller.enqueue(key("a"))
        informers.start()

        let error = await #expect(throws: InformersNotSynced.self) { try await controller.run() }
        await informers.stop()

        #expect(error?.resources == ["widgets.v1.test.farebox.dev"])
        #expect(reconciler.keys.isEmpty)
    }

    @Test("All results are shown from the start, under the names of Go's controllers")
    func metricNames() async throws {
        try await run(ScriptedReconciler()) { controller in
            controller.refreshMetrics()
        }

        for line in [
            #"controller_runtime_reconcile_total{controller="widget",result="success"}"#,
            #"controller_runtime_reconcile_total{controller="widget",result="error"}"#,
            #"controller_runtime_reconcile_total{controller="widget",result="requeue"}"#,
            #"controller_runtime_reconcile_total{controller="widget",result="requeue_after"}"#,
            #"controller_runtime_reconcile_errors_total{controller="widget"}"#,
            #"controller_runtime_terminal_reconcile_errors_total{controller="widget"}"#,
            #"controller_runtime_reconcile_panics_total{controller="widget"}"#,
            #"controller_runtime_reconcile_timeouts_total{controller="widget"}"#,
            #"controller_runtime_active_workers{controller="widget"}"#,
            #"controller_runtime_reconcile_time_seconds_count{controller="widget"}"#,
            #"workqueue_adds_total{name="widget",controller="widget"}"#,
            #"workqueue_queue_duration_seconds_count{name="widget",controller="widget"}"#,
            #"workqueue_work_duration_seconds_count{name="widget",controller="widget"}"#,
            #"workqueue_unfinished_work_seconds{name="widget",controller="widget"}"#,
            #"workqueue_longest_running_processor_seconds{name="widget",controller="widget"}"#,
            #"workqueue_retries_total{name="widget",controller="widget"}"#,
        ] {
            #expect(metric(line) == "0", "\(line)")
        }
        #expect(metric(#"controller_runtime_max_concurrent_reconciles{controller="widget"}"#) == "10")
    }
}
