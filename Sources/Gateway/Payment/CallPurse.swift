import HTTP
import Payments
import Synchronization
import Telemetry

/// The paid calls of one function that this gateway may let through without asking.
///
/// A call takes one out on its loop, without a lock; when few are left, payments are asked for more while calls go on. A
/// call that finds none waits for an answer to a question that was asked after it came: so a payment counts at once,
/// and however many callers do not pay, payments are asked by one at a time.
final class CallPurse: Sendable {
    /// How long a lease is asked for.
    static let leaseSeconds = 60
    /// A lease is renewed when it has this age: what was used is in the ledger so soon.
    static let renewalAge = Duration.seconds(10)
    /// How long payments are not asked again that had no call or no answer.
    static let pause = Duration.milliseconds(50)
    /// How long they are not asked again when other gateways have the last calls, which may come back.
    static let elsewherePause = Duration.milliseconds(500)
    /// Looks in a row that find no call before the lease is given back.
    static let idleLooksMaximum = 2

    private struct State {
        var machine = PurseMachine()
        /// The question under way, or about to be asked.
        var check: LeaseCheck?
        /// Whether payments were asked already: who comes later needs another answer.
        var isAsked = false
        /// The question after it.
        var next: LeaseCheck?
        /// Before this time nobody is asked.
        var quietUntil = ContinuousClock.now
        var isClosed = false
        var lastCounts = (0, 0)
        var idleLooks = 0
    }

    let account: PaymentAccount
    private let source: any LeaseSource
    private let holder: String
    private let remaining = Atomic<Int>(0)
    private let ended = Atomic<Int>(0)
    /// Calls that were charged and owed back.
    private let refunds = Atomic<Int>(0)
    /// When so many are left, more are asked for.
    private let lowWater = Atomic<Int>(0)
    private let state = Mutex(State())

    /// Makes an empty purse.
    ///
    /// - Parameters:
    ///   - account: Whose calls.
    ///   - source: Who gives leases.
    ///   - holder: Names this process, and no other.
    init(of account: PaymentAccount, source: any LeaseSource, holder: String) {
        self.account = account
        self.source = source
        self.holder = holder
    }

    // MARK: Calls

    /// Takes one call out, which ends with `end`; false when none is left.
    func take() -> Bool {
        var count = remaining.load(ordering: .relaxed)
        while count > 0 {
            let (isExchanged, original) = remaining.compareExchange(
                expected: count, desired: count - 1, ordering: .relaxed)
            if isExchanged {
                if count - 1 == lowWater.load(ordering: .relaxed) {
                    refill()
                }
                return true
            }
            count = original
        }
        return false
    }

    /// A call that was taken out is over.
    ///
    /// - Parameter isCharged: Whether it counts; else it can be let through once more.
    func end(isCharged: Bool) {
        if isCharged, !takeRefund() {
            ended.add(1, ordering: .relaxed)
        } else {
            remaining.add(1, ordering: .relaxed)
        }
    }

    /// A call that was charged was none after all: the next one that would be charged is not.
    ///
    /// What is owed is kept in this process only.
    func refund() {
        refunds.add(1, ordering: .relaxed)
    }

    private func takeRefund() -> Bool {
        var owed = refunds.load(ordering: .relaxed)
        while owed > 0 {
            let (isExchanged, original) = refunds.compareExchange(
                expected: owed, desired: owed - 1, ordering: .relaxed)
            if isExchanged { return true }
            owed = original
        }
        return false
    }

    /// Calls that may be let through now.
    var callsLeft: Int { max(0, remaining.load(ordering: .relaxed)) }

    // MARK: Questions

    /// What a call waits for that found none: an answer to a question that is asked from now on.
    func check() -> LeaseCheck {
        let (check, isNew) = state.withLock { state -> (LeaseCheck, Bool) in
            if state.isClosed, state.check == nil || state.isAsked {
                // Nobody would give back what a closed purse leases.
                let check = LeaseCheck(of: account)
                check.end(.unavailable)
                return (check, false)
            }
            if let check = state.check {
                guard state.isAsked else { return (check, false) }
                let next = state.next ?? LeaseCheck(of: account)
                state.next = next
                return (next, false)
            }
            return (begin(&state), true)
        }
        if isNew {
            start(check)
        }
        return check
    }

    private func refill() {
        let check = state.withLock { state in
            state.check == nil && !state.isClosed ? begin(&state) : nil
        }
        if let check {
            start(check)
        }
    }

    private func begin(_ state: inout State) -> LeaseCheck {
        let check = state.next ?? LeaseCheck(of: account)
        state.next = nil
        state.check = check
        state.isAsked = false
        return check
    }

    private func start(_ check: LeaseCheck) {
        Task { await self.run(check) }
    }

    private func run(_ check: LeaseCheck) async {
        let quietUntil = state.withLock { $0.quietUntil }
        if quietUntil > .now {
            // Callers who do not pay must not keep payments busy.
            try? await ContinuousClock().sleep(until: quietUntil)
        }
        let question = state.withLock { state in
            state.isAsked = true
            return state.machine.ask(
                remaining: remaining.load(ordering: .relaxed), ended: ended.load(ordering: .relaxed))
        }
        let answer = await source.exchange(
            LeaseExchange(
                account: account, calls: UInt64(question.calls), holder: holder, seconds: Self.leaseSeconds,
                lease: question.lease, spent: question.lease.map { _ in UInt64(question.spent) }))
        let outcome = await take(answer, to: question)
        finish(check, outcome)
    }

    /// Enters an answer into the counts.
    private func take(_ answer: LeaseAnswer, to question: PurseMachine.Question) async -> LeaseCheck.Outcome {
        let left = state.withLock { state in
            let change = state.machine.take(answer, to: question, now: .now)
            lowWater.store(state.machine.block / 4, ordering: .relaxed)
            ended.add(change.ended, ordering: .relaxed)
            return remaining.add(change.remaining, ordering: .relaxed).newValue
        }
        switch answer {
        case .granted(let lease):
            guard left <= 0 else { return .granted }
            // All of it is under way already.
            let balance = await source.balance(of: account)
            return elsewhere(balance, own: lease.calls) ?? .exhausted(balance)
        case .exhausted(let balance): return elsewhere(balance, own: 0) ?? .exhausted(balance)
        case .unknownLease: return .granted  // Whoever waits asks again, without the lease.
        case .notPayable: return .notPayable
        case .unavailable(let reason):
            Self.logger.warning("No calls could be leased", ["function": account.name, "reason": reason])
            return .unavailable
        }
    }

    private func elsewhere(_ balance: AccountBalance?, own: UInt64) -> LeaseCheck.Outcome? {
        balance.flatMap { $0.leasedCalls > own ? .leasedElsewhere : nil }
    }

    /// Ends a check, and begins the next one if somebody waits for it.
    private func finish(_ check: LeaseCheck, _ outcome: LeaseCheck.Outcome) {
        let (later, following) = state.withLock { state -> (LeaseCheck?, LeaseCheck?) in
            state.check = nil
            if outcome == .granted {
                // There are calls now, for those as well who would have asked next.
                defer { state.next = nil }
                return (state.next, nil)
            }
            if state.isClosed {
                defer { state.next = nil }
                return (state.next, nil)
            }
            state.quietUntil = .now + (outcome == .leasedElsewhere ? Self.elsewherePause : Self.pause)
            return (nil, state.next == nil ? nil : begin(&state))
        }
        check.end(outcome)
        later?.end(outcome == .granted ? .granted : .unavailable)
        if let following {
            start(following)
        }
    }

    // MARK: Giving back

    /// Looks after the lease, about once a second: renews an old one, gives back one that nobody uses.
    func look() {
        let (renewal, settlement) = state.withLock { state -> (LeaseCheck?, LeaseSettlement?) in
            guard let held = state.machine.held, state.check == nil else { return (nil, nil) }
            let counts = (remaining.load(ordering: .relaxed), ended.load(ordering: .relaxed))
            let isIdle = counts == state.lastCounts && counts.0 + counts.1 >= held.calls
            state.lastCounts = counts
            state.idleLooks = isIdle ? state.idleLooks + 1 : 0
            if state.idleLooks >= Self.idleLooksMaximum, let settlement = giveBack(&state) {
                return (nil, settlement)
            }
            return (held.since.duration(to: .now) > Self.renewalAge ? begin(&state) : nil, nil)
        }
        if let renewal {
            start(renewal)
        }
        if let settlement {
            Task { await self.settle(settlement) }
        }
    }

    /// Gives back what is left, calls under way counting as charged, and takes no more leases by itself.
    func close() async {
        let underWay = state.withLock { state in
            state.isClosed = true
            return state.check
        }
        if let underWay {
            // Its answer brings the lease that is to be given back.
            await withCheckedContinuation { continuation in underWay.whenOpen { continuation.resume() } }
        }
        let settlement = state.withLock { giveBack(&$0, despiteCalls: true) }
        if let settlement {
            await settle(settlement)
        }
    }

    /// Empties the purse and ends its lease, unless calls are under way whose end has to be waited for.
    private func giveBack(_ state: inout State, despiteCalls: Bool = false) -> LeaseSettlement? {
        guard let held = state.machine.held else { return nil }
        let left = remaining.exchange(0, ordering: .relaxed)
        let isQuiet = max(0, left) + ended.load(ordering: .relaxed) >= held.calls
        guard isQuiet || despiteCalls, let (settlement, spent) = state.machine.giveBack(remaining: left) else {
            remaining.add(left, ordering: .relaxed)
            return nil
        }
        ended.subtract(despiteCalls ? min(spent, ended.load(ordering: .relaxed)) : spent, ordering: .relaxed)
        state.idleLooks = 0
        return settlement
    }

    private func settle(_ settlement: LeaseSettlement) async {
        for attempt in 0..<Self.settleAttempts {
            if await source.settle(settlement) { return }
            guard attempt + 1 < Self.settleAttempts else { break }
            // Payments may be starting anew; nobody tells when they have.
            try? await Task.sleep(for: .seconds(1))
        }
        Self.logger.warning(
            "Leased calls could not be given back; they count as used",
            ["function": account.name, "lease": settlement.lease])
    }

    private static let settleAttempts = 3
    private static let logger = Logger(label: "gateway.payment")
}
