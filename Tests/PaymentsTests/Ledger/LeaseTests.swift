import Testing
import Timing

@testable import Payments

@Suite("Leases, on every store")
struct LeaseTests {
    private func lease(
        _ ledger: StoredLedger, _ calls: UInt64, terms: PriceTerms? = nil, holder: String = "gateway-1"
    ) async throws -> CallLease {
        try await ledger.lease(
            Sample.account(), terms: try terms ?? Sample.terms(), calls: calls, holder: holder, for: .seconds(30),
            now: Sample.now)
    }

    private func pay(_ ledger: StoredLedger, _ total: UInt64) async throws {
        try await ledger.open(Sample.connection())
        _ = try await ledger.credit(Sample.proof(total), now: Sample.now)
    }

    private func balance(_ ledger: StoredLedger, _ terms: PriceTerms? = nil) async throws -> AccountBalance {
        try await ledger.balance(of: Sample.account(), terms: try terms ?? Sample.terms())
    }

    @Test("Bonus calls are leased without money, and then no more", arguments: TestStore.available)
    func leasesBonus(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()

        let lease = try await lease(ledger, 80)

        #expect(lease.calls == 50)
        #expect(lease.expiresAt == Sample.now + .seconds(30))
        await #expect(throws: LedgerError.exhausted) { _ = try await self.lease(ledger, 1, holder: "gateway-2") }
        try await ledger.settle(lease.id, spent: 50, now: Sample.now)
        await #expect(throws: LedgerError.exhausted) { _ = try await self.lease(ledger, 1) }
        #expect(try await balance(ledger).callsSold == 50)
    }

    @Test("The rest of a lease comes back, and settling twice sells once", arguments: TestStore.available)
    func settlesOnce(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await pay(ledger, 10)
        let lease = try await lease(ledger, 1000)

        try await ledger.settle(lease.id, spent: 300, now: Sample.now)
        try await ledger.settle(lease.id, spent: 1000, now: Sample.now)

        let balance = try await balance(ledger)
        #expect(balance.balance == 7)
        #expect(balance.remainingCalls == 750)
        #expect(balance.leasedCalls == 0)
        #expect(balance.callsSold == 300)
    }

    @Test("What was not leased cannot be spent, and what is no lease cannot be settled", arguments: TestStore.available)
    func refusesTooMuch(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        let lease = try await lease(ledger, 10)

        await #expect(throws: LedgerError.self) { try await ledger.settle(lease.id, spent: 11, now: Sample.now) }
        await #expect(throws: LedgerError.unknownLease) {
            try await ledger.settle("nothing", spent: 0, now: Sample.now)
        }
        await #expect(throws: LedgerError.unknownLease) {
            _ = try await ledger.exchange(
                lease.id, spent: 1, account: Sample.account(), terms: Sample.terms(), calls: 10, holder: "gateway-2",
                for: .seconds(30), now: Sample.now)
        }
        #expect(try await balance(ledger).leasedCalls == 10)
    }

    @Test(
        "An exchange settles and leases in one step, and sent twice it gives the same lease",
        arguments: TestStore.available)
    func exchangesOnce(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await pay(ledger, 10)
        let first = try await lease(ledger, 100)
        let exchange = {
            try await ledger.exchange(
                first.id, spent: 100, account: Sample.account(), terms: Sample.terms(), calls: 200,
                holder: "gateway-1", for: .seconds(30), now: Sample.now)
        }

        let second = try await exchange()
        let again = try await exchange()

        #expect(second == again)
        #expect(second.calls == 200)
        let balance = try await balance(ledger)
        #expect(balance.balance == 9)
        #expect(balance.leasedCalls == 200)
        #expect(balance.remainingCalls == 750)
    }

    @Test("An exchange that finds no call left has settled all the same", arguments: TestStore.available)
    func settlesWhenExhausted(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        let lease = try await lease(ledger, 50)

        await #expect(throws: LedgerError.exhausted) {
            _ = try await ledger.exchange(
                lease.id, spent: 50, account: Sample.account(), terms: Sample.terms(), calls: 50,
                holder: "gateway-1", for: .seconds(30), now: Sample.now)
        }

        #expect(try await balance(ledger).callsSold == 50)
    }

    @Test("A lease whose time is over counts as spent, once", arguments: TestStore.available)
    func expires(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await pay(ledger, 10)
        let lease = try await lease(ledger, 1000)

        let early = try await ledger.expireLeases(now: Sample.now + .seconds(29))
        let due = try await ledger.expireLeases(now: Sample.now + .seconds(30))
        let again = try await ledger.expireLeases(now: Sample.now + .seconds(31))
        try await ledger.settle(lease.id, spent: 1, now: Sample.now + .seconds(32))

        #expect([early, due, again] == [0, 1, 0])
        let balance = try await balance(ledger)
        #expect(balance.balance == 0)
        #expect(balance.callsSold == 1000)
        #expect(balance.remainingCalls == 50)
    }

    @Test("The next payment pays for bonus calls that were used", arguments: TestStore.available)
    func repaysBonus(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        let terms = try Sample.terms(1, per: 1, bonus: 50)
        let lease = try await lease(ledger, 50, terms: terms)
        try await ledger.settle(lease.id, spent: 50, now: Sample.now)

        try await pay(ledger, 60)

        let balance = try await balance(ledger, terms)
        #expect(balance.balance == 10)
        #expect(balance.remainingCalls == 60)
    }

    @Test("A lease keeps its price when the price changes", arguments: TestStore.available)
    func keepsThePrice(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await pay(ledger, 100)
        let (cheap, dear) = (try Sample.terms(1, per: 1, bonus: 0), try Sample.terms(10, per: 1, bonus: 0))
        let old = try await lease(ledger, 50, terms: cheap)

        let new = try await lease(ledger, 100, terms: dear, holder: "gateway-2")

        #expect(new.calls == 5)
        try await ledger.settle(new.id, spent: 5, now: Sample.now)
        try await ledger.settle(old.id, spent: 40, now: Sample.now)
        let balance = try await balance(ledger, dear)
        #expect(balance.balance == 10)
        #expect(balance.remainingCalls == 1)
    }

    @Test("Many holders at once never get one call twice", arguments: TestStore.available)
    func neverSellsTwice(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await pay(ledger, 10)  // 1000 calls, and 50.

        let granted = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for holder in 0..<64 {
                group.addTask {
                    var mine: UInt64 = 0
                    while let lease = try? await self.lease(ledger, 7, holder: "gateway-\(holder)") {
                        try await ledger.settle(lease.id, spent: lease.calls, now: Sample.now)
                        mine += lease.calls
                    }
                    return mine
                }
            }
            return try await group.reduce(0, +)
        }

        #expect(granted == 1050)
        let balance = try await balance(ledger)
        #expect(balance.balance == 0 && balance.callsSold == 1050)
    }

    @Test(
        "A wish that makes no sense is refused", arguments: TestStore.available,
        [(0, 30), (1_000_001, 30), (1, 0), (1, 3601)] as [(UInt64, Int)])
    func refusesWishes(store: TestStore, wish: (UInt64, Int)) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()

        await #expect(throws: LedgerError.self) {
            _ = try await ledger.lease(
                Sample.account(), terms: Sample.terms(), calls: wish.0, holder: "g", for: .seconds(wish.1),
                now: Sample.now)
        }
    }
}
