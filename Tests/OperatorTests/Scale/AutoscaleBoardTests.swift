import CRDs
import KubernetesTypes
import Scaling
import Testing
import Timing

@testable import Operator

@Suite("Which functions scale by themselves")
struct AutoscaleBoardTests {
    private static let now = Time(Timestamp(secondsSinceEpoch: 1_800_000_000))

    private func function(_ scale: String, replicas: Int32 = 2, available: Int64? = 1000) throws -> Function {
        var function = try FunctionFixtures.function(spec: "image: x\nreplicas: \(replicas)\nscale: \(scale)")
        if let available {
            function.status = FunctionStatus()
            function.status?.conditions = [
                Condition(
                    type: "Available", status: .true, reason: "Available",
                    lastTransitionTime: Time(Self.now.timestamp - .seconds(available)))
            ]
        }
        return function
    }

    static let rules: [(String, AutoscaleRules?)] = [
        ("{min: 0}", nil), ("{min: 1, max: 5}", nil), ("{min: 1, idleAfter: 5m}", nil),
        (
            "{min: 0, idleAfter: 5m}",
            AutoscaleRules(target: nil, least: 1, most: 20, idleAfter: .seconds(300), downAfter: .seconds(60))
        ),
        (
            "{targetConcurrency: 10}",
            AutoscaleRules(target: 10, least: 1, most: 20, idleAfter: nil, downAfter: .seconds(60))
        ),
        (
            "{min: 2, max: 50, targetConcurrency: 3, downAfter: 5m}",
            AutoscaleRules(target: 3, least: 2, most: 50, idleAfter: nil, downAfter: .seconds(300))
        ),
        ("{min: 0, idleAfter: soon}", nil), ("{min: 0, idleAfter: 1s, targetConcurrency: 5}", nil),
    ]

    @Test("The spec says by which rules", arguments: rules)
    func specification(scale: String, rules: AutoscaleRules?) throws {
        #expect(try function(scale).autoscaleRules == rules)
    }

    @Test("A function that is suspended is left alone")
    func suspended() throws {
        var function = try function("{min: 0, idleAfter: 5m, targetConcurrency: 5}")
        function.spec.suspend = true

        #expect(function.autoscaleRules == nil)
    }

    @Test("One that is idle goes to zero once, and one that has just started does not")
    func idle() throws {
        var board = AutoscaleBoard()
        var book = LoadBook()
        let totals = book.take(
            [LoadReport(gateway: "a", uptimeSeconds: 5000, functions: [])], isComplete: true)

        let young = board.decide(
            totals, [try function("{min: 0, idleAfter: 5m}", available: 200)], now: .now, time: Self.now)
        let down = board.decide(
            totals, [try function("{min: 0, idleAfter: 5m}", available: nil)], now: .now, time: Self.now)
        let old = board.decide(
            totals, [try function("{min: 0, idleAfter: 5m}", available: 400)], now: .now, time: Self.now)

        #expect(young.isEmpty && down.isEmpty)
        #expect(old.map(\.decision.replicas) == [0] && old.map(\.decision.cause) == [.idle])
    }

    @Test("A number that was set counts before the cache knows of it")
    func lateCache() throws {
        var board = AutoscaleBoard()
        var book = LoadBook()
        let totals = book.take(
            [LoadReport(gateway: "a", uptimeSeconds: 5000, functions: [])], isComplete: true)
        var cached = try function("{min: 0, idleAfter: 5m}")
        cached.metadata.generation = 3
        var written = cached
        written.spec.replicas = 0
        written.metadata.generation = 4
        board.wrote(written)

        let late = [
            board.decide(totals, [cached], now: .now, time: Self.now),
            board.decide(totals, [cached], now: .now, time: Self.now),
        ]
        // Woken since, and idle again for as long as it takes.
        cached.metadata.generation = 5
        let caughtUp = board.decide(totals, [cached], now: .now, time: Self.now)
        // Another function of that name.
        board.wrote(written)
        cached.metadata.uid = "another"
        cached.metadata.generation = 1
        let another = board.decide(totals, [cached], now: .now, time: Self.now)

        #expect(late.joined().isEmpty)
        #expect(caughtUp.map(\.decision.replicas) == [0] && another.map(\.decision.replicas) == [0])
    }
}
