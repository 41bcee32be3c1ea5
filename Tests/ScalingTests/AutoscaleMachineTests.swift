import Scaling
import Testing

@Suite("How many replicas a load needs")
struct AutoscaleMachineTests {
    /// A function under a load that changes, looked at every two seconds.
    private struct Play {
        var machine = AutoscaleMachine()
        var rules = AutoscaleRules(target: 10, least: 1, most: 20, idleAfter: nil, downAfter: .seconds(60))
        var replicas = 1
        var now = ContinuousClock.now
        /// Every number that was decided, in order.
        var decisions: [Int] = []

        /// Lets a load last.
        mutating func load(
            _ concurrency: Double, for seconds: Int, isComplete: Bool = true, idle: Duration? = .zero,
            awake: Duration? = .seconds(3600)
        ) {
            for _ in 0..<(seconds / 2) {
                now += .seconds(2)
                let sample = LoadSample(
                    concurrency: concurrency, inFlight: concurrency > 0 ? 1 : 0, idle: idle, isComplete: isComplete)
                if let decision = machine.decide(sample, replicas: replicas, awake: awake, rules: rules, now: now) {
                    replicas = decision.replicas
                    decisions.append(decision.replicas)
                }
            }
        }
    }

    @Test(
        "A steady load gets the replicas that it needs, within the bounds, and the number then stays",
        arguments: [(5.0, 1), (10, 1), (10.9, 1), (11.5, 2), (25, 3), (95, 10), (1000, 20), (1e300, 20)])
    func steady(load: Double, replicas: Int) {
        var play = Play()

        play.load(load, for: 300)
        let settled = play.decisions
        play.load(load, for: 600)

        #expect(play.replicas == replicas)
        #expect(play.decisions == settled && settled.count <= 2)
    }

    @Test("A sudden rise is met with the next look, and nothing is taken away until it was calm for a minute")
    func panic() {
        var play = Play()
        play.load(2, for: 120)

        play.load(200, for: 8)
        let risen = play.replicas
        play.load(2, for: 58)
        let held = play.replicas
        play.load(2, for: 130)

        #expect(risen == 20 && held == 20)
        #expect(play.replicas == 1)
    }

    @Test("A load that goes up and down faster than the windows makes the number rise, settle once and stay")
    func noFlapping() {
        var play = Play()

        for _ in 0..<20 {
            play.load(40, for: 20)
            play.load(8, for: 20)
        }

        #expect(play.decisions == [4, 3])
    }

    @Test("Noise of a few calls around a bound never moves the number twice")
    func noise() {
        var play = Play()

        for round in 0..<200 {
            play.load(round.isMultiple(of: 2) ? 9.2 : 10.8, for: 6)
        }

        #expect(play.decisions.count <= 1, "\(play.decisions)")
    }

    @Test("Fewer replicas must have been enough all through the delay")
    func downAfter() {
        var play = Play()
        play.rules.downAfter = .seconds(300)
        play.load(50, for: 120)
        let full = play.replicas

        play.load(5, for: 280)
        let before = play.replicas
        play.load(5, for: 100)

        #expect(full == 5 && before == 5 && play.replicas == 1)
    }

    @Test("While a gateway is not heard nothing is taken away, and what is heard still adds")
    func incomplete() {
        var play = Play()
        play.rules.idleAfter = .seconds(10)
        play.load(50, for: 120)

        play.load(0, for: 1000, isComplete: false, idle: .seconds(1000))
        let held = play.replicas
        play.load(150, for: 20, isComplete: false)

        #expect(held == 5 && play.replicas == 15)
    }

    @Test("A number that another set is brought back to what the load needs, at once when it is too small")
    func another() {
        var play = Play()
        play.load(50, for: 200)

        play.replicas = 1
        play.load(50, for: 2)
        let raised = play.replicas
        play.replicas = 18
        play.load(50, for: 400)

        #expect(raised == 5 && play.replicas == 5)
    }

    @Test(
        "To zero it goes by idle time alone",
        arguments: [
            (idle: 31, awake: 31, calls: 0.0, isComplete: true, 0), (29, 100, 0, true, 1), (100, 29, 0, true, 1),
            (100, 100, 1, true, 1), (100, 100, 0, false, 1),
        ])
    func idle(idle: Int, awake: Int, calls: Double, isComplete: Bool, replicas: Int) {
        var play = Play()
        play.rules.target = nil
        play.rules.idleAfter = .seconds(30)

        play.load(calls, for: 2, isComplete: isComplete, idle: .seconds(idle), awake: .seconds(awake))

        #expect(play.replicas == replicas)
    }

    @Test("What nobody knows leaves the number alone", arguments: [nil as Duration?, .seconds(100)])
    func unknown(idle: Duration?) {
        var play = Play()
        play.rules.idleAfter = .seconds(30)

        play.load(0, for: 4, idle: idle, awake: idle == nil ? .seconds(100) : nil)

        #expect(play.decisions.isEmpty)
    }

    @Test("A function without replicas is left to the gateways, and begins anew when it is up")
    func asleep() {
        var play = Play()
        play.load(100, for: 60)
        play.replicas = 0

        play.load(100, for: 60)
        let asleep = play.replicas
        play.replicas = 1
        play.load(4, for: 20)

        #expect(asleep == 0 && play.replicas == 1)
    }

    @Test("After a time in which nobody looked, what was before does not count")
    func gap() {
        var play = Play()
        play.load(100, for: 120)
        play.now += .seconds(600)

        play.load(1, for: 50)
        let held = play.replicas
        play.load(1, for: 40)

        #expect(held == 10 && play.replicas == 1)
    }

    @Test("Numbers that are none do no harm", arguments: [Double.nan, .infinity, -5])
    func nonsense(load: Double) {
        var play = Play()

        play.load(load, for: 300)

        #expect(play.replicas == 1)
    }
}
