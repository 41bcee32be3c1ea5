import KubernetesTypes
import Testing
import Timing

@testable import ControllerRuntime

/// Candidates with clocks of their own, one Lease, a network that delays and loses: in simulated time.
private struct Simulation {
    struct Candidate {
        var machine: LeaderElectionMachine
        /// What its wall clock shows wrongly, in seconds.
        let skew: Int64
        var nextAt: Double
        var nextEvent: LeaderElectionMachine.Event
        var isAlive = true
        var leadsSince: Double?
    }

    var random: SplitMix64
    var candidates: [Candidate] = []
    var lease: Lease?
    var version = 0
    var time = 0.0
    let start = ContinuousClock.now
    var lossRate = 0.0

    init(seed: UInt64, candidates count: Int, lossRate: Double) {
        random = SplitMix64(seed: seed)
        self.lossRate = lossRate
        for index in 0..<count {
            let configuration = LeaderElectionConfiguration(namespace: "n", name: "l", identity: "candidate-\(index)")
            let machine = LeaderElectionMachine(configuration: configuration, seed: random.next())
            let skew = Int64.random(in: -100_000...100_000, using: &random)
            let nextAt = Double.random(in: 0...3, using: &random)
            candidates.append(Candidate(machine: machine, skew: skew, nextAt: nextAt, nextEvent: .started))
        }
    }

    /// Who leads now and may act: a leader stops by itself at its deadline, also without an event.
    var leaders: [Int] {
        candidates.indices.filter { index in
            guard candidates[index].isAlive, candidates[index].machine.isLeader else {
                return false
            }
            return candidates[index].machine.renewalDeadline.map { now < $0 } ?? false
        }
    }

    var now: ContinuousClock.Instant { start.advanced(by: .seconds(time)) }

    mutating func step() {
        let alive = candidates.indices.filter { candidates[$0].isAlive }
        guard let index = alive.min(by: { candidates[$0].nextAt < candidates[$1].nextAt }) else {
            return
        }
        time = max(time, candidates[index].nextAt)
        let wall = MicroTime(Timestamp(secondsSinceEpoch: 1_700_000_000 + Int64(time) + candidates[index].skew))
        let action = candidates[index].machine.handle(candidates[index].nextEvent, now: now, wall: wall)
        let isLost = Double.random(in: 0..<1, using: &random) < lossRate
        let latency = isLost ? 5 : Double.random(in: 0.001...0.2, using: &random)
        switch action {
        case .pause(let delay):
            candidates[index].nextAt = time + delay / .seconds(1)
            candidates[index].nextEvent = .resumed
        case .finish:
            candidates[index].isAlive = false
        case .read: answer(index, in: latency, isLost ? .failed : lease.map { .found($0) } ?? .missing)
        case .create(let new):
            // A lost request may still have had its effect.
            let event = isLost && Bool.random(using: &random) ? .failed : write(new, isNew: true)
            answer(index, in: latency, isLost ? .failed : event)
        case .update(let new):
            let event = isLost && Bool.random(using: &random) ? .failed : write(new, isNew: false)
            answer(index, in: latency, isLost ? .failed : event)
        }
    }

    private mutating func answer(_ index: Int, in latency: Double, _ event: LeaderElectionMachine.Event) {
        candidates[index].nextAt = time + latency
        candidates[index].nextEvent = event
    }

    private mutating func write(_ new: Lease, isNew: Bool) -> LeaderElectionMachine.Event {
        if isNew ? lease != nil : lease?.metadata.resourceVersion != new.metadata.resourceVersion {
            return .conflicted
        }
        version += 1
        var stored = new
        stored.metadata.resourceVersion = "\(version)"
        lease = stored
        return .written(stored)
    }
}

@Suite("Several candidates and one lease")
struct LeaderElectionSimulationTests {
    @Test("However wrong the clocks and lossy the network, two never lead at once", arguments: 0..<30)
    func neverTwo(round: Int) {
        let seed = UInt64.random(in: .min ... .max)
        var simulation = Simulation(seed: seed, candidates: 3, lossRate: 0.3)
        var everLed = false

        for _ in 0..<3000 {
            simulation.step()
            let leaders = simulation.leaders
            everLed = everLed || !leaders.isEmpty
            guard leaders.count <= 1 else {
                Issue.record("seed \(seed): \(leaders) lead at \(simulation.time)")
                return
            }
        }

        #expect(everLed, "seed \(seed)")
    }

    @Test("After the leader dies the other leads within 20 s", arguments: 0..<50)
    func takeoverAfterDeath(round: Int) {
        let seed = UInt64.random(in: .min ... .max)
        var simulation = Simulation(seed: seed, candidates: 2, lossRate: 0)
        while simulation.leaders.isEmpty || simulation.time < 60 {
            simulation.step()
        }
        let died = simulation.time
        for index in simulation.leaders {
            simulation.candidates[index].isAlive = false
        }

        while simulation.leaders.isEmpty, simulation.time < died + 60 {
            simulation.step()
        }

        #expect(simulation.time - died <= 20, "seed \(seed)")
    }

    @Test("After the leader stops cleanly the other leads within 2 s", arguments: 0..<50)
    func takeoverAfterStop(round: Int) {
        let seed = UInt64.random(in: .min ... .max)
        var simulation = Simulation(seed: seed, candidates: 2, lossRate: 0)
        while simulation.leaders.isEmpty || simulation.time < 60 {
            simulation.step()
        }
        let stopped = simulation.time
        let old = simulation.leaders
        for index in old {
            simulation.candidates[index].nextAt = stopped
            simulation.candidates[index].nextEvent = .stop
        }

        while simulation.leaders.isEmpty || simulation.leaders == old, simulation.time < stopped + 60 {
            simulation.step()
        }

        #expect(simulation.time - stopped <= 2, "seed \(seed)")
    }
}
