import JSON
import Testing
import Timing

@testable import Payments

@Suite("Money and calls")
struct CallAccountTests {
    private func terms(_ amount: UInt64, per calls: UInt64, bonus: UInt64 = 0) throws -> PriceTerms {
        let asset = try #require(Asset(code: "USD", scale: 9))
        return try #require(PriceTerms(asset: asset, amount: amount, calls: calls, bonusCalls: bonus))
    }

    @Test("A charge is rounded up, and what money buys never costs more than the money")
    func roundsForThePayee() throws {
        let price = try #require(CallPrice(amount: 10, calls: 1000))

        #expect(price.charge(for: 100) == 1)
        #expect(price.charge(for: 101) == 2)
        #expect(price.callsBought(by: 1) == 100)
        #expect(price.callsBought(by: 0) == 0)
    }

    @Test("The largest numbers there are do not overflow")
    func holdsTheLargestNumbers() throws {
        let dear = try #require(CallPrice(amount: .max, calls: 1))
        let cheap = try #require(CallPrice(amount: 1, calls: .max))

        #expect(dear.charge(for: .max) == UInt128(UInt64.max) * UInt128(UInt64.max))
        #expect(cheap.callsBought(by: .max, prepaid: .max) == .max)
        #expect(cheap.charge(for: .max) == 1)

        var account = CallAccount()
        _ = try account.add(.max)
        _ = account.sell(.max, at: dear)
        #expect(account.balance == 0)
        #expect(account.unpaidCalls == UInt64.max - 1)
        account.reprice(cheap)
        _ = try account.add(.max)
        #expect(account.unpaidCalls == 0)
        #expect(account.remainingCalls(bonus: .max) == .max)
    }

    @Test("A balance beyond 64 bits is refused and nothing changes")
    func refusesOverflow() throws {
        var account = CallAccount()
        _ = try account.add(.max)
        let before = account

        #expect(throws: LedgerError.self) { _ = try account.add(1) }
        #expect(account == before)
    }

    @Test("Calls sold one by one cost what they cost together", arguments: [1, 7, 50, 999, 1000])
    func roundsOnce(block: UInt64) throws {
        let price = try #require(CallPrice(amount: 10, calls: 1000))
        var account = CallAccount()
        _ = try account.add(1000)

        var taken: UInt64 = 0
        var sold: UInt64 = 0
        while sold < 10_000 {
            taken += account.sell(min(block, 10_000 - sold), at: price)
            sold += min(block, 10_000 - sold)
            #expect(UInt128(taken) == price.charge(for: sold))
        }

        #expect(account.balance == 900)
        #expect(account.prepaid == 0)
    }

    @Test("Random sales, payments and prices keep every unit and never sell beyond money and bonus")
    func keepsEveryUnit() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var chance = SplitMix(state: seed)
        for _ in 0..<200 {
            var account = CallAccount()
            var (paid, taken): (UInt64, UInt64) = (0, 0)
            let bonus = UInt64.random(in: 0...60, using: &chance)
            var leases: [StoredLease] = []
            var price = try terms(1 + chance.next() % 20, per: 1 + chance.next() % 100, bonus: bonus)
            for _ in 0..<200 {
                switch chance.next() % 6 {
                case 0:
                    let amount = chance.next() % 30
                    taken += try account.add(amount)
                    paid += amount
                case 1 where account.older.calls == 0 && chance.next() % 4 == 0:
                    price = try terms(1 + chance.next() % 20, per: 1 + chance.next() % 100, bonus: bonus)
                case 1, 2, 3:
                    let before = account
                    if let granted = try? account.reserve(1 + chance.next() % 40, terms: price) {
                        leases.append(try lease(granted, price, account.epoch))
                    } else {
                        account = before
                    }
                default:
                    guard !leases.isEmpty else { continue }
                    let lease = leases.remove(at: Int(chance.next() % UInt64(leases.count)))
                    taken += account.settle(lease, spent: chance.next() % (lease.calls + 1))
                }
                #expect(account.balance + taken == paid, "seed \(seed)")
                #expect(account.unpaidCalls <= bonus, "seed \(seed)")
                #expect(account.older.held <= account.balance, "seed \(seed)")
            }
        }
    }

    private func lease(_ calls: UInt64, _ terms: PriceTerms, _ epoch: UInt64) throws -> StoredLease {
        let account = try #require(PaymentAccount(name: "a/b"))
        return StoredLease(
            id: "", key: AccountKey(account: account, asset: terms.asset), holder: "", calls: calls,
            price: CallPrice(of: terms), epoch: epoch, expiresAt: .latest)
    }
}

/// A generator whose seed can be printed and used again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
