import HTTP
import Payments
import Synchronization

/// One question to payments whether more calls may be let through, and everybody who waits for the answer.
final class LeaseCheck: RequestGate {
    /// How a question ended.
    enum Outcome: Sendable, Equatable {
        /// There are calls, or there were: others may have taken them.
        case granted
        /// Somebody has to pay first; what the account has, where it is known.
        case exhausted(AccountBalance?)
        /// All calls that are left are leased to other gateways, which may give some back.
        case leasedElsewhere
        /// Payments know no price of the function.
        case notPayable
        /// Payments could not be asked.
        case unavailable
    }

    private struct State {
        var outcome: Outcome?
        var waiters: [@Sendable () -> Void] = []
    }

    /// Whose calls.
    let account: PaymentAccount
    private let state = Mutex(State())

    init(of account: PaymentAccount) {
        self.account = account
    }

    /// How it ended; nil before.
    var outcome: Outcome? { state.withLock { $0.outcome } }

    @discardableResult
    func whenOpen(_ resume: @escaping @Sendable () -> Void) -> UInt64 {
        let isOpen = state.withLock { state in
            if state.outcome == nil {
                state.waiters.append(resume)
            }
            return state.outcome != nil
        }
        if isOpen {
            resume()
        }
        // A question is answered within seconds; whoever left meanwhile does nothing when it is.
        return 0
    }

    /// Lets everybody go on; the first outcome counts.
    func end(_ outcome: Outcome) {
        let waiters = state.withLock { state in
            guard state.outcome == nil else { return [@Sendable () -> Void]() }
            state.outcome = outcome
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters {
            waiter()
        }
    }
}
