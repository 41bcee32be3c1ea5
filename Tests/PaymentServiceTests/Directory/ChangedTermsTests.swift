import CRDs
import ControllerRuntime
import JSON
import KubernetesClient
import KubernetesTypes
import Payments
import Testing
import Timing

@testable import PaymentService

/// A directory on a Function that changes, and the ledger that leases at its terms.
@Suite("Terms that change", .timeLimit(.minutes(10)))
struct ChangedTermsTests {
    /// Runs `body` with a function whose calls cost 1 each, and 100 that were paid for.
    private func withPaidFunction(
        _ body: (Town, FunctionDirectory, PaymentAccount) async throws -> Void
    ) async throws {
        let town = try await Town(on: .memory, isStarted: false)
        let informers = SharedInformers(api: town.api)
        let directory = FunctionDirectory(informers: informers, namespace: town.namespace, asset: town.asset)
        informers.start()
        try await informers.waitForSync()
        try await town.makeFunction(
            payment: "{required: true, price: {amount: 10, assetCode: XRP, assetScale: 9, calls: 10}}")
        try await town.connect(1)
        try await town.pay(1, total: 100)
        let account = try town.account()
        _ = try await terms(directory, account) { $0?.amount == 10 }
        try await body(town, directory, account)
        await informers.stop()
        try await town.end()
    }

    /// Waits until the directory knows terms as `condition` wants them; nil is a function that takes no money.
    private func terms(
        _ directory: FunctionDirectory, _ account: PaymentAccount, _ condition: (PriceTerms?) -> Bool
    ) async throws -> PriceTerms? {
        let end = ContinuousClock.now + .seconds(300)
        while true {
            let terms = try? await directory.function(of: account).terms
            if condition(terms) { return terms }
            guard ContinuousClock.now < end else { throw DeadlineExceeded(limit: .seconds(300)) }
            try await ContinuousClock().sleep(for: .milliseconds(2))
        }
    }

    private func change(_ town: Town, _ payment: JSONValue) async throws {
        _ = try await town.api.patch(Function.self, town.key("hello"), .merge(["spec": ["payment": payment]]))
    }

    private func lease(
        _ town: Town, _ account: PaymentAccount, _ terms: PriceTerms?, calls: UInt64
    ) async throws -> CallLease {
        try await town.ledger.lease(
            account, terms: try #require(terms), calls: calls, holder: "gateway", for: .seconds(60), now: .now)
    }

    @Test("Calls that are out on lease keep their price; the next ones cost the new one")
    func priceChange() async throws {
        try await withPaidFunction { town, directory, account in
            let old = try await terms(directory, account) { $0 != nil }
            let first = try await lease(town, account, old, calls: 20)

            try await change(town, ["price": ["amount": 20]])
            let new = try #require(try await terms(directory, account) { $0?.amount == 20 })
            let between = try await town.ledger.balance(of: account, terms: new)
            let second = try await lease(town, account, new, calls: 10)
            try await town.ledger.settle(first.id, spent: 20, now: .now)
            try await town.ledger.settle(second.id, spent: 10, now: .now)

            // 100 − 20 × 1 that are out: 80 buy 40 at 2 each.
            #expect(between.remainingCalls == 40)
            #expect(between.leasedCalls == 20)
            let after = try await town.ledger.balance(of: account, terms: new)
            #expect(after.balance == 100 - 20 - 20)
            #expect(after.remainingCalls == 30)
            #expect(after.callsSold == 30)
        }
    }

    @Test("Calls of the old price that were not used go back as money")
    func unusedCalls() async throws {
        try await withPaidFunction { town, directory, account in
            let old = try await terms(directory, account) { $0 != nil }
            let first = try await lease(town, account, old, calls: 100)

            try await change(town, ["price": ["amount": 20]])
            let new = try #require(try await terms(directory, account) { $0?.amount == 20 })
            await #expect(throws: LedgerError.exhausted) { _ = try await lease(town, account, new, calls: 1) }
            let next = try await town.ledger.exchange(
                first.id, spent: 40, account: account, terms: new, calls: 100, holder: "gateway", for: .seconds(60),
                now: .now)

            // 60 are left, and calls cost 2 now.
            #expect(next.calls == 30)
            #expect(try await town.ledger.balance(of: account, terms: new).callsSold == 40)
        }
    }

    @Test("Payment that is switched off and on again loses nothing")
    func switched() async throws {
        try await withPaidFunction { town, directory, account in
            let terms = try #require(try await self.terms(directory, account) { $0 != nil })
            let first = try await lease(town, account, terms, calls: 30)

            // The price stays: calls pass unpaid, and what was leased goes back.
            try await change(town, ["required": false])
            try await town.ledger.settle(first.id, spent: 12, now: .now)
            let off = try await self.terms(directory, account) { $0 != nil }
            try await change(town, ["required": true])
            let second = try await lease(town, account, off, calls: 1000)

            #expect(off == terms)
            #expect(second.calls == 88)
        }
    }

    @Test("Terms that go and come back find the money where it was")
    func removed() async throws {
        try await withPaidFunction { town, directory, account in
            let terms = try #require(try await self.terms(directory, account) { $0 != nil })
            let first = try await lease(town, account, terms, calls: 30)

            try await change(town, .null)
            _ = try await self.terms(directory, account) { $0 == nil }
            try await town.ledger.settle(first.id, spent: 30, now: .now)
            let price: JSONValue = ["amount": 10, "assetCode": "XRP", "assetScale": 9, "calls": 10]
            try await change(town, ["required": true, "price": price])
            let again = try #require(try await self.terms(directory, account) { $0 != nil })

            #expect(again == terms)
            #expect(try await town.ledger.balance(of: account, terms: again).balance == 70)
        }
    }
}
