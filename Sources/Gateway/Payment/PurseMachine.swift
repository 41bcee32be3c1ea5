import Payments

/// Which lease a purse holds and what it asks payments for, as a value: counts and answers in, questions and changes out.
///
/// The calls themselves are counted outside, without a lock: `remaining` may still be let through, `ended` were, and were
/// charged; those under way are in neither. A question settles what has ended until then; calls that end while it is
/// under way belong to the lease that it brings. So nothing is counted twice, however long a call or an answer takes.
struct PurseMachine {
    /// The smallest block of calls that is asked for, and the first.
    static let blockMinimum = 8
    /// The largest: what a crash can lose, and what other gateways must do without.
    static let blockMaximum = 8192
    /// A block that did not last for so long was too small.
    static let shortAge = Duration.seconds(1)
    /// A block that lasted longer was too large.
    static let longAge = Duration.seconds(10)

    /// A lease held.
    struct Held: Equatable {
        let id: String
        let calls: Int
        /// When it came.
        let since: ContinuousClock.Instant
    }

    /// What payments are asked.
    struct Question: Equatable {
        /// The lease that ends.
        let lease: String?
        /// How many of its calls were charged.
        let spent: Int
        /// How many of its calls were not, those under way included.
        let kept: Int
        /// How many new ones are wished for.
        let calls: Int
    }

    /// What an answer changes about the counts.
    struct Change: Equatable {
        var remaining = 0
        var ended = 0
    }

    /// The lease held now.
    private(set) var held: Held?
    /// How many calls the next lease shall bring beyond those under way.
    private(set) var block = blockMinimum
    /// A question whose answer never came: it is asked again as it was, so that it happens once.
    private var unanswered: Question?

    /// The next question.
    ///
    /// - Parameters:
    ///   - remaining: Calls that may be let through; below zero when more are under way than were leased.
    ///   - ended: Calls charged since the last question that was answered.
    mutating func ask(remaining: Int, ended: Int) -> Question {
        if let unanswered { return unanswered }
        let leased = held?.calls ?? 0
        let spent = min(max(0, ended), leased)
        let unused = max(0, remaining)
        let underWay = max(0, leased - spent - unused)
        let owed = max(0, -remaining)
        let calls = min(max(block, unused) + underWay + owed, Int(LedgerLimits.leaseCallsMaximum))
        let question = Question(lease: held?.id, spent: spent, kept: leased - spent, calls: calls)
        unanswered = question
        return question
    }

    /// Takes the answer to a question.
    ///
    /// - Returns: What to add to the counts.
    mutating func take(_ answer: LeaseAnswer, to question: Question, now: ContinuousClock.Instant) -> Change {
        switch answer {
        case .unavailable:
            return Change()
        case .granted(let lease):
            resize(now: now)
            let calls = Int(clamping: lease.calls)
            held = Held(id: lease.id, calls: calls, since: now)
            unanswered = nil
            return Change(remaining: calls - question.kept, ended: -question.spent)
        case .exhausted, .unknownLease, .notPayable:
            held = nil
            block = Self.blockMinimum
            unanswered = nil
            return Change(remaining: -question.kept, ended: -question.spent)
        }
    }

    /// Ends the lease without a new one; nil while there is none, or a question about it is open.
    ///
    /// - Parameter remaining: Calls that were not let through; all others count as charged.
    mutating func giveBack(remaining: Int) -> (settlement: LeaseSettlement, spent: Int)? {
        guard let lease = held, unanswered == nil else { return nil }
        let spent = min(max(0, lease.calls - remaining), lease.calls)
        held = nil
        block = Self.blockMinimum
        return (LeaseSettlement(lease: lease.id, spent: UInt64(spent)), spent)
    }

    private mutating func resize(now: ContinuousClock.Instant) {
        guard let held else { return }
        let age = now - held.since
        if age < Self.shortAge {
            block = min(block * 2, Self.blockMaximum)
        } else if age > Self.longAge {
            block = max(block / 2, Self.blockMinimum)
        }
    }
}
