import Payments
import Testing
import Timing

@testable import Gateway

@Suite("What a purse asks payments for")
struct PurseMachineTests {
    private let now = ContinuousClock.now

    private func lease(_ id: String, _ calls: UInt64) throws -> LeaseAnswer {
        let account = try #require(PaymentAccount(namespace: "functions", function: "hello"))
        return .granted(CallLease(id: id, account: account, calls: calls, expiresAt: .latest))
    }

    @Test("The first question asks for a small block, and a block that did not last is doubled")
    func grows() throws {
        var machine = PurseMachine()
        var asked: [Int] = []
        var question = machine.ask(remaining: 0, ended: 0)

        for round in 1...14 {
            asked.append(question.calls)
            _ = machine.take(try lease("l\(round)", UInt64(question.calls)), to: question, now: now)
            question = machine.ask(remaining: 0, ended: question.calls)
        }

        #expect(asked.prefix(4) == [8, 8, 16, 32])
        #expect(asked.last == PurseMachine.blockMaximum)
    }

    @Test("A block that lasted long is halved, down to the first")
    func shrinks() throws {
        var machine = PurseMachine()
        var time = now
        var question = machine.ask(remaining: 0, ended: 0)
        for _ in 1...4 {
            _ = machine.take(try lease("l", 8), to: question, now: time)
            question = machine.ask(remaining: 0, ended: 8)
        }
        let largest = question.calls

        for _ in 1...8 {
            time += .seconds(20)
            _ = machine.take(try lease("l", 8), to: question, now: time)
            question = machine.ask(remaining: 0, ended: 8)
        }

        #expect(largest == 64)
        #expect(question.calls == PurseMachine.blockMinimum)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Of a lease of 10.
        let remaining: Int
        let ended: Int
        let question: PurseMachine.Question
        /// How many the next lease has; nil when none is left.
        let granted: UInt64?
        let change: PurseMachine.Change
    }

    static let cases = [
        Case(
            testDescription: "all used", remaining: 0, ended: 10,
            question: .init(lease: "l", spent: 10, kept: 0, calls: 8), granted: 8,
            change: .init(remaining: 8, ended: -10)),
        Case(
            testDescription: "some under way: the next lease covers them", remaining: 0, ended: 7,
            question: .init(lease: "l", spent: 7, kept: 3, calls: 11), granted: 11,
            change: .init(remaining: 8, ended: -7)),
        Case(
            testDescription: "some left and some under way: never fewer than these are asked for", remaining: 9,
            ended: 0,
            question: .init(lease: "l", spent: 0, kept: 10, calls: 10), granted: 10,
            change: .init(remaining: 0, ended: 0)),
        Case(
            testDescription: "fewer granted than are out: nothing is let through until they are covered", remaining: 0,
            ended: 5, question: .init(lease: "l", spent: 5, kept: 5, calls: 13), granted: 2,
            change: .init(remaining: -3, ended: -5)),
        Case(
            testDescription: "none left: what is under way is owed", remaining: 0, ended: 8,
            question: .init(lease: "l", spent: 8, kept: 2, calls: 10), granted: nil,
            change: .init(remaining: -2, ended: -8)),
        Case(
            testDescription: "more ended than leased: the rest belongs to the next lease", remaining: 0, ended: 12,
            question: .init(lease: "l", spent: 10, kept: 0, calls: 8), granted: 8,
            change: .init(remaining: 8, ended: -10)),
    ]

    @Test("What ended is settled, and what is under way belongs to the next lease", arguments: cases)
    func settles(_ one: Case) throws {
        var machine = PurseMachine()
        let first = machine.ask(remaining: 0, ended: 0)
        _ = machine.take(try lease("l", 10), to: first, now: now)

        let question = machine.ask(remaining: one.remaining, ended: one.ended)
        let change = machine.take(
            try one.granted.map { try lease("next", $0) } ?? .exhausted(nil), to: question, now: now + .seconds(5))

        #expect(question == one.question)
        #expect(change == one.change)
        #expect(machine.held?.id == one.granted.map { _ in "next" })
    }

    @Test("A question without an answer is asked again as it was, whatever happened since")
    func repeats() throws {
        var machine = PurseMachine()
        let first = machine.ask(remaining: 0, ended: 0)
        _ = machine.take(try lease("l", 10), to: first, now: now)
        let lost = machine.ask(remaining: 4, ended: 6)

        let change = machine.take(.unavailable("lost"), to: lost, now: now)
        let again = machine.ask(remaining: 1, ended: 9)

        #expect(change == PurseMachine.Change())
        #expect(again == lost)
        #expect(machine.giveBack(remaining: 1) == nil)
    }

    @Test("Without a lease, calls that are owed are asked for on top of the block")
    func owed() {
        var machine = PurseMachine()

        let question = machine.ask(remaining: -5, ended: 0)

        #expect(question == .init(lease: nil, spent: 0, kept: 0, calls: 13))
    }
}
