import Timing

@testable import Payments

extension TestLedger {
    /// A ledger in SQLite with payments, sales, a collection and an expiry; closed again.
    static func filled() async throws -> TestLedger {
        let place = try TestLedger(.sqlite)
        let ledger = try await place.open()
        try await fill(ledger)
        ledger.close()
        let reopened = try await place.reopen()
        _ = try await reopened.seeds()
        reopened.close()
        return place
    }

    /// Writes five entries and an open lease.
    static func fill(_ ledger: StoredLedger) async throws {
        let (account, terms) = (try Sample.account(), try Sample.terms(1, per: 10, bonus: 50))
        try await ledger.open(Sample.connection())
        let first = try await ledger.lease(
            account, terms: terms, calls: 50, holder: "g", for: .seconds(30), now: Sample.now)
        try await ledger.settle(first.id, spent: 20, now: Sample.now)
        _ = try await ledger.credit(Sample.proof(10), now: Sample.now)
        _ = try await ledger.credit(Sample.proof(25), now: Sample.now)
        _ = try await ledger.lease(account, terms: terms, calls: 7, holder: "g", for: .seconds(1), now: Sample.now)
        _ = try await ledger.expireLeases(now: Sample.now + .seconds(2))
        _ = try await ledger.lease(account, terms: terms, calls: 9, holder: "g", for: .seconds(30), now: Sample.now)
    }
}
