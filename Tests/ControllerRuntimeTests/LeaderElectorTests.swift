import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Telemetry
import Testing
import Timing

@testable import ControllerRuntime

@Suite("Leader election over a faulty server")
struct LeaderElectorTests {
    let api = FakeAPI()
    let metrics = MetricsRegistry()
    let key = ObjectKey(namespace: "test", name: "lease")

    func elector(_ identity: String, adjust: (inout LeaderElectionConfiguration) -> Void = { _ in }) -> LeaderElector {
        var configuration = LeaderElectionConfiguration(namespace: "test", name: "lease", identity: identity)
        // Longer than a starved machine keeps a leader from renewing.
        configuration.duration = .seconds(300)
        configuration.renewDeadline = .seconds(200)
        adjust(&configuration)
        return LeaderElector(
            api: api, configuration: configuration, metrics: metrics, logger: Logger(label: "test"))
    }

    func lease() throws -> Lease? { try api.objects(Lease.self)[key] }

    @Test("The first one leads; on its clean stop the second one does not wait for the lease to expire")
    func handOver() async throws {
        let (first, second) = (elector("first"), elector("second"))
        let firstRun = Task { await first.run() }
        try await withDeadline(.seconds(300)) { try await first.leads.wait() }
        let secondRun = Task { await second.run() }
        try await eventually("the second looks") { api.requests.count { $0.verb == .get } >= 2 }
        #expect(!second.leads.isOpen)

        let stopped = ContinuousClock.now
        first.stop()
        let outcome = await firstRun.value
        try await withDeadline(.seconds(300)) { try await second.leads.wait() }
        let took = stopped.duration(to: .now)
        second.stop()
        _ = await secondRun.value

        #expect(outcome == .stopped)
        // How long it takes on a quiet machine is for the end-to-end test; here other tests run beside it.
        #expect(took < .seconds(300), "the lease's duration")
        #expect(try lease()?.spec.leaseTransitions == 1)
        #expect(try lease()?.spec.holderIdentity == "")
    }

    @Test("A leader that cannot renew ends as lost, at its deadline")
    func loses() async throws {
        let elector = elector("me") {
            $0.duration = .seconds(4)
            $0.renewDeadline = .seconds(2)
            $0.retryPeriod = .milliseconds(100)
        }
        let run = Task { await elector.run() }
        try await withDeadline(.seconds(300)) { try await elector.leads.wait() }

        api.plan { _ in .refuse(.transport(.connectionFailed(reason: "fault"), during: "test")) }
        let outcome = try await withDeadline(.seconds(300)) { await run.value }
        let ended = Timestamp.now

        let renewed = try #require(try lease()?.spec.renewTime)
        #expect(outcome == .lost)
        #expect(ended - renewed.timestamp >= .seconds(2))
    }

    @Test("A leader goes on through lost answers, conflicts and short outages")
    func survives() async throws {
        let elector = elector("me") {
            $0.duration = .seconds(60)
            $0.renewDeadline = .seconds(50)
            $0.retryPeriod = .milliseconds(20)
        }
        let run = Task { await elector.run() }
        try await withDeadline(.seconds(300)) { try await elector.leads.wait() }

        api.plan { $0.verb == .update ? .loseAnswer : nil }
        try await eventually("answers were lost") { api.requests.count { $0.verb == .update } > 3 }
        api.plan(nil)
        api.edit(Lease.self, key) { $0[path: "metadata", "labels"] = ["somebody": "else"] }
        let before = api.requests.count
        try await eventually("it renews") { api.requests.count > before + 5 }
        elector.stop()
        let outcome = await run.value

        #expect(outcome == .stopped)
        #expect(try lease()?.spec.leaseTransitions == 0)
        #expect(try lease()?.metadata.labels == ["somebody": "else"])
    }

    @Test("A leader whose lease was taken by force stops at once")
    func takenByForce() async throws {
        let elector = elector("me") { $0.retryPeriod = .milliseconds(20) }
        let run = Task { await elector.run() }
        try await withDeadline(.seconds(300)) { try await elector.leads.wait() }

        api.edit(Lease.self, key) { $0[path: "spec", "holderIdentity"] = "other" }
        let outcome = await run.value

        #expect(outcome == .lost)
        #expect(try lease()?.spec.holderIdentity == "other")
    }

    @Test("A cancelled candidate ends without having written anything")
    func cancelled() async throws {
        let leader = elector("leader")
        let leading = Task { await leader.run() }
        try await withDeadline(.seconds(300)) { try await leader.leads.wait() }
        let candidate = elector("candidate")
        let waiting = Task { await candidate.run() }
        try await eventually("it looked") { api.requests.contains { $0.verb == .get } }
        leader.stop()
        candidate.stop()

        let outcome = await waiting.value
        _ = await leading.value

        #expect(outcome == .stopped)
        #expect(try lease()?.spec.holderIdentity == "")
    }
}
