import Glibc
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization
import Telemetry
import Testing
import Timing

@testable import ControllerRuntime

/// What happened, in order.
private final class Diary: Sendable {
    private let state = Mutex<[String]>([])

    var entries: [String] { state.withLock { $0 } }

    func note(_ entry: String) {
        state.withLock { $0.append(entry) }
    }

    /// A part of a process that notes its start and its end.
    func part(_ name: String) -> @Sendable () async throws -> Void {
        { [self] in
            note("\(name) starts")
            await waitForCancellation()
            note("\(name) ends")
        }
    }
}

/// Returns when the task is cancelled.
private func waitForCancellation() async {
    try? await Gate().wait()
}

private struct Fault: Error {}

@Suite("The manager")
struct ManagerTests {
    let api = FakeAPI()
    let leaseKey = ObjectKey(namespace: "test", name: "lease")

    func manager(
        identity: String? = nil, adjust: (inout ManagerConfiguration) -> Void = { _ in }
    ) -> Manager {
        var configuration = ManagerConfiguration()
        configuration.handlesSignals = false
        configuration.healthAddress = nil
        configuration.gracePeriod = .seconds(300)
        configuration.leaderElection = identity.map {
            var election = LeaderElectionConfiguration(namespace: "test", name: "lease", identity: $0)
            // Longer than a starved machine keeps a leader from renewing.
            election.duration = .seconds(300)
            election.renewDeadline = .seconds(200)
            return election
        }
        adjust(&configuration)
        return Manager(api: api, configuration: configuration, metrics: MetricsRegistry(), limits: .impatient) { _ in }
    }

    @Test("Parts start when they may and stop in reverse, and the lease goes when nothing acts under it any more")
    func order() async throws {
        let diary = Diary()
        let manager = manager(identity: "me")
        manager.addRunnable("leader part", needsLeadership: true, diary.part("leader part"))
        manager.addRunnable("other part", needsLeadership: false) {
            diary.note("other part starts")
            await waitForCancellation()
            let holder = try self.api.objects(Lease.self)[self.leaseKey]?.spec.holderIdentity
            diary.note("other part ends, lease held by '\(holder ?? "nobody")'")
        }
        // Both are tasks of their own: the lease is not to be had before the part that must not wait for it runs.
        api.plan { request in
            request.resource == Lease.descriptor && diary.entries.isEmpty
                ? .refuse(FakeState.failure(503, "ServiceUnavailable", "away")) : nil
        }
        let run = Task { try await manager.run() }
        try await eventually("all run") { diary.entries.count == 2 }
        #expect(manager.isLeader)

        run.cancel()
        try await run.value

        #expect(
            diary.entries == [
                "other part starts", "leader part starts", "leader part ends", "other part ends, lease held by ''",
            ])
    }

    @Test("Of two one leads; when it stops, the other takes over at once, warm")
    func twoManagers() async throws {
        _ = try await api.create(Widget("w"))
        let diary = Diary()
        var runs: [Task<Void, any Error>] = []
        var managers: [Manager] = []
        for name in ["first", "second"] {
            let manager = manager(identity: name)
            _ = manager.informers.informer(Widget.self)
            manager.addRunnable("part", needsLeadership: true, diary.part(name))
            managers.append(manager)
            runs.append(Task { try await manager.run() })
            if name == "first" {
                try await eventually("the first leads") { diary.entries == ["first starts"] }
            }
        }
        let standby = managers[1]
        try await eventually("the standby is warm") { standby.readiness.failing.isEmpty }
        #expect(!standby.isLeader)

        let stopped = ContinuousClock.now
        runs[0].cancel()
        try await eventually("the second leads") { diary.entries.contains("second starts") }
        let took = stopped.duration(to: .now)
        runs[1].cancel()
        for run in runs {
            try await run.value
        }

        #expect(took < .seconds(300), "the lease's duration: the other did not wait for it to expire")
        #expect(diary.entries == ["first starts", "first ends", "second starts", "second ends"])
    }

    @Test("A part that fails stops everything, and is named")
    func failure() async throws {
        let diary = Diary()
        let manager = manager()
        manager.addRunnable("good", needsLeadership: false, diary.part("good"))
        manager.addRunnable("bad", needsLeadership: true) { throw Fault() }

        let error = await #expect(throws: ManagerError.self) { try await manager.run() }

        guard case .failed("bad", is Fault) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(diary.entries.count != 1)
    }

    @Test("A lost lease ends the process at once, without waiting for anything")
    func lostLease() async throws {
        let codes = Diary()
        var configuration = ManagerConfiguration()
        configuration.handlesSignals = false
        configuration.healthAddress = nil
        var election = LeaderElectionConfiguration(namespace: "test", name: "lease", identity: "me")
        // Longer than a starved machine keeps a leader from renewing.
        election.duration = .seconds(300)
        election.renewDeadline = .seconds(200)
        election.retryPeriod = .milliseconds(20)
        configuration.leaderElection = election
        let diary = Diary()
        let manager = Manager(api: api, configuration: configuration, metrics: MetricsRegistry()) { code in
            codes.note("\(code) after \(diary.entries)")
        }
        manager.addRunnable("part", needsLeadership: true, diary.part("part"))
        let run = Task { try await manager.run() }
        try await eventually("it leads") { diary.entries == ["part starts"] }

        api.edit(Lease.self, leaseKey) { $0[path: "spec", "holderIdentity"] = "other" }
        let result = await run.result

        #expect(codes.entries.first == #"1 after ["part starts"]"#)
        #expect(throws: ManagerError.self) { try result.get() }
    }

    @Test("A part that does not stop is named after the grace period, and the process ended")
    func graceExceeded() async throws {
        let codes = Diary()
        var configuration = ManagerConfiguration()
        configuration.handlesSignals = false
        configuration.healthAddress = nil
        configuration.gracePeriod = .milliseconds(20)
        let manager = Manager(api: api, configuration: configuration, metrics: MetricsRegistry()) {
            codes.note("\($0)")
        }
        let (diary, letGo) = (Diary(), Gate())
        manager.addRunnable("stubborn", needsLeadership: false) {
            diary.note("starts")
            await Task { try? await letGo.wait() }.value
        }
        let run = Task { try await manager.run() }
        try await eventually("it runs") { diary.entries == ["starts"] }

        run.cancel()
        let error = await #expect(throws: ManagerError.self) { try await run.value }
        letGo.open()

        guard case .graceExceeded(["stubborn"]) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(codes.entries == ["1"])
    }

    @Test("SIGTERM stops in order; a second one ends the process at once")
    func signals() async throws {
        let codes = Diary()
        var configuration = ManagerConfiguration()
        configuration.healthAddress = nil
        // Its end must not come before the second signal, however slow the machine.
        configuration.gracePeriod = .seconds(300)
        let manager = Manager(api: api, configuration: configuration, metrics: MetricsRegistry()) {
            codes.note("\($0)")
        }
        let (diary, letGo) = (Diary(), Gate())
        manager.addRunnable("slow", needsLeadership: false) {
            diary.note("starts")
            await waitForCancellation()
            diary.note("stopping")
            await Task { try? await letGo.wait() }.value
        }
        let run = Task { try await manager.run() }
        try await eventually("it runs") { diary.entries == ["starts"] }

        kill(getpid(), SIGTERM)
        try await eventually("it stops") { diary.entries == ["starts", "stopping"] }
        let before = codes.entries
        kill(getpid(), SIGTERM)
        try await eventually("it is ended") { codes.entries == ["1"] }
        letGo.open()
        try await run.value

        #expect(before.isEmpty)
    }

    @Test("Unsound times of the election are refused before anything starts")
    func unsoundTimes() async throws {
        let manager = manager(identity: "me") { $0.leaderElection?.renewDeadline = .seconds(600) }

        await #expect(throws: ManagerError.self) { try await manager.run() }

        #expect(api.requests.isEmpty)
    }

    @Test("Readiness follows the informers, liveness does not, and metrics are shown with them")
    func served() async throws {
        api.plan { $0.verb == .list ? .refuse(FakeState.failure(503, "ServiceUnavailable", "away")) : nil }
        let manager = manager {
            $0.healthAddress = "127.0.0.1"
            $0.healthPort = 0
        }
        let widgets = manager.informers.informer(Widget.self)
        let controller = Controller(
            name: "widget", root: widgets, reconciler: NothingToDo(), metrics: manager.metrics)
        manager.add(controller)
        let run = Task { try await manager.run() }
        try await eventually("it is served") { manager.healthPort != nil }
        let port = try #require(manager.healthPort)
        let client = HTTPClient()
        @Sendable func get(_ path: String) async throws -> (Int, String) {
            let response = try await client.send(HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)"))
            return (response.status.code, String(decoding: response.body, as: UTF8.self))
        }

        let unready = try await get("/readyz")
        let alive = try await get("/healthz?verbose")
        controller.enqueue(ObjectKey(namespace: "test", name: "waiting"))
        let metrics = try await get("/metrics")
        api.plan(nil)
        try await eventually("it is ready") { try await get("/readyz").0 == 200 }
        run.cancel()
        try await run.value

        #expect(unready == (500, "[-]informers failed: reason withheld\nreadyz check failed\n"))
        #expect(alive == (200, "[+]ping ok\nhealthz check passed\n"))
        #expect(metrics.1.contains(#"workqueue_depth{name="widget",controller="widget",priority="0"} 1"#))
        #expect(manager.healthPort == nil)
    }
}

private struct NothingToDo: Reconciler {
    func reconcile(_ key: ObjectKey) async throws -> ReconcileOutcome { .done }
}
