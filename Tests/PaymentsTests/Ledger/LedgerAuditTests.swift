import Cryptography
import Glibc
import Storage
import Testing
import Timing

@testable import Payments

@Suite("Checking a ledger")
struct LedgerAuditTests {
    @Test("Nothing is wrong with a ledger that nobody meddled with", arguments: TestStore.available)
    func findsNothing(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await TestLedger.fill(ledger)

        let audit = try await LedgerAudit.run(ledger)

        #expect(audit.problems == [])
        #expect(audit.entries == 5)
        let totals = try #require(audit.functions.first)
        #expect([totals.received, totals.used, totals.calls] == [25, 3, 27])
        #expect(
            try await ledger.entries(after: 0, limit: 10).map(\.kind) == [
                .sale, .payment, .collection, .payment, .expiry,
            ])
    }

    @Test("An empty ledger is right", arguments: TestStore.available)
    func acceptsNothing(store: TestStore) async throws {
        let place = try TestLedger(store)

        let audit = try await LedgerAudit.run(try await place.open())

        #expect(audit.problems == [] && audit.entries == 0)
    }

    @Test(
        "What somebody changed behind our back is found",
        arguments: [
            "UPDATE entry SET amount = 11 WHERE sequence = 2", "UPDATE entry SET time = time + 1 WHERE sequence = 1",
            "UPDATE entry SET credit = 'function:mallory/fn' WHERE sequence = 2",
            "DELETE FROM entry WHERE sequence = 3", "DELETE FROM entry WHERE sequence = 5",
            "UPDATE account SET balance = balance + 1", "UPDATE account SET sold_calls = 0",
            "UPDATE account SET leased_calls = 0", "DELETE FROM account", "UPDATE claim SET total = total + 1",
            "DELETE FROM claim", "DELETE FROM lease WHERE state = 'open'", "UPDATE head SET sequence = 9",
            "INSERT INTO claim VALUES ('x402', x'01', 5, 'a/b', 'USD', 9, 1, '', 0, 99)",
        ])
    func findsChanges(sql: String) async throws {
        let place = try await TestLedger.filled()
        let meddler = try SQLiteConnection(path: try #require(place.configuration.sqlite), create: false)
        try meddler.execute("DROP TRIGGER entry_update; DROP TRIGGER entry_delete; \(sql)")

        let audit = try await LedgerAudit.run(try await StoredLedger.openForReading(place.configuration))

        #expect(audit.problemCount > 0)
        #expect(audit.problems.count == audit.problemCount)
    }

    @Test(
        "Entries can be neither changed nor deleted", arguments: ["UPDATE entry SET amount = 0", "DELETE FROM entry"])
    func refusesChanges(sql: String) async throws {
        let place = try await TestLedger.filled()
        let meddler = try SQLiteConnection(path: try #require(place.configuration.sqlite), create: false)

        #expect(throws: StoreFailure.self) { try meddler.execute(sql) }
    }

    @Test("A chain that was written anew from some entry on is found by a hash that was written down")
    func findsForgery() throws {
        var (honest, forged) = (LedgerAuditor(), LedgerAuditor())
        let entries = try chain([10, 20, 30])
        for entry in entries { honest.add(entry) }
        let anchor = LedgerAnchor(sequence: 2, hash: entries[1].hash)

        forged = LedgerAuditor(anchor: anchor)
        for entry in try chain([10, 15, 30]) { forged.add(entry) }

        #expect(honest.problems == [])
        #expect(forged.problems == ["entry 2 has another hash than the one that was written down"])
        var short = LedgerAuditor(anchor: anchor)
        short.add(entries[0])
        short.check(LedgerHead(sequence: 1, hash: entries[0].hash))
        #expect(short.problemCount == 1)
    }

    /// Payments whose totals are these.
    private func chain(_ totals: [UInt64]) throws -> [LedgerEntry] {
        var book = LedgerBook(head: LedgerHead())
        _ = book.apply(.open(try Sample.connection()))
        for total in totals { _ = book.apply(.credit(Sample.proof(total), now: Sample.now)) }
        return book.changes.entries
    }

    @Test("The hash of an entry is that of its bytes as the page on the ledger says")
    func hashesAsDocumented() throws {
        let entry = try #require(try chain([10]).first)
        let text = { (text: String) in [0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8) }
        let number = { (number: UInt64) in (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }

        var bytes: [UInt8] = [1] + number(1) + number(1_800_000_000_000_000) + text("payment") + text("clearing:stream")
        bytes += text("function:farebox-functions/alice-hello") + text("USD") + number(9) + number(10) + number(0)
        bytes += text("stream") + [0, 0, 0, 17] + [UInt8](repeating: 1, count: 17) + number(10) + text("")

        #expect(entry.hash == SHA256.hash(of: [UInt8](repeating: 0, count: 32) + bytes).bytes)
    }

    @Test("A statement shows what came in, what calls used, and the balance after each", arguments: TestStore.available)
    func makesStatements(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await TestLedger.fill(ledger)
        var statement = LedgerStatement(of: try Sample.account())

        let lines = try await ledger.entries(after: 0, limit: 10).compactMap { statement.line(of: $0) }

        #expect(lines.map(\.balance) == [0, 10, 8, 23, 22])
        let payment = String(repeating: "01", count: 17)
        #expect(
            LedgerReport.line(lines[1], .csv)
                == "2,2027-01-15T08:00:00.000000Z,payment,USD,9,10,0,0,10,stream:\(payment)")
        #expect(LedgerReport.line(lines[2], .json).contains(#""out":"2","#))
        let other = try Sample.account("a/b")
        var empty = LedgerStatement(of: other)
        #expect(empty.line(of: lines[0].entry) == nil)
    }

    @Test("Each row of an export has as many fields as there are columns")
    func exportsRows() throws {
        let entry = try #require(try chain([.max]).first)

        let fields = LedgerReport.line(entry, .csv).split(separator: ",", omittingEmptySubsequences: false)

        #expect(fields.count == LedgerReport.entryColumns.count)
        #expect(fields[7] == "18446744073709551615")
        #expect(LedgerReport.line(entry, .json).hasPrefix(#"{"#))
    }
}
