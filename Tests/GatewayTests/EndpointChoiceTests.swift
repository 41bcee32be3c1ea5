import KubernetesTypes
import Testing

@testable import Gateway
@testable import HTTP

@Suite("Choosing among a function's addresses")
struct EndpointChoiceTests {
    private let fixture = RoutingFixture()

    private func route(to hosts: [String], perReplica: Int? = nil, near: Set<String> = []) throws -> Route {
        let key = fixture.add("f", perReplica: perReplica)
        fixture.setAddresses(hosts, of: key, near: near)
        return try #require(fixture.board.table.byObject[RouteName("f", "functions")])
    }

    @Test("The less busy of two is chosen, and never the one that just failed")
    func choice() throws {
        let route = try route(to: ["10.0.0.1", "10.0.0.2"])
        _ = route.endpoints[0].begin()
        var random = FastRandom(seed: 1)

        let chosen = (0..<100).map { _ in route.choose(random.next()) }
        let avoided = (0..<100).map { _ in route.choose(random.next(), avoiding: route.endpoints[1]) }

        #expect(chosen.allSatisfy { $0 === route.endpoints[1] })
        #expect(avoided.allSatisfy { $0 === route.endpoints[0] })
    }

    @Test("A call that failed at an address finds those that came since, as long as the function is there")
    func newerAddresses() throws {
        let key = fixture.add("f")
        fixture.setAddresses(["10.0.0.1"], of: key)
        let old = try #require(fixture.board.table.byObject[RouteName("f", "functions")])

        fixture.setAddresses(["10.0.0.2"], of: key)
        let first = old.choose(1)
        let second = old.choose(1, avoiding: old.endpoints[0])
        fixture.source.remove(key)
        let last = old.choose(1, avoiding: old.endpoints[0])

        #expect(first?.address.host == "10.0.0.1" && second?.address.host == "10.0.0.2")
        #expect(last?.address.host == "10.0.0.1")
    }

    static let maxima: [(Int?, Int?, Int, Int?)] = [
        (nil, nil, 2, nil), (5, nil, 2, 5), (nil, 3, 2, 6), (5, 3, 2, 5), (7, 3, 2, 6), (nil, 3, 0, 3),
        (nil, .max, 2, nil),
    ]

    @Test("How many calls may be under way follows from both limits and the addresses", arguments: maxima)
    func callsMaximum(all: Int?, perReplica: Int?, addresses: Int, expected: Int?) throws {
        let key = fixture.add("f", maximum: all, perReplica: perReplica)
        fixture.setAddresses((0..<addresses).map { "10.0.0.\($0 + 1)" }, of: key)

        let route = try #require(fixture.board.table.byObject[RouteName("f", "functions")])

        #expect(route.callsMaximum == expected)
    }

    @Test("Those that are equally busy share the calls")
    func share() throws {
        let route = try route(to: ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        var random = FastRandom(seed: 1)
        var counts: [String: Int] = [:]

        for _ in 0..<3000 {
            let endpoint = try #require(route.choose(random.next()))
            counts[endpoint.address.host, default: 0] += 1
        }

        #expect(counts.count == 3)
        #expect(counts.values.allSatisfy { (800...1200).contains($0) })
    }

    @Test("Near ones are preferred until they are much busier, fail, or have all the calls that they may")
    func nearFirst() throws {
        let route = try route(to: ["10.0.0.1", "10.0.0.2", "10.0.0.3"], perReplica: 8, near: ["10.0.0.3"])
        let near = route.endpoints[0]
        var random = FastRandom(seed: 1)

        let atRest = (0..<100).map { _ in route.choose(random.next()) }
        let avoided = (0..<100).map { _ in route.choose(random.next(), avoiding: near) }
        for _ in 0..<4 { _ = near.begin() }
        let busy = (0..<100).map { _ in route.choose(random.next()) }
        _ = near.begin()
        let busier = (0..<100).map { _ in route.choose(random.next()) }

        #expect(near.address.host == "10.0.0.3" && route.nearCount == 1)
        #expect(atRest.allSatisfy { $0 === near } && busy.allSatisfy { $0 === near })
        #expect(avoided.allSatisfy { $0 !== near } && busier.allSatisfy { $0 !== near })
    }

    @Test("One that failed three times in a row is passed over, for longer each time, until it answers again")
    func ejection() throws {
        let route = try route(to: ["10.0.0.1", "10.0.0.2"])
        let bad = route.endpoints[0]
        let now = EventLoop.monotonicNow()
        var random = FastRandom(seed: 1)

        let began = (0..<3).map { _ in bad.failed(now: now + 3_600_000_000_000) }
        let chosen = (0..<100).map { _ in route.choose(random.next()) }
        bad.answered()
        let afterwards = (0..<100).map { _ in route.choose(random.next()) }

        #expect(began == [false, false, true])
        #expect(chosen.allSatisfy { $0 === route.endpoints[1] })
        #expect(afterwards.contains { $0 === bad })
    }

    @Test("The time of being passed over ends by itself")
    func ejectionEnds() throws {
        let bad = try route(to: ["10.0.0.1", "10.0.0.2"]).endpoints[0]
        let longAgo = EventLoop.monotonicNow() - 40_000_000_000

        for _ in 0..<20 {
            _ = bad.failed(now: longAgo)
        }

        #expect(!bad.isEjected, "32 s are the most")
    }

    @Test("When all failed, they are used all the same; a good third one is found")
    func allBad() throws {
        let route = try route(to: ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        let soon = EventLoop.monotonicNow() + 3_600_000_000_000
        var random = FastRandom(seed: 1)
        for endpoint in route.endpoints.prefix(2) {
            for _ in 0..<3 { _ = endpoint.failed(now: soon) }
        }

        let third = (0..<100).map { _ in route.choose(random.next()) }
        for _ in 0..<3 { _ = route.endpoints[2].failed(now: soon) }
        let anyOfThem = route.choose(random.next())

        #expect(third.allSatisfy { $0 === route.endpoints[2] })
        #expect(anyOfThem != nil)
    }

    @Test("No address gets more calls at once than a replica may have, and all of them are used up to it")
    func perReplica() throws {
        let route = try route(to: ["10.0.0.1", "10.0.0.2", "10.0.0.3"], perReplica: 2)
        var random = FastRandom(seed: 1)

        let taken = (0..<6).compactMap { _ in route.choose(random.next(), keeping: true) }
        let refused = route.endpoint(avoiding: nil, random: random.next())
        taken[0].requestEnded()
        let again = route.choose(random.next(), keeping: true)

        #expect(taken.count == 6)
        #expect(route.endpoints.allSatisfy { $0.inFlight == 2 })
        guard case .allBusy = refused else {
            Issue.record("a seventh call was let through")
            return
        }
        #expect(again === taken[0])
    }
}

extension Route {
    /// The endpoint that a call gets, which is over at once unless `keeping`.
    func choose(
        _ random: UInt64, avoiding failed: UpstreamEndpoint? = nil, keeping: Bool = false
    ) -> UpstreamEndpoint? {
        guard case .endpoint(let endpoint) = endpoint(avoiding: failed, random: random) else { return nil }
        if !keeping {
            endpoint.requestEnded()
        }
        return endpoint
    }
}
