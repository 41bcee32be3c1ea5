import Cryptography
import Glibc
import Storage
import Synchronization
import Testing
import Timing

@testable import Payments

@Suite("A ledger's store")
struct StoreTests {
    @Test("A second writer of an SQLite file is turned away; a reader is not")
    func locksOutSecondWriter() async throws {
        let place = try TestLedger(.sqlite)
        let first = try await place.open()
        try await first.open(Sample.connection())
        _ = try await first.credit(Sample.proof(5), now: Sample.now)

        await #expect(throws: LedgerError.self) { _ = try await place.open() }

        let reader = try await StoredLedger.openForReading(place.configuration)
        #expect(try await reader.stream(nonce: Sample.proof(0).nonce, stream: 1)?.total == 5)
        await #expect(throws: LedgerError.self) { try await reader.open(Sample.connection(nonce: 3)) }
    }

    @Test("The files of an SQLite ledger are for their owner alone, since seeds are in them")
    func keepsSeedsToItself() async throws {
        let place = try TestLedger(.sqlite)
        let ledger = try await place.open()
        _ = try await ledger.addSeed([UInt8](repeating: 1, count: 32), onlyIfNone: true, now: Sample.now)

        for suffix in ["", "-wal", "-shm", ".lock"] {
            var status = stat()
            #expect(stat(place.folder + "/ledger.db" + suffix, &status) == 0)
            #expect(status.st_mode & 0o077 == 0)
        }
    }

    @Test("A ledger that is not there is not made by reading it", arguments: TestStore.available)
    func doesNotMakeByReading(store: TestStore) async throws {
        let place = try TestLedger(store)

        await #expect(throws: LedgerError.self) { _ = try await StoredLedger.openForReading(place.configuration) }
    }

    @Test("A ledger of a newer version is left alone")
    func leavesNewerAlone() async throws {
        let place = try TestLedger(.sqlite)
        try await place.open().close()
        _ = try await place.reopen().seeds()
        let path = try #require(place.configuration.sqlite)
        try SQLiteConnection(path: path, create: false).execute("PRAGMA user_version = 99")

        await #expect(throws: LedgerError.self) { _ = try await StoredLedger.openForReading(place.configuration) }
    }

    @Test("Every commit of an SQLite ledger waits for the disk")
    func syncs() async throws {
        let place = try TestLedger(.sqlite)
        let store = SQLiteStore(path: try #require(place.configuration.sqlite), access: .writing)
        try store.open()
        defer { store.close() }

        #expect(try store.pragma("synchronous") == "2")
        #expect(try store.pragma("journal_mode") == "wal")
    }

    @Test("On a full disk nothing is credited, and when there is room again everything is right")
    func survivesFullDisks() async throws {
        let place = try TestLedger(.sqlite)
        let ledger = try await place.open()
        try await ledger.open(Sample.connection())
        let limit = { (pages: Int) in
            try await ledger.read { (store) throws(StoreFailure) in
                _ = try (store as? SQLiteStore)?.pragma("max_page_count = \(pages)")
            }
        }
        try await limit(1)  // No page more than there are.

        var total: UInt64 = 0
        var failure: LedgerError?
        while failure == nil, total < 10_000 {
            do throws(LedgerError) {
                _ = try await ledger.credit(Sample.proof(total + 1), now: Sample.now)
                total += 1
            } catch {
                failure = error
            }
        }
        try await limit(1_000_000)
        let after = try await ledger.credit(Sample.proof(total + 5), now: Sample.now)

        guard case .unavailable = failure else {
            Issue.record("the disk was not full: \(String(describing: failure))")
            return
        }
        #expect(after.amount == 5)
        let audit = try await LedgerAudit.run(ledger)
        #expect(audit.problems == [])
        #expect(audit.functions.map(\.received) == [UInt128(total) + 5])
    }

    @Test("An idle ledger writes nothing when leases are looked through", arguments: TestStore.available)
    func idles(store: TestStore) async throws {
        let place = try TestLedger(store)
        let writes = Atomic(0)
        let ledger = try await StoredLedger.open(place.configuration) { point in
            if point == .afterCommit { writes.add(1, ordering: .relaxed) }
        }

        _ = try await ledger.expireLeases(now: Sample.now)
        _ = try await ledger.balance(of: Sample.account(), terms: Sample.terms())

        #expect(writes.load(ordering: .relaxed) == 0)
    }

    @Test("Replicas on one PostgreSQL ledger never credit or sell twice", .enabled(if: PostgresServer.isInstalled))
    func servesReplicas() async throws {
        let place = try TestLedger(.postgres)
        let ledgers = try await withThrowingTaskGroup(of: StoredLedger.self) { group in
            for _ in 0..<4 { group.addTask { try await place.open() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try await ledgers[0].open(Sample.connection())

        let credited = await withTaskGroup(of: UInt64.self) { group in
            for (index, ledger) in ledgers.enumerated() {
                group.addTask {
                    var sum: UInt64 = 0
                    for total in UInt64(1)...100 {
                        let proof = Sample.proof(total + UInt64(index))
                        sum += (try? await ledger.credit(proof, now: Sample.now))?.amount ?? 0
                    }
                    return sum
                }
            }
            return await group.reduce(0, +)
        }
        let sold = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for (index, ledger) in ledgers.enumerated() {
                group.addTask {
                    var sum: UInt64 = 0
                    while let lease = try? await ledger.lease(
                        Sample.account(), terms: Sample.terms(1, per: 1, bonus: 50), calls: 7, holder: "r\(index)",
                        for: .seconds(30), now: Sample.now)
                    {
                        try await ledger.settle(lease.id, spent: lease.calls, now: Sample.now)
                        sum += lease.calls
                    }
                    return sum
                }
            }
            return try await group.reduce(0, +)
        }

        #expect(credited == 103)
        #expect(sold == 153)
        let audit = try await LedgerAudit.run(ledgers[3])
        #expect(audit.problems == [])
        #expect(audit.functions.map(\.received) == [103])
    }

    @Test("When the server drops the connection, the ledger makes another", .enabled(if: PostgresServer.isInstalled))
    func reconnects() async throws {
        let place = try TestLedger(.postgres)
        let ledger = try await place.open()
        try await ledger.open(Sample.connection())
        _ = try await ledger.credit(Sample.proof(5), now: Sample.now)
        let configuration = try #require(place.configuration.postgres)
        let session = try await ledger.read { (store) throws(StoreFailure) in
            try (store as? PostgresStore)?.processIdentifier() ?? 0
        }

        try PostgresConnection(configuration.connection, password: nil)
            .run("SELECT pg_terminate_backend($1, 5000)", [String(session)])
        let after = try await ledger.credit(Sample.proof(9), now: Sample.now)

        #expect(after.amount == 4)
        #expect(await ledger.isWorking())
    }

    @Test("A server that is not there is said to be not there")
    func saysWhatIsMissing() async throws {
        let configuration = LedgerConfiguration(postgres: .init(connection: "host=/nonexistent dbname=x"))

        await #expect(throws: LedgerError.self) { _ = try await StoredLedger.open(configuration) }
    }

    @Test("A connection that libpq cannot read is refused without being repeated")
    func keepsConnectionsSecret() async throws {
        let configuration = LedgerConfiguration(postgres: .init(connection: "host=x password=a hunter2"))

        let error = await #expect(throws: LedgerError.self) { _ = try await StoredLedger.open(configuration) }

        #expect(error.map { !$0.description.contains("hunter2") } == true)
    }

    @Test(
        "A configuration that cannot work is refused",
        arguments: [
            LedgerConfiguration(sqlite: "/a", postgres: .init(connection: "host=x")),
            LedgerConfiguration(sqlite: "relative"), LedgerConfiguration(postgres: .init(connection: "")),
            LedgerConfiguration(postgres: .init(connection: "host=x", schema: "a\"; DROP SCHEMA b")),
            LedgerConfiguration(postgres: .init(connection: "host=x", schema: "pg_x")),
        ])
    func refusesConfigurations(configuration: LedgerConfiguration) {
        #expect(configuration.validate().count == 1)
    }

    @Test("Texts with quotes, backslashes, commas and braces come back as they were", arguments: TestStore.available)
    func keepsTexts(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        let good = try Sample.connection()
        let text = #"$w.example/"\{NULL},,ä€😀 '; --"#
        let connection = StreamConnection(
            nonce: good.nonce, account: good.account, identifier: text, endpoint: text, creditsHost: true,
            asset: good.asset, expiresAt: good.expiresAt, seed: good.seed)
        try await ledger.open(connection)

        let credit = try await ledger.credit(Sample.proof(1), now: Sample.now)

        #expect(credit.connection == connection)
        #expect(try await ledger.stream(nonce: good.nonce, stream: 1)?.endpoint == text)
        await #expect(throws: LedgerError.unknownLease) {
            try await ledger.settle("\"{}\\\0", spent: 0, now: Sample.now)
        }
    }

    @Test("What expired long ago is forgotten, and its money is not", arguments: TestStore.available)
    func forgets(store: TestStore) async throws {
        let place = try TestLedger(store)
        let ledger = try await place.open()
        try await ledger.open(Sample.connection())
        _ = try await ledger.credit(Sample.proof(5), now: Sample.now)

        _ = try await ledger.expireLeases(now: Sample.now + .seconds(100_000))

        await #expect(throws: LedgerError.unknownNonce) {
            _ = try await ledger.credit(Sample.proof(9), now: Sample.now)
        }
        #expect(try await ledger.balance(of: Sample.account(), terms: Sample.terms()).balance == 5)
        #expect(try await ledger.stream(nonce: Sample.proof(0).nonce, stream: 1)?.total == 5)
        #expect(try await LedgerAudit.run(ledger).problems == [])
    }
}
