import JSON
import Testing

@testable import Payments

/// `Vectors/balance.json`: what the platform we re-create answered.
///
/// Its charge was `floor(cost × calls ÷ unit)`, its quota a second floor of that. Where a unit is not begun, both are exact
/// and so are we. Where a unit is begun, it gave the begun unit away, once in the charge and again in the quota: with 10 per
/// 1000 and 50 bonus calls, 100 calls went through that nobody had paid for. Those vectors (`isDefect`) are not reproduced:
/// "integer division rounds down in the payer's favour" is on the list of its defects. There the begun unit is charged and
/// exactly the calls that were paid, and the bonus, are left.
@Suite("The balances of the platform before")
struct BalanceVectorTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        struct Expectation: Decodable, Sendable {
            let balance: String
            let remainingInvocations: String
        }

        enum CodingKeys: String, CodingKey {
            case credit, invocations, bonus, expect
            case cost = "cost_per_unit"
            case unit = "unit_invocations"
            case gate = "expect_gate"
        }

        let credit: UInt64
        let invocations: UInt64
        let cost: UInt64
        let unit: UInt64
        let bonus: UInt64
        let expect: Expectation
        let gate: String

        /// Whether the last unit is begun and not used up.
        var isDefect: Bool { cost * invocations % unit != 0 }
        var testDescription: String { "\(credit) paid, \(invocations) calls at \(cost) per \(unit), bonus \(bonus)" }
    }

    struct File: Decodable {
        struct Cost: Decodable {
            let invocations: UInt64
            let cost: UInt64
            let unit: UInt64
            let expect: UInt64
        }

        struct Remaining: Decodable {
            let balance: UInt64
            let cost: UInt64
            let unit: UInt64
            let expect: UInt64
        }

        enum CodingKeys: String, CodingKey {
            case cost, cases
            case remaining = "remaining_for_balance"
        }

        let cost: [Cost]
        let remaining: [Remaining]
        let cases: [Case]
    }

    static let file: File = {
        do {
            return try JSONReader().decode(File.self, from: Vectors.load("balance.json"))
        } catch {
            Issue.record("balance.json cannot be read: \(error)")
            return File(cost: [], remaining: [], cases: [])
        }
    }()

    /// The account after money came in and calls were sold.
    private func account(_ vector: Case) throws -> CallAccount {
        var account = CallAccount()
        _ = try account.add(vector.credit)
        _ = account.sell(vector.invocations, at: try #require(CallPrice(amount: vector.cost, calls: vector.unit)))
        return account
    }

    @Test("Every vector that begins no unit is answered as before", arguments: file.cases.filter { !$0.isDefect })
    func reproduces(vector: Case) throws {
        let account = try account(vector)

        let remaining = account.remainingCalls(bonus: vector.bonus)

        #expect(String(account.balance) == vector.expect.balance)
        #expect(String(remaining) == vector.expect.remainingInvocations)
        #expect((remaining > 0) == (vector.gate == "open"))
    }

    @Test(
        "Where a unit is begun, it is charged, and nobody gets a call that was neither paid nor a bonus",
        arguments: file.cases.filter(\.isDefect))
    func mendsDefects(vector: Case) throws {
        let account = try account(vector)

        let remaining = account.remainingCalls(bonus: vector.bonus)

        let bought = vector.bonus + vector.credit * vector.unit / vector.cost
        #expect(remaining == (bought > vector.invocations ? bought - vector.invocations : 0))
        let charge = (vector.cost * vector.invocations + vector.unit - 1) / vector.unit
        #expect(account.balance == (vector.credit > charge ? vector.credit - charge : 0))
        #expect(remaining < (try #require(UInt64(vector.expect.remainingInvocations))))
    }

    @Test("There are 30 vectors, and 8 of them show the defect")
    func readsAll() {
        #expect(Self.file.cases.count == 30)
        #expect(Self.file.cases.filter(\.isDefect).count == 8)
    }

    @Test("Charges and quotas alone: 199 calls begin a second unit, which was given away before")
    func chargesAlone() throws {
        for vector in Self.file.cost {
            let price = try #require(CallPrice(amount: vector.cost, calls: vector.unit))
            let isDefect = vector.cost * vector.invocations % vector.unit != 0
            #expect(price.charge(for: vector.invocations) == UInt128(vector.expect + (isDefect ? 1 : 0)))
        }
        for vector in Self.file.remaining {
            let price = try #require(CallPrice(amount: vector.cost, calls: vector.unit))
            #expect(price.callsBought(by: vector.balance) == vector.expect)
        }
    }
}
