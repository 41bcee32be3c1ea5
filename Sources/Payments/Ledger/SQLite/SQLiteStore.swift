import Storage
import Timing

/// A ledger in one SQLite file, written by one process.
///
/// Write-ahead log with `synchronous=FULL`: a commit returns when the disk has it. A lock beside the file keeps a second
/// process from writing; readers, such as `farebox ledger check`, come in at any time.
final class SQLiteStore: LedgerStore {
    private let path: String
    private let file: SQLiteFile
    private var database: SQLiteConnection?
    private var statements: SQLiteStatements?

    init(path: String, access: SQLiteFile.Access) {
        self.path = path
        file = SQLiteFile(path: path, access: access, schema: SQLiteSchema.tables)
    }

    func open() throws(StoreFailure) {
        _ = try connected()
    }

    func close() {
        statements = nil
        database = nil
        file.unlock()
    }

    // MARK: Transactions

    func begin() throws(StoreFailure) -> LedgerHead {
        let statements = try connected()
        try statements.begin.run()
        return try head()
    }

    func beginReading() throws(StoreFailure) {
        try connected().beginReading.run()
    }

    func commit() throws(StoreFailure) {
        try connected().commit.run()
    }

    func rollback() {
        guard let database, database.isInTransaction else { return }
        do throws(StoreFailure) {
            try database.execute("ROLLBACK")
        } catch {
            // The next transaction opens the file anew, which recovers what was durable.
            statements = nil
            self.database = nil
        }
    }

    func head() throws(StoreFailure) -> LedgerHead {
        let head = try connected().head.first { row in
            LedgerHead(
                sequence: row.unsigned(0), hash: row.blob(1), revision: row.unsigned(2), connections: row.unsigned(3))
        }
        guard let head else { throw StoreFailure("the ledger \(path) has lost its head") }
        return head
    }

    // MARK: The book's rows

    func load(_ keys: LedgerKeys, into book: inout LedgerBook) throws(StoreFailure) {
        let statements = try connected()
        for nonce in keys.nonces {
            if let connection = try statements.connection.first(.blob(nonce), read: Self.connection) {
                book.insert(connection)
            }
        }
        for key in keys.claims {
            let rail = SQLiteStatement.Value.text(key.rail.description)
            if let claim = try statements.claim.first(rail, .blob(key.key), read: Self.claim) {
                book.insert(claim, key)
            }
        }
        for id in keys.leases {
            if let lease = try statements.lease.first(.text(id), read: Self.lease) { book.insert(lease) }
        }
        for key in keys.accounts {
            let state = try statements.account.first(
                .text(key.account.name), .text(key.asset.code), .integer(Int64(key.asset.scale)), read: Self.account)
            if let state { book.insert(state, key) }
        }
    }

    func save(_ book: LedgerBook) throws(StoreFailure) {
        let statements = try connected()
        for nonce in book.changes.openedNonces {
            if let connection = book.connections[nonce] { try save(connection, statements.insertConnection) }
        }
        for key in book.changes.accounts {
            if let account = book.accounts[key] { try save(account, key, statements.saveAccount) }
        }
        for key in book.changes.claims {
            if let claim = book.claims[key] { try save(claim, key, statements.saveClaim) }
        }
        for id in book.changes.leases {
            if let lease = book.leases[id] { try save(lease, statements.saveLease) }
        }
        for entry in book.changes.entries { try append(entry, statements.insertEntry) }
        let head = book.head
        try statements.saveHead.run(
            .unsigned(head.sequence), .blob(head.hash), .unsigned(head.revision), .unsigned(head.connections))
    }

    // MARK: Streams, seeds, expiry

    func streams(changedAfter cursor: UInt64, limit: Int) throws(StoreFailure) -> [StreamRecord] {
        try connected().streams.all(.unsigned(cursor), .integer(Int64(limit)), read: Self.keyedClaim)
            .compactMap { StreamRecord($0.0, $0.1) }
    }

    func stream(_ key: ClaimKey) throws(StoreFailure) -> StreamRecord? {
        let claim = try connected().claim.first(.text(key.rail.description), .blob(key.key), read: Self.claim)
        return claim.flatMap { StreamRecord(key, $0) }
    }

    func seeds() throws(StoreFailure) -> [ReceiptSeed] {
        try connected().seeds.all { row in ReceiptSeed(bytes: row.blob(0), createdAt: row.time(1)) }
    }

    func addSeed(_ seed: ReceiptSeed, keep: Int) throws(StoreFailure) {
        let statements = try connected()
        try statements.insertSeed.run(.blob(seed.bytes), .integer(seed.createdAt.microsecondsSinceEpoch))
        try statements.pruneSeeds.run(.integer(Int64(keep)))
    }

    func expiredLeases(at now: Timestamp, limit: Int) throws(StoreFailure) -> [String] {
        try connected().expiredLeases.all(.integer(now.microsecondsSinceEpoch), .integer(Int64(limit))) { $0.text(0) }
    }

    func prune(before then: Timestamp, limit: Int) throws(StoreFailure) -> Int {
        let statements = try connected()
        let (time, limit) = (then.microsecondsSinceEpoch, Int64(limit))
        try statements.pruneLeases.run(.integer(time), .integer(limit))
        let leases = database?.changedRows ?? 0
        try statements.pruneConnections.run(.integer(time), .integer(limit))
        let connections = database?.changedRows ?? 0
        if connections > 0 { try statements.countConnections.run(.integer(Int64(connections))) }
        return leases + connections
    }

    // MARK: Reading everything

    func entries(after sequence: UInt64, limit: Int) throws(StoreFailure) -> [LedgerEntry] {
        try connected().entries.all(.unsigned(sequence), .integer(Int64(limit)), read: Self.entry)
    }

    func accounts(after key: AccountKey?, limit: Int) throws(StoreFailure) -> [(AccountKey, CallAccount)] {
        try connected().accounts.all(
            .text(key?.account.name ?? ""), .text(key?.asset.code ?? ""), .integer(Int64(key?.asset.scale ?? 0)),
            .integer(Int64(limit))
        ) { (row) throws(StoreFailure) in
            (AccountKey(account: try row.account(14), asset: try row.asset(15, 16)), try Self.account(row))
        }
    }

    func claims(after key: ClaimKey?, limit: Int) throws(StoreFailure) -> [(ClaimKey, StoredClaim)] {
        try connected().claims.all(
            .text(key?.rail.description ?? ""), .blob(key?.key ?? []), .integer(Int64(limit)), read: Self.keyedClaim)
    }

    func openLeases(after id: String, limit: Int) throws(StoreFailure) -> [StoredLease] {
        try connected().openLeases.all(.text(id), .integer(Int64(limit)), read: Self.lease)
    }

    /// The value of a setting of the open file.
    func pragma(_ name: String) throws(StoreFailure) -> String? {
        _ = try connected()
        return try database?.prepare("PRAGMA \(name)").first { $0.text(0) }
    }

    // MARK: Opening

    /// The statements of an open database; opens it when it is not.
    private func connected() throws(StoreFailure) -> SQLiteStatements {
        if let statements { return statements }
        let database = try file.connect()
        let statements = try SQLiteStatements(database)
        self.database = database
        self.statements = statements
        return statements
    }
}
