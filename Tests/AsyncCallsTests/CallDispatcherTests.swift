import Synchronization
import Telemetry
import Testing
import Timing

@testable import AsyncCalls

@Suite("The dispatcher of calls", .timeLimit(.minutes(10)))
struct CallDispatcherTests {
    /// Answers as it is told, and remembers what it was asked.
    private final class Runner: CallRunner {
        struct Seen: Equatable {
            let target: String
            let attempt: Int
            let kind: CallLane.Kind
        }

        private let answer: @Sendable (AsyncCall, Int) async -> CallOutcome
        private let state = Mutex((seen: [Seen](), underWay: 0, most: 0, buried: [String]()))
        let events: AsyncStream<Void>
        private let event: AsyncStream<Void>.Continuation

        private let rules: LaneRules

        init(_ rules: LaneRules = LaneRules(), _ answer: @escaping @Sendable (AsyncCall, Int) async -> CallOutcome) {
            self.answer = answer
            self.rules = rules
            (events, event) = AsyncStream.makeStream()
        }

        var seen: [Seen] { state.withLock { $0.seen } }
        var most: Int { state.withLock { $0.most } }
        var buried: [String] { state.withLock { $0.buried } }

        func run(_ call: AsyncCall, attempt: Int) async -> CallOutcome {
            state.withLock { state in
                state.seen.append(Seen(target: call.target, attempt: attempt, kind: call.lane.kind))
                state.underWay += 1
                state.most = max(state.most, state.underWay)
            }
            event.yield()
            defer { state.withLock { $0.underWay -= 1 } }
            return await answer(call, attempt)
        }

        func rules(of lane: CallLane) -> LaneRules { lane.kind == .function ? rules : LaneRules() }

        func buried(_ call: AsyncCall, after outcome: CallOutcome) {
            state.withLock { $0.buried.append(call.target) }
            event.yield()
        }
    }

    private func settings() -> CallDispatcher.Settings {
        var settings = CallDispatcher.Settings()
        settings.retry = RetryPolicy(attemptsMaximum: 3, minimum: .milliseconds(5), maximum: .milliseconds(10))
        settings.callbackRetry = settings.retry
        settings.patience = .milliseconds(200)
        settings.lookInterval = .milliseconds(100)
        return settings
    }

    /// Runs a dispatcher until `isDone`, which is asked after each event and every moment.
    private func run(
        _ store: any CallStore, _ runner: Runner, _ settings: CallDispatcher.Settings,
        until isDone: @escaping @Sendable () async throws -> Bool
    ) async throws {
        let dispatcher = CallDispatcher(
            store: store, runner: runner, settings: settings, metrics: AsyncMetrics(MetricsRegistry()))
        let running = Task { await dispatcher.run() }
        let deadline = ContinuousClock.now + .seconds(180)
        // A look now and then: nothing tells when it is so.
        while !(try await isDone()), ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(2)) }
        dispatcher.drain()
        await running.value
    }

    @Test(
        "Calls that waited before are made, few of a function at once, and none is left", arguments: TestStore.available
    )
    func makesAll(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()
        for number in 0..<20 { try await store.accept(.test("/\(number)")) }
        let runner = Runner { _, _ in
            await Task.yield()
            return CallOutcome(.answer, status: 200)
        }

        try await run(store, runner, settings()) { try await store.counts().waiting == 0 }

        #expect(Set(runner.seen.map(\.target)).count == 20 && runner.seen.count == 20)
        #expect(runner.most <= 2)
        await store.close()
    }

    @Test(
        "A function that takes one call at a time gets one, and a call that finds no place waits for as long as it takes"
    )
    func oneAtATime() async throws {
        let place = try TestPlace(.sqlite)
        let store = try place.open()
        for number in 0..<5 { try await store.accept(.test("/\(number)")) }
        var rules = LaneRules()
        rules.concurrency = 1
        let runner = Runner(rules) { _, attempt in
            await Task.yield()
            // More often than a call is tried.
            return attempt < 6 ? CallOutcome(.platform, status: 429) : CallOutcome(.answer, status: 200)
        }

        try await run(store, runner, settings()) { try await store.counts().waiting == 0 }

        #expect(try await store.counts() == CallCounts(waiting: 0, dead: 0))
        #expect(runner.seen.filter { $0.attempt == 6 }.count == 5)
        #expect(runner.most == 1)
        await store.close()
    }

    @Test("A call that fails is tried again, then put away, and its caller is told", arguments: TestStore.available)
    func putsAway(kind: TestStore) async throws {
        let place = try TestPlace(kind)
        let store = try place.open()
        try await store.accept(.test("/bad", callbackURL: "https://example.org/told"))
        let runner = Runner { call, _ in
            call.lane.kind == .callback ? CallOutcome(.answer, status: 204) : CallOutcome(.answer, status: 503)
        }

        try await run(store, runner, settings()) { try await store.counts() == CallCounts(waiting: 0, dead: 1) }
        let dead = try await store.dead(after: nil, limit: 10)

        #expect(runner.seen.filter { $0.kind == .function }.map(\.attempt) == [1, 2, 3])
        #expect(runner.seen.filter { $0.kind == .callback }.map(\.target) == ["https://example.org/told"])
        #expect(runner.buried == ["/bad"])
        #expect(dead.map(\.attempts) == [3] && dead.first?.reason.contains("503") == true)
        await store.close()
    }

    @Test("What comes while it runs is made at once, also in a lane that its workers have left")
    func wakes() async throws {
        let place = try TestPlace(.sqlite)
        let store = try place.open()
        var settings = settings()
        settings.patience = .milliseconds(1)
        settings.lookInterval = .seconds(600)
        let runner = Runner { _, _ in CallOutcome(.answer, status: 200) }
        let dispatcher = CallDispatcher(
            store: store, runner: runner, settings: settings, metrics: AsyncMetrics(MetricsRegistry()))
        let running = Task { await dispatcher.run() }

        for number in 0..<200 {
            try await store.accept(.test("/\(number)"))
            dispatcher.wake(.hello)
        }
        let deadline = ContinuousClock.now + .seconds(180)
        // A look now and then: nothing tells when it is so.
        while try await store.counts().waiting > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(2))
        }
        dispatcher.drain()
        await running.value

        #expect(runner.seen.count == 200)
        await store.close()
    }

    @Test("A drain lets calls under way end and begins no other")
    func drains() async throws {
        let place = try TestPlace(.sqlite)
        let store = try place.open()
        for number in 0..<10 { try await store.accept(.test("/\(number)")) }
        let (release, releasing) = AsyncStream<Void>.makeStream()
        let runner = Runner { _, _ in
            for await _ in release { break }
            return CallOutcome(.answer, status: 200)
        }
        var settings = settings()
        settings.concurrency = 1
        let dispatcher = CallDispatcher(
            store: store, runner: runner, settings: settings, metrics: AsyncMetrics(MetricsRegistry()))
        let running = Task { await dispatcher.run() }

        for await _ in runner.events { break }
        dispatcher.drain()
        releasing.yield()
        await running.value

        #expect(runner.seen.count == 1)
        #expect(try await store.counts().waiting == 9)
        await store.close()
    }

    @Test("Calls that are given up when the process ends wait for the next")
    func givesUp() async throws {
        let place = try TestPlace(.sqlite)
        let store = try place.open()
        try await store.accept(.test("/long"))
        let runner = Runner { _, _ in
            try? await Task.sleep(for: .seconds(600))
            return CallOutcome(.cancelled)
        }
        let dispatcher = CallDispatcher(
            store: store, runner: runner, settings: settings(), metrics: AsyncMetrics(MetricsRegistry()))
        let running = Task { await dispatcher.run() }

        for await _ in runner.events { break }
        dispatcher.drain()
        running.cancel()
        await running.value

        #expect(try await store.take()?.0.attempt == 1)
        await store.close()
    }

    @Test("A function's own rules take the place of the platform's, one by one")
    func ownRules() {
        let policy = RetryPolicy(attemptsMaximum: 10, minimum: .seconds(10), maximum: .seconds(120))
        var short = LaneRules()
        short.maximum = .seconds(5)
        short.statuses = [404]
        var long = LaneRules()
        long.minimum = .seconds(600)
        long.attemptsMaximum = 2

        let (ofShort, ofLong) = (policy.applying(short), policy.applying(long))

        #expect(policy.applying(LaneRules()) == policy)
        #expect(ofShort.backoff.base == .seconds(5) && ofShort.backoff.ceiling == .seconds(5))
        #expect(ofShort.verdict(on: CallOutcome(.answer, status: 500), attempt: 1) == .done)
        #expect(ofShort.verdict(on: CallOutcome(.answer, status: 404), attempt: 1) != .done)
        #expect(ofShort.attemptsMaximum == 10)
        #expect(ofLong.backoff.base == .seconds(600) && ofLong.backoff.ceiling == .seconds(600))
        #expect(ofLong.attemptsMaximum == 2 && ofLong.statuses == nil)
    }

    private static let verdicts: [(CallOutcome, Int, RetryPolicy.Verdict?)] = [
        (CallOutcome(.answer, status: 200), 1, .done), (CallOutcome(.answer, status: 404), 1, .done),
        (CallOutcome(.answer, status: 302), 9, .done), (CallOutcome(.answer, status: 500), 1, nil),
        (CallOutcome(.answer, status: 429), 2, nil), (CallOutcome(.answer, status: 408), 2, nil),
        (CallOutcome(.platform, reason: "away"), 1, nil),
        (CallOutcome(.platform, status: 404, reason: "away"), 1, nil),
        (CallOutcome(.answer, status: 503), 3, .dead("attempt 3 of 3: it was answered 503")),
        (CallOutcome(.platform, reason: "away"), 4, .dead("attempt 4 of 3: away")),
        (CallOutcome(.platform, reason: "private", isFinal: true), 1, .dead("private")),
        (CallOutcome(.answer, status: 410, isFinal: true), 1, .dead("it was answered 410")),
    ]

    @Test("An attempt is judged by who answered what, and how often it was tried", arguments: verdicts)
    func judges(outcome: CallOutcome, attempt: Int, expected: RetryPolicy.Verdict?) {
        let policy = RetryPolicy(attemptsMaximum: 3, minimum: .seconds(10), maximum: .seconds(120))

        let verdict = policy.verdict(on: outcome, attempt: attempt)

        switch (verdict, expected) {
        case (.retry(let wait), nil): #expect(wait >= .seconds(5) && wait <= .seconds(120))
        default: #expect(verdict == expected)
        }
    }

    @Test(
        "Retry-After lengthens the wait up to the longest, and never shortens it",
        arguments: [(0, 5), (60, 60), (100_000, 120)])
    func retryAfter(seconds: Int, atLeast: Int) {
        let policy = RetryPolicy(attemptsMaximum: 3, minimum: .seconds(10), maximum: .seconds(120))
        let outcome = CallOutcome(.answer, status: 429, retryAfter: .seconds(seconds))

        guard case .retry(let wait) = policy.verdict(on: outcome, attempt: 1) else {
            Issue.record("it is not tried again")
            return
        }

        #expect(wait >= .seconds(atLeast) && wait <= .seconds(120))
    }

    @Test("A worker leaves only when nothing came since it began to look")
    func roster() {
        var roster = LaneRoster()

        let started = [roster.arrived(in: .hello, workers: 2), roster.arrived(in: .hello, workers: 2)]
        let seen = roster.arrivals(in: .hello)
        let startedLater = roster.arrived(in: .hello, workers: 2)
        let leaves = [roster.leave(.hello, seen: seen), roster.leave(.hello, seen: roster.arrivals(in: .hello))]
        let replaced = roster.arrived(in: .hello, workers: 2)
        let leavesNothing = roster.leave(.other, seen: 0)

        #expect(started == [2, 0] && startedLater == 0 && replaced == 1)
        #expect(leaves == [false, true] && leavesNothing && roster.count == 1)
    }
}
