import Glibc
import Storage
import Timing

/// A ledger in PostgreSQL, written by any number of processes.
///
/// A transaction begins by locking the one row that says where the ledger stands, so that writers follow one another: no call
/// can be sold twice, entries form one chain, and no two transactions wait for each other in a circle. What that costs in
/// concurrency, group commit gives back.
final class PostgresStore: LedgerStore {
    private let configuration: LedgerConfiguration.Postgres
    private let isReading: Bool
    private var database: PostgresConnection?

    private static let headSQL = "SELECT sequence, hash, revision, connections FROM head WHERE id = 1"
    private static let passwordBytesMaximum = 4096

    init(_ configuration: LedgerConfiguration.Postgres, isReading: Bool) {
        self.configuration = configuration
        self.isReading = isReading
    }

    func open() throws(StoreFailure) {
        _ = try connected()
    }

    func close() {
        database = nil
    }

    // MARK: Transactions

    func begin() throws(StoreFailure) -> LedgerHead {
        let sql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \(Self.headSQL) FOR UPDATE"
        return try Self.head(started(sql))
    }

    func beginReading() throws(StoreFailure) {
        _ = try started("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    func commit() throws(StoreFailure) {
        try connected().execute("COMMIT")
    }

    func rollback() {
        guard let database else { return }
        guard database.isConnected else {
            self.database = nil
            return
        }
        guard database.isInTransaction else { return }
        do throws(StoreFailure) {
            try database.execute("ROLLBACK")
        } catch {
            self.database = nil
        }
    }

    func head() throws(StoreFailure) -> LedgerHead {
        try Self.head(connected().execute(Self.headSQL))
    }

    /// Begins a transaction; a connection that broke while nobody used it is made anew, since nothing was done on it.
    private func started(_ sql: String) throws(StoreFailure) -> PostgresRows {
        let database = try connected()
        do throws(StoreFailure) {
            return try database.execute(sql)
        } catch {
            guard !database.isConnected else { throw error }
            self.database = nil
            return try connected().execute(sql)
        }
    }

    // MARK: The book's rows

    func load(_ keys: LedgerKeys, into book: inout LedgerBook) throws(StoreFailure) {
        let database = try connected()
        if !keys.nonces.isEmpty {
            let nonces = keys.nonces.map { [PostgresArray.bytes($0)] as [String?] }
            let rows = try database.run(
                "SELECT \(PostgresTable.connection.columnList) FROM connection WHERE nonce = ANY ($1::bytea[])",
                PostgresTable.arrays(nonces, columns: 1))
            for row in 0..<rows.count { book.insert(try Self.connection(rows, row)) }
        }
        if !keys.claims.isEmpty {
            let claims = keys.claims.map { [$0.rail.description, PostgresArray.bytes($0.key)] as [String?] }
            let rows = try database.run(
                """
                SELECT \(PostgresTable.claim.qualifiedColumnList) FROM claim
                JOIN unnest($1::text[], $2::bytea[]) AS wanted (rail, key) ON (claim.rail, claim.key) = (wanted.rail, wanted.key)
                """, PostgresTable.arrays(claims, columns: 2))
            for row in 0..<rows.count {
                let (key, claim) = try Self.claim(rows, row)
                book.insert(claim, key)
            }
        }
        if !keys.leases.isEmpty {
            let leases = keys.leases.filter { !$0.utf8.contains(0) }.map { [$0] as [String?] }
            let rows = try database.run(
                "SELECT \(PostgresTable.lease.columnList) FROM lease WHERE id = ANY ($1::text[])",
                PostgresTable.arrays(leases, columns: 1))
            for row in 0..<rows.count { book.insert(try Self.lease(rows, row)) }
        }
        try loadAccounts(keys.accounts, into: &book, database)
    }

    private func loadAccounts(
        _ keys: Set<AccountKey>, into book: inout LedgerBook, _ database: PostgresConnection
    ) throws(StoreFailure) {
        guard !keys.isEmpty else { return }
        let accounts = keys.map { [$0.account.name, $0.asset.code, String($0.asset.scale)] as [String?] }
        let rows = try database.run(
            """
            SELECT \(PostgresTable.account.qualifiedColumnList) FROM account
            JOIN unnest($1::text[], $2::text[], $3::smallint[]) AS wanted (name, asset_code, asset_scale)
            ON (account.name, account.asset_code, account.asset_scale)
                = (wanted.name, wanted.asset_code, wanted.asset_scale)
            """, PostgresTable.arrays(accounts, columns: 3))
        for row in 0..<rows.count {
            let (key, account) = try Self.account(rows, row)
            book.insert(account, key)
        }
    }

    func save(_ book: LedgerBook) throws(StoreFailure) {
        let changes = book.changes
        try write(
            .connection, updating: nil,
            changes.openedNonces.compactMap { book.connections[$0].map(Self.values) })
        try write(
            .account, updating: PostgresTable.account.contents,
            changes.accounts.compactMap { key in book.accounts[key].map { Self.values(key, $0) } })
        try write(
            .claim, updating: ["total", "changed_at", "revision"],
            changes.claims.compactMap { key in book.claims[key].map { Self.values(key, $0) } })
        try write(
            .lease, updating: ["state", "spent", "successor"],
            changes.leases.compactMap { book.leases[$0].map(Self.values) })
        try write(.entry, updating: nil, changes.entries.map(Self.values))
        let head = book.head
        try connected().run(
            "UPDATE head SET sequence = $1, hash = $2, revision = $3, connections = $4",
            [
                String(head.sequence), PostgresArray.bytes(head.hash), String(head.revision), String(head.connections),
            ])
    }

    private func write(_ table: PostgresTable, updating updates: [String]?, _ rows: [[String?]]) throws(StoreFailure) {
        guard !rows.isEmpty else { return }
        try connected().run(
            table.insert(updating: updates), PostgresTable.arrays(rows, columns: table.columns.count))
    }

    // MARK: Streams, seeds, expiry

    func streams(changedAfter cursor: UInt64, limit: Int) throws(StoreFailure) -> [StreamRecord] {
        let rows = try connected().run(
            """
            SELECT \(PostgresTable.claim.columnList) FROM claim WHERE revision > $1 AND rail = 'stream'
            ORDER BY revision LIMIT $2
            """, [String(cursor), String(limit)])
        return try Self.all(rows, Self.claim).compactMap { StreamRecord($0.0, $0.1) }
    }

    func stream(_ key: ClaimKey) throws(StoreFailure) -> StreamRecord? {
        let rows = try connected().run(
            "SELECT \(PostgresTable.claim.columnList) FROM claim WHERE rail = $1 AND key = $2",
            [key.rail.description, PostgresArray.bytes(key.key)])
        return try Self.all(rows, Self.claim).first.flatMap { StreamRecord($0.0, $0.1) }
    }

    func seeds() throws(StoreFailure) -> [ReceiptSeed] {
        let rows = try connected().execute("SELECT bytes, created_at FROM seed ORDER BY position DESC")
        return try Self.all(rows) { (rows, row) throws(StoreFailure) in
            ReceiptSeed(bytes: try Self.bytes(rows, row, 0), createdAt: try Self.time(rows, row, 1))
        }
    }

    func addSeed(_ seed: ReceiptSeed, keep: Int) throws(StoreFailure) {
        try connected().run(
            "INSERT INTO seed (bytes, created_at) VALUES ($1, $2)",
            [PostgresArray.bytes(seed.bytes), String(seed.createdAt.microsecondsSinceEpoch)])
        try connected().run(
            "DELETE FROM seed WHERE position NOT IN (SELECT position FROM seed ORDER BY position DESC LIMIT $1)",
            [String(keep)])
    }

    func expiredLeases(at now: Timestamp, limit: Int) throws(StoreFailure) -> [String] {
        let rows = try connected().run(
            "SELECT id FROM lease WHERE state = 'open' AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
            [String(now.microsecondsSinceEpoch), String(limit)])
        return (0..<rows.count).map { rows.text($0, 0) }
    }

    func prune(before then: Timestamp, limit: Int) throws(StoreFailure) -> Int {
        let parameters: [String?] = [String(then.microsecondsSinceEpoch), String(limit)]
        let leases = try connected().run(
            """
            DELETE FROM lease WHERE id IN
            (SELECT id FROM lease WHERE state IN ('settled', 'expired') AND expires_at < $1 LIMIT $2)
            """, parameters
        ).changedCount
        let connections = try connected().run(
            "DELETE FROM connection WHERE nonce IN (SELECT nonce FROM connection WHERE expires_at < $1 LIMIT $2)",
            parameters
        ).changedCount
        if connections > 0 {
            try connected().run("UPDATE head SET connections = greatest(0, connections - $1)", [String(connections)])
        }
        return leases + connections
    }

    // MARK: Reading everything

    func entries(after sequence: UInt64, limit: Int) throws(StoreFailure) -> [LedgerEntry] {
        let rows = try connected().run(
            "SELECT \(PostgresTable.entry.columnList) FROM entry WHERE sequence > $1 ORDER BY sequence LIMIT $2",
            [String(sequence), String(limit)])
        return try Self.all(rows, Self.entry)
    }

    func accounts(after key: AccountKey?, limit: Int) throws(StoreFailure) -> [(AccountKey, CallAccount)] {
        let rows = try connected().run(
            """
            SELECT \(PostgresTable.account.columnList) FROM account
            WHERE (name, asset_code, asset_scale) > ($1, $2, $3) ORDER BY name, asset_code, asset_scale LIMIT $4
            """,
            [key?.account.name ?? "", key?.asset.code ?? "", String(key?.asset.scale ?? 0), String(limit)])
        return try Self.all(rows, Self.account)
    }

    func claims(after key: ClaimKey?, limit: Int) throws(StoreFailure) -> [(ClaimKey, StoredClaim)] {
        let rows = try connected().run(
            """
            SELECT \(PostgresTable.claim.columnList) FROM claim WHERE (rail, key) > ($1, $2) ORDER BY rail, key
            LIMIT $3
            """, [key?.rail.description ?? "", PostgresArray.bytes(key?.key ?? []), String(limit)])
        return try Self.all(rows, Self.claim)
    }

    func openLeases(after id: String, limit: Int) throws(StoreFailure) -> [StoredLease] {
        let rows = try connected().run(
            "SELECT \(PostgresTable.lease.columnList) FROM lease WHERE id > $1 AND state = 'open' ORDER BY id LIMIT $2",
            [id, String(limit)])
        return try Self.all(rows, Self.lease)
    }

    /// The server's process for our session.
    func processIdentifier() throws(StoreFailure) -> Int64 {
        try connected().execute("SELECT pg_backend_pid()").integer(0, 0)
    }

    // MARK: Opening

    /// The open connection; connects when there is none.
    private func connected() throws(StoreFailure) -> PostgresConnection {
        if let database { return database }
        let database = try PostgresConnection(configuration.connection, password: try password())
        // A replica that hangs in a transaction holds all others up, but not for longer than this.
        try database.execute(
            """
            SET search_path TO "\(configuration.schema)"; SET statement_timeout TO '30s'; SET lock_timeout TO '20s';
            SET idle_in_transaction_session_timeout TO '30s'; SET client_min_messages TO warning;
            SET bytea_output TO hex; SET standard_conforming_strings TO on;
            SELECT set_config('synchronous_commit', 'on', false)
            WHERE current_setting('synchronous_commit') IN ('off', 'local')
            """)
        try migrate(database)
        self.database = database
        return database
    }

    private func password() throws(StoreFailure) -> String? {
        guard let path = configuration.passwordFile else { return nil }
        guard let file = fopen(path, "re") else { throw StoreFailure("the password file \(path) cannot be read") }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Self.passwordBytesMaximum)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        return text.last?.isNewline == true ? String(text.dropLast()) : text
    }

    /// Makes the tables; replicas that start together do it one after the other.
    private func migrate(_ database: PostgresConnection) throws(StoreFailure) {
        let latest = PostgresSchema.migrations.count
        guard !isReading else {
            guard try version(database) == latest else { throw StoreFailure("there is no ledger of this version") }
            return
        }
        guard try version(database) != latest else { return }
        try database.execute("BEGIN; SELECT pg_advisory_xact_lock(\(PostgresSchema.advisoryLock))")
        do throws(StoreFailure) {
            let found = try version(database)
            guard found <= latest else {
                throw StoreFailure("the ledger was written by a newer farebox (version \(found), known are \(latest))")
            }
            if found == 0 {
                let exists = try database.run("SELECT FROM pg_namespace WHERE nspname = $1", [configuration.schema])
                if exists.count == 0 { try database.execute("CREATE SCHEMA \"\(configuration.schema)\"") }
                try database.execute("CREATE TABLE version (version integer NOT NULL); INSERT INTO version VALUES (0)")
            }
            for migration in PostgresSchema.migrations[found...] { try database.execute(migration) }
            try database.execute("UPDATE version SET version = \(latest); COMMIT")
        } catch {
            _ = try? database.execute("ROLLBACK")
            throw error
        }
    }

    /// The version of the tables that are there; 0 when there are none.
    private func version(_ database: PostgresConnection) throws(StoreFailure) -> Int {
        let table = try database.run(
            "SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'version'", [configuration.schema])
        guard table.count > 0 else { return 0 }
        let rows = try database.execute("SELECT version FROM version")
        guard rows.count == 1 else { throw StoreFailure("the ledger has lost its version") }
        return Int(clamping: try rows.integer(0, 0))
    }
}
