import Payments
import Synchronization
import Testing
import Timing

@testable import Gateway

@Suite("Paid calls of a gateway, on a real ledger", .timeLimit(.minutes(10)))
struct CallPurseTests {
    /// 1, 2, 3 and so on, for many tasks.
    private final class Numbers: Sendable {
        private let last = Atomic<Int>(0)

        func next() -> Int { last.add(1, ordering: .relaxed).newValue }
    }

    /// Lets callers call until a call is refused; says how many calls each kind had.
    ///
    /// - Parameters:
    ///   - callers: How many call at once.
    ///   - calls: How many calls each makes at most.
    ///   - isCharged: Whether the call with this number counts.
    private func callAll(
        _ purses: [CallPurse], callers: Int, calls: Int = .max,
        isCharged: @escaping @Sendable (Int) -> Bool = { _ in true }
    ) async -> (charged: Int, free: Int, refused: Set<String>) {
        let numbers = Numbers()
        return await withTaskGroup(of: (Int, Int, String?).self) { group in
            for caller in 0..<callers {
                group.addTask {
                    var charged = 0
                    var free = 0
                    for _ in 0..<calls {
                        if let refusal = await purses[caller % purses.count].admit() {
                            return (charged, free, "\(refusal)".split(separator: "(").first.map(String.init))
                        }
                        await Task.yield()
                        let counts = isCharged(numbers.next())
                        charged += counts ? 1 : 0
                        free += counts ? 0 : 1
                        purses[caller % purses.count].end(isCharged: counts)
                    }
                    return (charged, free, nil)
                }
            }
            return await group.reduce(into: (charged: 0, free: 0, refused: Set<String>())) { sum, one in
                sum.charged += one.0
                sum.free += one.1
                if let refusal = one.2 { sum.refused.insert(refusal) }
            }
        }
    }

    @Test("A charged call that was none after all makes the next one free, once")
    func refunds() async throws {
        let source = try await LedgerSource(bonusCalls: 10)
        let purse = source.purse()
        let first = await callAll([purse], callers: 1, calls: 1)

        purse.refund()
        let rest = await callAll([purse], callers: 1)
        await purse.close()

        #expect(first.charged == 1 && rest.charged == 10)
        #expect(try await source.balance().callsSold == 10)
    }

    @Test("Bonus calls pass, then nobody does, and then exactly as many as were paid for", arguments: [1, 16])
    func exact(callers: Int) async throws {
        let source = try await LedgerSource(bonusCalls: 50)
        let purse = source.purse()

        let bonus = await callAll([purse], callers: callers)
        // The first payment pays for the bonus calls too.
        try await source.pay(thousands: 3)
        let paid = await callAll([purse], callers: callers)
        await purse.close()

        let balance = try await source.balance()
        #expect(bonus.charged == 50 && bonus.refused == ["exhausted"])
        #expect(paid.charged == 3000 && paid.refused == ["exhausted"])
        #expect(balance.callsSold == 3050 && balance.leasedCalls == 0 && balance.remainingCalls == 0)
    }

    @Test("A purse that was closed leases no more, whoever asks it late")
    func closed() async throws {
        let source = try await LedgerSource()
        try await source.pay(thousands: 1)
        let purse = source.purse()
        #expect(await purse.admit() == nil)
        purse.end(isCharged: true)
        await purse.close()
        let asked = source.asked

        let late = await purse.admit()

        #expect(late == .unavailable)
        #expect(source.asked == asked)
        let balance = try await source.balance()
        #expect(balance.leasedCalls == 0 && balance.callsSold == 1)
    }

    @Test("Two gateways never let the same call through, and what one has left the other gets")
    func twoGateways() async throws {
        let source = try await LedgerSource()
        try await source.pay(thousands: 2)
        let purses = [source.purse("one"), source.purse("two")]

        let together = await callAll(purses, callers: 8)
        for purse in purses { await purse.close() }
        let rest = await callAll([source.purse("three")], callers: 1)

        let balance = try await source.balance()
        #expect(together.charged + rest.charged == 2000)
        #expect(rest.refused == ["exhausted"])
        #expect(balance.callsSold == 2000)
    }

    @Test("Calls that do not count can be let through again and are never charged")
    func free() async throws {
        let source = try await LedgerSource()
        try await source.pay(thousands: 1)
        let purse = source.purse()

        let calls = await callAll([purse], callers: 8) { $0 % 3 != 0 }
        await purse.close()

        let balance = try await source.balance()
        #expect(calls.charged == 1000)
        #expect(calls.free > 400)
        #expect(balance.callsSold == 1000)
    }

    @Test("Answers that are lost lose no call and sell none twice")
    func lostAnswers() async throws {
        let source = try await LedgerSource(isLost: { $0 > 1 && $0 % 3 == 0 })
        try await source.pay(thousands: 1)
        let purse = source.purse()

        var charged = 0
        // Callers whose answer was lost are told to come back, and do.
        for _ in 0..<200 where charged < 1000 {
            charged += await callAll([purse], callers: 4, calls: 100).charged
        }
        let last = await callAll([purse], callers: 1)
        await purse.close()

        let balance = try await source.balance()
        #expect(charged + last.charged == 1000)
        #expect(balance.callsSold == 1000)
    }

    @Test("A payment counts for the next call, and callers who do not pay share few questions")
    func paysAtOnce() async throws {
        let source = try await LedgerSource()
        let purse = source.purse()

        let refused = await callAll([purse], callers: 100)
        let questions = source.asked
        try await source.pay(thousands: 1)
        let refusal = await purse.admit()
        purse.end(isCharged: true)
        await purse.close()

        #expect(refused.charged == 0 && refused.refused == ["exhausted"])
        // One or two where they all come at once; on a busy machine some come later than the answer to the others.
        #expect(questions <= 25)
        #expect(refusal == nil)
        #expect(try await source.balance().callsSold == 1)
    }

    @Test("A lease that nobody uses is given back after some looks, and one with calls under way is not")
    func idle() async throws {
        let source = try await LedgerSource()
        try await source.pay(thousands: 1)
        let purse = source.purse()
        _ = await purse.admit()

        for _ in 0...CallPurse.idleLooksMaximum { purse.look() }
        let held = try await source.balance().leasedCalls
        purse.end(isCharged: true)
        for _ in 0...CallPurse.idleLooksMaximum { purse.look() }
        // The settlement is sent by itself; where all of this took long, a renewal came first, and the looks go on as ever.
        let deadline = ContinuousClock.now + .seconds(300)
        while try await source.balance().leasedCalls > 0, ContinuousClock.now < deadline {
            purse.look()
            // A look now and then: nothing tells when it is so.
            try? await Task.sleep(for: .milliseconds(2))
        }

        let balance = try await source.balance()
        #expect(held > 0)
        #expect(balance.leasedCalls == 0 && balance.callsSold == 1)
        #expect(purse.callsLeft == 0)
    }

    @Test("A gateway that dies loses its lease and nothing else")
    func killed() async throws {
        let source = try await LedgerSource()
        try await source.pay(thousands: 1)
        let killed = source.purse("killed")
        let before = await callAll([killed], callers: 4, calls: 30)
        let leased = try await source.balance().leasedCalls

        let survivor = source.purse("survivor")
        let after = await callAll([survivor], callers: 4)
        await survivor.close()
        _ = try await source.ledger.expireLeases(now: .now + .seconds(CallPurse.leaseSeconds + 1))

        let balance = try await source.balance()
        #expect(before.charged == 120)
        #expect(leased > 0)
        #expect(balance.callsSold == 1000 && balance.leasedCalls == 0)
        #expect(after.charged + before.charged <= 1000)
        #expect(after.charged + before.charged >= 1000 - Int(leased))
    }
}
