import KubernetesTypes
import Testing
import Timing

@testable import ControllerRuntime

@Suite("How one candidate takes, keeps and gives back the lease")
struct LeaderElectionMachineTests {
    typealias Machine = LeaderElectionMachine

    let start = ContinuousClock.now
    let configuration = LeaderElectionConfiguration(namespace: "farebox-system", name: "operator", identity: "me")

    func at(_ seconds: Double) -> ContinuousClock.Instant { start.advanced(by: .seconds(seconds)) }

    func wall(_ seconds: Int64) -> MicroTime { MicroTime(Timestamp(secondsSinceEpoch: 1_700_000_000 + seconds)) }

    func lease(holder: String, renewed: Int64 = 0, version: String = "1", transitions: Int32 = 3) -> Lease {
        var lease = Lease(metadata: ObjectMeta(name: "operator", namespace: "farebox-system"))
        lease.metadata.resourceVersion = version
        lease.spec = Lease.Spec(
            holderIdentity: holder, leaseDurationSeconds: 15, acquireTime: wall(0), renewTime: wall(renewed),
            leaseTransitions: transitions)
        return lease
    }

    func candidate() -> Machine {
        var machine = Machine(configuration: configuration, seed: 1)
        _ = machine.handle(.started, now: start, wall: wall(0))
        return machine
    }

    /// A machine that has led since second 0.
    func leader() -> Machine {
        var machine = candidate()
        _ = machine.handle(.found(lease(holder: "")), now: start, wall: wall(0))
        _ = machine.handle(.written(lease(holder: "me", version: "2", transitions: 4)), now: start, wall: wall(0))
        return machine
    }

    @Test("A candidate reads before it does anything")
    func readsFirst() {
        var machine = Machine(configuration: configuration, seed: 1)

        let action = machine.handle(.started, now: start, wall: wall(0))

        #expect(action == .read)
        #expect(!machine.isLeader)
    }

    @Test("A missing lease is created without any transition")
    func creates() throws {
        var machine = candidate()

        guard case .create(let lease) = machine.handle(.missing, now: at(0), wall: wall(7)) else {
            Issue.record("nothing created")
            return
        }

        #expect(lease.key == ObjectKey(namespace: "farebox-system", name: "operator"))
        #expect(lease.spec.holderIdentity == "me")
        #expect(lease.spec.leaseDurationSeconds == 15)
        #expect(lease.spec.acquireTime == wall(7))
        #expect(lease.spec.renewTime == wall(7))
        #expect(lease.spec.leaseTransitions == 0)
    }

    @Test("A lease that nobody holds is taken at once, with one more transition")
    func takesReleased() throws {
        var machine = candidate()

        guard case .update(let lease) = machine.handle(.found(lease(holder: "")), now: at(0), wall: wall(7)) else {
            Issue.record("not taken")
            return
        }

        #expect(lease.spec.holderIdentity == "me")
        #expect(lease.spec.leaseTransitions == 4)
        #expect(lease.spec.acquireTime == wall(7))
        #expect(lease.metadata.resourceVersion == "1")
    }

    @Test("A held lease is left alone until 15 s after it was last seen to change, whatever its renewTime says")
    func waitsByOwnClock() {
        var machine = candidate()
        // By the holder's clock the renewal is hours old: our clocks differ, that is all.
        _ = machine.handle(.found(lease(holder: "other", renewed: -9000)), now: at(0), wall: wall(0))
        let early = machine.handle(.found(lease(holder: "other", renewed: -9000)), now: at(14.9), wall: wall(15))

        let late = machine.handle(.found(lease(holder: "other", renewed: -9000)), now: at(15), wall: wall(15))

        #expect(early.isPause)
        #expect(late.isUpdate)
    }

    @Test("Each renewal that is seen starts the wait anew")
    func renewalsCount() {
        var machine = candidate()
        _ = machine.handle(.found(lease(holder: "other", renewed: 0)), now: at(0), wall: wall(0))
        _ = machine.handle(.found(lease(holder: "other", renewed: 10, version: "2")), now: at(10), wall: wall(10))

        let action = machine.handle(
            .found(lease(holder: "other", renewed: 10, version: "2")), now: at(24), wall: wall(24))

        #expect(action.isPause)
    }

    @Test("A label set on the lease is no renewal")
    func foreignWriteIsNoRenewal() {
        var machine = candidate()
        _ = machine.handle(.found(lease(holder: "other")), now: at(0), wall: wall(0))
        var touched = lease(holder: "other", version: "9")
        touched.metadata.labels = ["a": "b"]

        let action = machine.handle(.found(touched), now: at(15), wall: wall(15))

        guard case .update(let claim) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(claim.metadata.resourceVersion == "9")
        #expect(claim.metadata.labels == ["a": "b"])
    }

    @Test("A candidate looks again soon enough to take a released lease within 2 s, and not past its end")
    func observePeriod() {
        let pauses = (0..<100).map { seed -> Duration in
            var machine = Machine(configuration: configuration, seed: UInt64(seed))
            _ = machine.handle(.started, now: start, wall: wall(0))
            guard case .pause(let delay) = machine.handle(.found(lease(holder: "other")), now: start, wall: wall(0))
            else {
                return .seconds(99)
            }
            return delay
        }
        var machine = candidate()
        _ = machine.handle(.found(lease(holder: "other")), now: at(0), wall: wall(0))

        let last = machine.handle(.found(lease(holder: "other")), now: at(14.5), wall: wall(0))

        #expect(pauses.allSatisfy { $0 >= .seconds(1) && $0 <= .milliseconds(1200) })
        #expect(last == .pause(.milliseconds(500)))
    }

    @Test("An absurd duration in the record does not keep others out for ever", arguments: [nil, 0, -5, 2_000_000])
    func absurdDuration(seconds: Int32?) {
        var machine = candidate()
        var held = lease(holder: "other")
        held.spec.leaseDurationSeconds = seconds
        _ = machine.handle(.found(held), now: at(0), wall: wall(0))

        let action = machine.handle(.found(held), now: at(15), wall: wall(0))

        #expect(action.isUpdate)
    }

    @Test("A written claim makes a leader, who renews with the version it got and without reading")
    func fastPath() {
        var machine = leader()

        let action = machine.handle(.resumed, now: at(2), wall: wall(2))

        guard case .update(let renewal) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(machine.isLeader)
        #expect(renewal.metadata.resourceVersion == "2")
        #expect(renewal.spec.renewTime == wall(2))
        #expect(renewal.spec.acquireTime == wall(0))
        #expect(renewal.spec.leaseTransitions == 4)
    }

    @Test("A leader whose version is old reads, and renews with the new one")
    func slowPath() {
        var machine = leader()
        _ = machine.handle(.resumed, now: at(2), wall: wall(2))

        let read = machine.handle(.conflicted, now: at(2), wall: wall(2))
        let again = machine.handle(
            .found(lease(holder: "me", version: "5", transitions: 4)), now: at(2), wall: wall(2))

        #expect(read == .read)
        guard case .update(let renewal) = again else {
            Issue.record("\(again)")
            return
        }
        #expect(renewal.metadata.resourceVersion == "5")
        #expect(renewal.spec.leaseTransitions == 4)
    }

    @Test("A leader that finds another holder has lost, at once")
    func otherHolder() {
        var machine = leader()
        _ = machine.handle(.resumed, now: at(2), wall: wall(2))
        _ = machine.handle(.conflicted, now: at(2), wall: wall(2))

        let action = machine.handle(.found(lease(holder: "other", version: "7")), now: at(2), wall: wall(2))

        #expect(action == .finish(.lost))
        #expect(!machine.isLeader)
    }

    @Test("A leader whose lease was deleted makes it anew")
    func deletedLease() {
        var machine = leader()
        _ = machine.handle(.resumed, now: at(2), wall: wall(2))

        let action = machine.handle(.missing, now: at(2), wall: wall(2))

        #expect(action.isCreate)
        #expect(machine.isLeader)
    }

    @Test("A leader that cannot renew for 10 s has lost, however the last try ends")
    func deadline() {
        for last in [Machine.Event.failed, .resumed, .written(lease(holder: "me")), .conflicted] {
            var machine = leader()
            let early = machine.handle(.failed, now: at(9), wall: wall(9))

            let action = machine.handle(last, now: at(10), wall: wall(10))

            #expect(early == .pause(.seconds(1)))
            #expect(action == .finish(.lost))
        }
    }

    @Test("The deadline counts from the moment before the last renewal was sent")
    func deadlineFromSending() {
        var machine = leader()
        _ = machine.handle(.resumed, now: at(2), wall: wall(2))

        _ = machine.handle(.written(lease(holder: "me", version: "3")), now: at(6), wall: wall(6))

        #expect(machine.renewalDeadline == at(12))
    }

    @Test("A clean stop gives the lease back: no holder, 1 s")
    func release() {
        var machine = leader()

        let action = machine.handle(.stop, now: at(3), wall: wall(3))
        let end = machine.handle(.written(lease(holder: "", version: "3")), now: at(3), wall: wall(3))

        guard case .update(let released) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(released.spec.holderIdentity.isEmpty)
        #expect(released.spec.leaseDurationSeconds == 1)
        #expect(released.metadata.resourceVersion == "2")
        #expect(end == .finish(.stopped))
    }

    @Test("A release that meets a newer version is tried once more if the lease is still ours")
    func releaseConflict() {
        var machine = leader()
        _ = machine.handle(.stop, now: at(3), wall: wall(3))

        let read = machine.handle(.conflicted, now: at(3), wall: wall(3))
        let again = machine.handle(.found(lease(holder: "me", version: "8")), now: at(3), wall: wall(3))
        let end = machine.handle(.conflicted, now: at(3), wall: wall(3))

        #expect(read == .read)
        #expect(again.isUpdate)
        #expect(end == .finish(.stopped))
    }

    @Test("A release never takes the lease from a successor")
    func releaseAfterTakeover() {
        var machine = leader()
        _ = machine.handle(.stop, now: at(3), wall: wall(3))
        _ = machine.handle(.conflicted, now: at(3), wall: wall(3))

        let action = machine.handle(.found(lease(holder: "other", version: "8")), now: at(3), wall: wall(3))

        #expect(action == .finish(.stopped))
    }

    @Test("A candidate that stops writes nothing")
    func candidateStops() {
        var machine = candidate()
        _ = machine.handle(.found(lease(holder: "other")), now: at(0), wall: wall(0))

        let action = machine.handle(.stop, now: at(1), wall: wall(1))

        #expect(action == .finish(.stopped))
    }

    @Test(
        "Only sound times are accepted",
        arguments: [(15, 10, 2, true), (10, 10, 2, false), (15, 2, 2, false), (0, 0, 0, false)])
    func validation(duration: Int, deadline: Int, retry: Int, isSound: Bool) {
        var configuration = configuration
        configuration.duration = .seconds(duration)
        configuration.renewDeadline = .seconds(deadline)
        configuration.retryPeriod = .seconds(retry)

        #expect((configuration.violation == nil) == isSound)
    }
}

extension LeaderElectionMachine.Action {
    fileprivate var isPause: Bool {
        if case .pause = self { true } else { false }
    }

    fileprivate var isUpdate: Bool {
        if case .update = self { true } else { false }
    }

    fileprivate var isCreate: Bool {
        if case .create = self { true } else { false }
    }
}
