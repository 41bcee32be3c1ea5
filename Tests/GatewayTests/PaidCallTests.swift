import AsyncCalls
import CRDs
import Glibc
import JSON
import KubernetesTypes
import Payments
import Synchronization
import Testing
import Timing

@testable import Gateway
@testable import HTTP

/// Answers every question for a lease with the next of some answers; the last one again and again.
private final class ScriptedSource: LeaseSource {
    private let answers: Mutex<[LeaseAnswer]>
    let settlements = Mutex<[LeaseSettlement]>([])

    init(_ answers: LeaseAnswer...) {
        self.answers = Mutex(answers)
    }

    func exchange(_ exchange: LeaseExchange) async -> LeaseAnswer {
        answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
    }

    func settle(_ settlement: LeaseSettlement) async -> Bool {
        settlements.withLock { $0.append(settlement) }
        return true
    }

    func balance(of account: PaymentAccount) async -> AccountBalance? { nil }
}

@Suite("Calls that have to be paid for", .timeLimit(.minutes(10)))
struct PaidCallTests {
    private static let price = FunctionPrice(amount: 10, assetCode: "USD", assetScale: 9, calls: 1000)
    private static let call = "GET /hello/a HTTP/1.1\r\nHost: alice.example.xyz\r\n\r\n"

    private static func balance(leased: UInt64 = 0) throws -> AccountBalance {
        AccountBalance(
            balance: 7, asset: try #require(Asset(code: "USD", scale: 9)), remainingCalls: 0, leasedCalls: leased,
            callsSold: 50)
    }

    private func lease(_ calls: UInt64) throws -> LeaseAnswer {
        let account = try #require(PaymentAccount(namespace: "functions", function: "hello"))
        return .granted(CallLease(id: "lease", account: account, calls: calls, expiresAt: .latest))
    }

    private func fixture(_ source: any LeaseSource, maximum: Int? = nil) -> RoutingFixture {
        let desk = CallDesk(source: source, payer: "https://pay.example.xyz", holder: "test")
        let fixture = RoutingFixture(desk: desk)
        fixture.add("hello", owner: ("alice", "hello"), admission: .paid(Self.price), maximum: maximum)
        return fixture
    }

    /// What becomes of a call in the end, as the engine would ask for it.
    private func decision(_ fixture: RoutingFixture, _ request: String = call) async throws -> RequestDecision {
        var gate: (any RequestGate)?
        while true {
            let decision = try fixture.decision(Array(request.utf8), after: gate)
            guard case .wait(let next, _) = decision else { return decision }
            await withCheckedContinuation { continuation in next.whenOpen { continuation.resume() } }
            gate = next
        }
    }

    /// Has a call taken on that does not wait.
    private func accept(_ fixture: RoutingFixture, _ store: any CallStore) async -> HTTPResponse {
        let handler = AsyncCallHandler(
            board: fixture.board, store: store, metrics: AsyncMetrics(fixture.registry), defaultNamespace: "functions",
            bodyBytesMaximum: 1000, paymentLimit: .seconds(600)
        ) { _ in }
        return await handler.handle(
            HTTPRequest(method: .post, target: "/async-function/hello", remoteAddress: "192.0.2.1", requestID: "r"))
    }

    @Test("A call that does not wait is paid for when it is taken on, and given back where it cannot be kept")
    func paysOnce() async throws {
        // A folder that no other test has; mkdtemp puts letters of its own in the place of the X.
        var template = Array("/tmp/farebox-paid-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in ["calls.db", "calls.db-wal", "calls.db-shm", "calls.db.lock"] { unlink(folder + "/" + name) }
            rmdir(folder)
        }
        let fixture = fixture(ScriptedSource(try lease(1), .exhausted(try Self.balance())))
        let (broken, store) = (
            try SQLiteCallStore(path: "/nowhere/calls.db"), try SQLiteCallStore(path: folder + "/calls.db")
        )

        let away = await accept(fixture, broken)
        let accepted = await accept(fixture, store)
        let unpaid = await accept(fixture, store)
        let kept = try await store.next(in: CallLane(.function, namespace: "functions", name: "hello"), within: .zero)
        let lease = try #require(kept)
        let call = try await store.load(lease)

        #expect(away.status == .serviceUnavailable && accepted.status == .accepted)
        #expect(unpaid.status == .paymentRequired && unpaid.headers["Link"]?.contains("monetization") == true)
        #expect(call?.isPaid == true)
        await store.close()
        await broken.close()
    }

    @Test("A call waits for its lease, passes, and counts unless the platform answered in the function's place")
    func passes() async throws {
        let fixture = fixture(ScriptedSource(try lease(2), .exhausted(try Self.balance())))
        let outcomes: [ProxyOutcome.Cause] = [.connectFailed, .answered, .answered]

        var passed = 0
        for cause in outcomes {
            guard case .proxy(let call) = try await decision(fixture) else { continue }
            passed += 1
            let answered = cause == .answered
            call.destination.finished(
                ProxyOutcome(
                    status: answered ? 500 : 502, cause: cause, nanoseconds: 9,
                    firstByteNanoseconds: answered ? 5 : 0, attempts: 1, wasSent: true, ejections: 0),
                context: call.context)
        }
        let last = try await decision(fixture)

        #expect(passed == 3)
        guard case .refuse(.paymentRequired, _, _, _) = last else {
            Issue.record("\(last)")
            return
        }
    }

    static let outcomes: [(ProxyOutcome.Cause, status: Int, firstByte: UInt64, wasSent: Bool, isCall: Bool)] = [
        (.answered, 200, 5, true, true), (.answered, 503, 5, true, true), (.noEndpoint, 503, 0, false, false),
        (.connectFailed, 502, 0, false, false), (.upstreamFailed, 502, 0, true, false),
        (.upstreamFailed, 200, 5, true, true), (.timedOut, 504, 0, true, false), (.timedOut, 200, 5, true, true),
        (.clientLeft, 499, 0, true, true), (.clientLeft, 499, 0, false, false), (.clientLeft, 200, 5, true, true),
    ]

    @Test("The function's answers are calls, and the platform's errors are not", arguments: outcomes)
    func whatCounts(cause: ProxyOutcome.Cause, status: Int, firstByte: UInt64, wasSent: Bool, isCall: Bool) {
        let outcome = ProxyOutcome(
            status: status, cause: cause, nanoseconds: 9, firstByteNanoseconds: firstByte, attempts: 1,
            wasSent: wasSent, ejections: 0)

        #expect(outcome.isCall == isCall)
    }

    @Test("Who has not paid is told price, pointer and balance in a problem document")
    func unpaid() async throws {
        let fixture = fixture(ScriptedSource(.exhausted(try Self.balance())))

        let decision = try await decision(fixture)

        guard case .refuse(.paymentRequired, _, let headers, let members) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect(headers["Link"] == "<https://pay.example.xyz/alice/hello>; rel=\"monetization\"")
        #expect(headers["Cache-Control"] == "no-store")
        #expect(members["paymentPointer"] == "$pay.example.xyz/alice/hello")
        #expect(members["price"] == ["amount": "10", "assetCode": "USD", "assetScale": 9, "calls": 1000])
        #expect(members["balance"] == "7")
        #expect(members["remainingCalls"] == 0)
        #expect(
            fixture.text.contains(
                "gateway_function_invocation_total{function_name=\"hello.functions\",code=\"402\"} 1"))
    }

    @Test(
        "A browser is sent to the function's page",
        arguments: [
            ("GET", "text/html,application/xhtml+xml;q=0.9", 307), ("HEAD", "text/html", 307),
            ("POST", "Text/HTML", 303), ("GET", "*/*", 402), ("GET", "application/json", 402),
        ])
    func browsers(method: String, accept: String, status: Int) async throws {
        let fixture = fixture(ScriptedSource(.exhausted(nil)))

        let decision = try await decision(
            fixture, "\(method) /hello/ HTTP/1.1\r\nHost: alice.example.xyz\r\nAccept: \(accept)\r\n\r\n")

        guard case .refuse(let told, _, let headers, _) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect(told.code == status)
        #expect(headers["Location"] == (status == 402 ? nil : "https://pay.example.xyz/pay/alice/hello"))
    }

    static let refusals: [(@Sendable () throws -> LeaseAnswer, String)] = [
        ({ .unavailable("down") }, "1"), ({ .notPayable }, "10"),
    ]

    @Test("What nobody knows lets nobody in, and says when to come back", arguments: refusals)
    func failsClosed(answer: @Sendable () throws -> LeaseAnswer, retryAfter: String) async throws {
        let fixture = fixture(ScriptedSource(try answer()))

        let decision = try await decision(fixture)

        guard case .refuse(.serviceUnavailable, _, let headers, _) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect(headers["Retry-After"] == retryAfter)
    }

    @Test("While other gateways have the last calls, a call waits for what they give back")
    func elsewhere() async throws {
        let away = LeaseAnswer.exhausted(try Self.balance(leased: 3))
        let fixture = fixture(ScriptedSource(away, try lease(1), away, .exhausted(try Self.balance())))

        let first = try await decision(fixture)
        let second = try await decision(fixture)

        guard case .proxy = first, case .refuse(.paymentRequired, _, _, _) = second else {
            Issue.record("\(first), \(second)")
            return
        }
    }

    @Test("A call above the function's limit is 429 and leaves its paid call to the next")
    func limited() async throws {
        let fixture = fixture(ScriptedSource(try lease(1), .exhausted(nil)), maximum: 1)
        let route = try #require(fixture.board.table.byObject[RouteName("hello", "functions")])
        _ = route.calls.begin(maximum: 1)

        let refused = try await decision(fixture)
        route.finished(RoutingFixture.answered, context: nil)
        let passed = try await decision(fixture)

        guard case .refuse(.tooManyRequests, _, _, _) = refused, case .proxy = passed else {
            Issue.record("\(refused), \(passed)")
            return
        }
    }

    /// A paid function that sleeps.
    private func sleeping(_ source: any LeaseSource, _ waker: StubWaker) -> RoutingFixture {
        let fixture = RoutingFixture(
            desk: CallDesk(source: source, payer: "https://pay.example.xyz", holder: "test"), waker: waker)
        put(fixture, replicas: 0)
        return fixture
    }

    private func put(_ fixture: RoutingFixture, replicas: Int) {
        fixture.source.put(
            FunctionRecord(
                key: ObjectKey(namespace: "functions", name: "hello"),
                ownerName: FunctionRecord.OwnedName(owner: "alice", function: "hello"), admission: .paid(Self.price),
                scaling: .init(canSleep: true, replicas: replicas, showsPage: false)), version: "1")
    }

    @Test("Who has not paid wakes no function")
    func unpaidWakesNobody() async throws {
        let waker = StubWaker()
        let fixture = sleeping(ScriptedSource(.exhausted(nil)), waker)

        let decision = try await decision(fixture)

        guard case .refuse(.paymentRequired, _, _, _) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect(waker.calls.isEmpty)
    }

    @Test("A paid call wakes the function, and keeps what was paid for it until it is answered")
    func paidWakes() async throws {
        let fixture = sleeping(ScriptedSource(try lease(1), .exhausted(nil)), StubWaker())
        guard case .wait(let check, _) = try fixture.decision(Array(Self.call.utf8)) else {
            Issue.record("the call did not wait for payments")
            return
        }
        await withCheckedContinuation { continuation in _ = check.whenOpen { continuation.resume() } }

        let asleep = try fixture.decision(Array(Self.call.utf8), after: check)
        put(fixture, replicas: 1)
        fixture.setAddresses(["10.0.0.1"], of: ObjectKey(namespace: "functions", name: "hello"))
        guard case .wait(let wake, _) = asleep else {
            Issue.record("\(asleep)")
            return
        }
        let awake = try fixture.decision(Array(Self.call.utf8), after: wake)

        guard wake is FunctionWake, case .proxy(let call) = awake else {
            Issue.record("\(awake)")
            return
        }
        call.destination.finished(RoutingFixture.answered, context: call.context)
        guard case .refuse(.paymentRequired, _, _, _) = try await decision(fixture) else {
            Issue.record("the call was not charged")
            return
        }
    }

    @Test("A function that becomes free gives its lease back, and its calls pass")
    func becomesFree() async throws {
        let source = ScriptedSource(try lease(8))
        let fixture = fixture(source)
        guard case .proxy(let call) = try await decision(fixture) else {
            Issue.record("the first call did not pass")
            return
        }
        call.destination.finished(RoutingFixture.answered, context: call.context)

        fixture.add("hello", owner: ("alice", "hello"), admission: .open)
        let free = try fixture.decide("/hello/a", host: "alice.example.xyz")
        let deadline = ContinuousClock.now + .seconds(300)
        while source.settlements.withLock({ $0.isEmpty }), ContinuousClock.now < deadline {
            // A look now and then: nothing tells when it is so.
            try? await Task.sleep(for: .milliseconds(2))
        }

        #expect(free == "hello.functions /a")
        #expect(source.settlements.withLock { $0 } == [LeaseSettlement(lease: "lease", spent: 1)])
    }

    @Test("Without payments nobody calls a function that demands payment")
    func notSetUp() throws {
        let fixture = RoutingFixture()
        fixture.add("hello", admission: .paid(Self.price))

        #expect(try fixture.decide("/function/hello", host: "x") == "503")
    }
}
