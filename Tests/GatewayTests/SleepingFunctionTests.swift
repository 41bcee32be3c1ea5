import KubernetesTypes
import Scaling
import Synchronization
import Telemetry
import Testing

@testable import Gateway
@testable import HTTP

/// Remembers who was to be woken, and fails as often as it is told.
final class StubWaker: FunctionWaker {
    struct Refused: Error {}

    private let state: Mutex<(calls: [String], failures: Int)>

    init(failures: Int = 0) {
        state = Mutex(([], failures))
    }

    var calls: [String] { state.withLock { $0.calls } }

    func wake(_ key: ObjectKey, version: String) async throws {
        let fails = state.withLock { state in
            state.calls.append("\(key) \(version)")
            state.failures -= 1
            return state.failures >= 0
        }
        if fails { throw Refused() }
    }
}

/// Tells whom it was to wake, and gets its answer when the test says so.
private struct SlowWaker: FunctionWaker {
    let asked = AsyncStream<String>.makeStream()
    let answer = AsyncStream<Never>.makeStream()

    func wake(_ key: ObjectKey, version: String) async throws {
        asked.continuation.yield("\(key) \(version)")
        for await _ in answer.stream {}
    }
}

@Suite("Calls of functions that sleep", .timeLimit(.minutes(10)))
struct SleepingFunctionTests {
    private let key = ObjectKey(namespace: "functions", name: "f")
    private static let call = "GET /function/f/a HTTP/1.1\r\nHost: x\r\n\r\n"
    private static let browser = "GET /function/f HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n"

    private func fixture(_ waker: StubWaker, waitingMaximum: Int = 1000) -> RoutingFixture {
        RoutingFixture(waker: waker, waitingMaximum: waitingMaximum)
    }

    private func put(
        _ fixture: RoutingFixture, replicas: Int, version: String = "7", canSleep: Bool = true, showsPage: Bool = false,
        admission: FunctionRecord.Admission = .open
    ) {
        fixture.source.put(
            FunctionRecord(
                key: key, ownerName: nil, admission: admission,
                scaling: .init(canSleep: canSleep, replicas: replicas, showsPage: showsPage)), version: version)
    }

    private func decide(
        _ fixture: RoutingFixture, _ request: String = call, after gate: (any RequestGate)? = nil
    ) throws -> RequestDecision {
        try fixture.decision(Array(request.utf8), after: gate)
    }

    /// The gate that a call waits at; records an issue when it does not.
    private func gate(_ fixture: RoutingFixture) throws -> FunctionWake {
        let decision = try decide(fixture)
        guard case .wait(let gate, _) = decision else {
            Issue.record("\(decision)")
            throw CancellationError()
        }
        return try #require(gate as? FunctionWake)
    }

    private func eventually(_ condition: () -> Bool) async -> Bool {
        let end = ContinuousClock.now + .seconds(300)
        while !condition(), ContinuousClock.now < end {
            // A look now and then: nothing tells when it is so.
            try? await Task.sleep(for: .milliseconds(2))
        }
        return condition()
    }

    /// Lets somebody wait, and counts who goes on.
    private func wait(_ gate: FunctionWake, _ resumed: Resumed) -> UInt64 {
        gate.whenOpen { resumed.count.add(1, ordering: .relaxed) }
    }

    private final class Resumed: Sendable {
        let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
    }

    @Test("However many call it, it is asked for once, and all go on when an address is there")
    func wakes() async throws {
        let waker = SlowWaker()
        let fixture = RoutingFixture(waker: waker)
        put(fixture, replicas: 0)
        let resumed = Resumed()

        for _ in 0..<200 {
            _ = wait(try gate(fixture), resumed)
        }
        var asked = waker.asked.stream.makeAsyncIterator()
        let woken = await asked.next()
        // Not before all of them wait: who comes long after an answer asks again, as long as no replica is told of.
        waker.answer.continuation.finish()
        put(fixture, replicas: 1, version: "8")
        let before = resumed.value
        fixture.setAddresses(["10.0.0.1"], of: key)
        let awake = try fixture.decide("/function/f/a", host: "x")

        #expect(before == 0 && resumed.value == 200)
        #expect(awake == "f.functions /a")
        #expect(woken == "functions/f 7")
        #expect(await eventually { fixture.text.contains("farebox_gateway_wakes_total{outcome=\"asked\"} 1\n") })
        #expect(fixture.text.contains("farebox_gateway_waiting 0\n"))
    }

    @Test("One that has replicas, but none that is ready, is waited for and not asked for")
    func starting() async throws {
        let waker = StubWaker()
        let fixture = fixture(waker)
        put(fixture, replicas: 1)
        let resumed = Resumed()

        let gate = try gate(fixture)
        _ = wait(gate, resumed)
        fixture.setAddresses(["10.0.0.1"], of: key)

        #expect(resumed.value == 1 && waker.calls.isEmpty)
        #expect(gate.serverTiming?.hasPrefix("ready;dur=") == true)
    }

    @Test("An address that is there before the request for it is answered lets everybody go on")
    func fasterThanTheAnswer() async throws {
        let waker = SlowWaker()
        let fixture = RoutingFixture(waker: waker)
        put(fixture, replicas: 0)
        let resumed = Resumed()
        let gate = try gate(fixture)
        _ = wait(gate, resumed)
        for await _ in waker.asked.stream { break }

        put(fixture, replicas: 1)
        fixture.setAddresses(["10.0.0.1"], of: key)
        waker.answer.continuation.finish()

        #expect(resumed.value == 1)
        #expect(gate.serverTiming?.hasPrefix("scale;dur=") == true)
    }

    @Test("Once none is wanted, addresses that are left get no call; they are waited past")
    func goingToSleep() async throws {
        let waker = StubWaker()
        let fixture = fixture(waker)
        put(fixture, replicas: 1)
        fixture.setAddresses(["10.0.0.1"], of: key)
        let awake = try fixture.decide("/function/f", host: "x")

        put(fixture, replicas: 0)
        let asleep = try fixture.decide("/function/f", host: "x")
        fixture.setAddresses([], of: key, ending: ["10.0.0.1"])
        let ending = try fixture.decide("/function/f", host: "x")

        #expect(awake == "f.functions /" || awake == "f.functions ")
        #expect(asleep == "wait" && ending == "wait")
        #expect(await eventually { !waker.calls.isEmpty })
    }

    @Test("One that somebody stopped, and that does not sleep, is no one's to wake")
    func stopped() throws {
        let waker = StubWaker()
        let fixture = fixture(waker)
        put(fixture, replicas: 0, canSleep: false)

        let decision = try decide(fixture)

        guard case .proxy(let call) = decision else {
            Issue.record("\(decision)")
            return
        }
        guard case .none = call.destination.endpoint(avoiding: nil, random: 1) else {
            Issue.record("an endpoint")
            return
        }
        #expect(waker.calls.isEmpty)
    }

    @Test("No more wait than may, and whoever leaves makes room")
    func bounded() throws {
        let fixture = fixture(StubWaker(), waitingMaximum: 2)
        put(fixture, replicas: 0)
        let resumed = Resumed()
        let first = try gate(fixture)
        let number = wait(first, resumed)
        _ = wait(first, resumed)

        let full = try decide(fixture)
        first.leave(number, .clientLeft)
        first.leave(number, .clientLeft)
        let room = try decide(fixture)

        guard case .refuse(.serviceUnavailable, _, let headers, _) = full, case .wait = room else {
            Issue.record("\(full), \(room)")
            return
        }
        #expect(headers["Retry-After"] == "1")
        #expect(first.waiting == 1)
        #expect(fixture.text.contains("farebox_gateway_refused_total{reason=\"queue_full\"} 1\n"))
    }

    @Test("Who waited in vain is counted")
    func timedOut() throws {
        let fixture = fixture(StubWaker())
        put(fixture, replicas: 0)
        let gate = try gate(fixture)
        let number = wait(gate, Resumed())

        gate.leave(number, .timedOut)

        #expect(fixture.text.contains("farebox_gateway_refused_total{reason=\"not_awake_in_time\"} 1\n"))
        #expect(
            fixture.text.contains(
                "gateway_function_invocation_total{function_name=\"f.functions\",code=\"503\"} 1\n"))
    }

    @Test("A request for it that fails is told and made again while somebody waits")
    func failures() async throws {
        let waker = StubWaker(failures: 2)
        let fixture = fixture(waker)
        put(fixture, replicas: 0)
        _ = wait(try gate(fixture), Resumed())

        // Then no more than now and then: no news of a replica comes here.
        #expect(await eventually { waker.calls.count >= 3 })

        #expect(await eventually { fixture.text.contains("farebox_gateway_wakes_total{outcome=\"failed\"} 2\n") })
        #expect(await eventually { fixture.text.contains("farebox_gateway_wakes_total{outcome=\"asked\"} ") })
    }

    @Test("A browser is shown a page where the function asks for that, and wakes it as well; programs wait")
    func page() async throws {
        let waker = StubWaker()
        let fixture = fixture(waker)
        put(fixture, replicas: 0, showsPage: true)

        let shown = try decide(fixture, Self.browser)
        let program = try decide(fixture)

        guard case .answer(let page) = shown, case .wait = program else {
            Issue.record("\(shown), \(program)")
            return
        }
        #expect(page.status == .serviceUnavailable && page.headers["Retry-After"] != nil)
        #expect(page.headers["Content-Type"] == "text/html; charset=utf-8")
        #expect(await eventually { !waker.calls.isEmpty })
    }

    static let ends: [(String, @Sendable (RouteSource, ObjectKey) -> Void, String)] = [
        ("gone", { source, key in source.remove(key) }, "404"),
        (
            "suspended",
            { source, key in
                source.put(
                    FunctionRecord(key: key, ownerName: nil, admission: .closed(status: 503, reason: "suspended")))
            }, "503"
        ),
    ]

    @Test("Who waits for a function that will not come is told", arguments: ends)
    func neverComes(
        name: String, change: @Sendable (RouteSource, ObjectKey) -> Void, answer: String
    ) throws {
        let fixture = fixture(StubWaker())
        put(fixture, replicas: 0)
        let resumed = Resumed()
        _ = wait(try gate(fixture), resumed)

        change(fixture.source, key)

        #expect(resumed.value == 1)
        #expect(try fixture.decide("/function/f", host: "x") == answer)
    }

    @Test("Calls that wait count as load, and so do those that are answered")
    func load() throws {
        let fixture = fixture(StubWaker())
        put(fixture, replicas: 0)
        let silent = fixture.source.loads()
        _ = wait(try gate(fixture), Resumed())

        let waiting = fixture.source.loads()
        put(fixture, replicas: 1)
        fixture.setAddresses(["10.0.0.1"], of: key)
        let idle = fixture.source.loads()
        let decision = try decide(fixture)
        let busy = fixture.source.loads()
        guard case .proxy(let call) = decision else {
            Issue.record("\(decision)")
            return
        }
        call.destination.finished(RoutingFixture.answered, context: call.context)
        let done = fixture.source.loads()

        #expect(silent.isEmpty)
        #expect([waiting, idle, busy, done].map { $0.first?.inFlight } == [1, 0, 1, 0])
        #expect(done.first?.key == key && done.first?.busySeconds ?? 0 > 0)
    }
}
