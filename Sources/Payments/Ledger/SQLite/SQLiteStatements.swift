import Storage

/// Every statement of the store, compiled once per connection.
struct SQLiteStatements {
    let begin: SQLiteStatement
    let beginReading: SQLiteStatement
    let commit: SQLiteStatement
    let head: SQLiteStatement
    let saveHead: SQLiteStatement
    let connection: SQLiteStatement
    let insertConnection: SQLiteStatement
    let claim: SQLiteStatement
    let saveClaim: SQLiteStatement
    let account: SQLiteStatement
    let saveAccount: SQLiteStatement
    let lease: SQLiteStatement
    let saveLease: SQLiteStatement
    let insertEntry: SQLiteStatement
    let streams: SQLiteStatement
    let seeds: SQLiteStatement
    let insertSeed: SQLiteStatement
    let pruneSeeds: SQLiteStatement
    let expiredLeases: SQLiteStatement
    let pruneLeases: SQLiteStatement
    let pruneConnections: SQLiteStatement
    let countConnections: SQLiteStatement
    let entries: SQLiteStatement
    let accounts: SQLiteStatement
    let claims: SQLiteStatement
    let openLeases: SQLiteStatement

    private static let accountColumns = """
        price_amount, price_calls, epoch, balance, prepaid, unpaid_calls, sold_calls, leased_calls,
        older_calls, older_uncovered, older_held, older_prepaid, older_amount, older_per
        """
    private static let claimColumns = """
        total, account, asset_code, asset_scale, is_credited, endpoint, changed_at, revision
        """
    private static let connectionColumns = """
        nonce, account, identifier, endpoint, credits_host, asset_code, asset_scale, expires_at, seed
        """
    private static let leaseColumns = """
        id, account, asset_code, asset_scale, holder, calls, price_amount, price_calls, epoch, expires_at, state, spent,
        successor
        """
    private static let entryColumns = """
        sequence, time, kind, debit, credit, asset_code, asset_scale, amount, calls, rail, key, total, lease, hash
        """

    init(_ database: SQLiteConnection) throws(StoreFailure) {
        begin = try database.prepare("BEGIN IMMEDIATE")
        beginReading = try database.prepare("BEGIN")
        commit = try database.prepare("COMMIT")
        head = try database.prepare("SELECT sequence, hash, revision, connections FROM head")
        saveHead = try database.prepare("UPDATE head SET sequence = ?, hash = ?, revision = ?, connections = ?")
        connection = try database.prepare("SELECT \(Self.connectionColumns) FROM connection WHERE nonce = ?")
        insertConnection = try database.prepare(
            "INSERT INTO connection (\(Self.connectionColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        claim = try database.prepare("SELECT \(Self.claimColumns) FROM claim WHERE rail = ? AND key = ?")
        saveClaim = try database.prepare(
            """
            INSERT INTO claim (rail, key, \(Self.claimColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (rail, key) DO UPDATE
            SET total = excluded.total, changed_at = excluded.changed_at, revision = excluded.revision
            """)
        account = try database.prepare(
            "SELECT \(Self.accountColumns) FROM account WHERE name = ? AND asset_code = ? AND asset_scale = ?")
        saveAccount = try database.prepare(
            """
            INSERT OR REPLACE INTO account (\(Self.accountColumns), name, asset_code, asset_scale)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        lease = try database.prepare("SELECT \(Self.leaseColumns) FROM lease WHERE id = ?")
        saveLease = try database.prepare(
            """
            INSERT OR REPLACE INTO lease (\(Self.leaseColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        insertEntry = try database.prepare(
            "INSERT INTO entry (\(Self.entryColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        streams = try database.prepare(
            """
            SELECT \(Self.claimColumns), rail, key FROM claim WHERE revision > ? AND rail = 'stream'
            ORDER BY revision LIMIT ?
            """)
        seeds = try database.prepare("SELECT bytes, created_at FROM seed ORDER BY position DESC")
        insertSeed = try database.prepare("INSERT INTO seed (bytes, created_at) VALUES (?, ?)")
        pruneSeeds = try database.prepare(
            "DELETE FROM seed WHERE position NOT IN (SELECT position FROM seed ORDER BY position DESC LIMIT ?)")
        expiredLeases = try database.prepare(
            "SELECT id FROM lease WHERE state = 'open' AND expires_at <= ? ORDER BY expires_at LIMIT ?")
        pruneLeases = try database.prepare(
            """
            DELETE FROM lease WHERE id IN
            (SELECT id FROM lease WHERE state IN ('settled', 'expired') AND expires_at < ? LIMIT ?)
            """)
        pruneConnections = try database.prepare(
            "DELETE FROM connection WHERE nonce IN (SELECT nonce FROM connection WHERE expires_at < ? LIMIT ?)")
        countConnections = try database.prepare("UPDATE head SET connections = max(0, connections - ?)")
        entries = try database.prepare(
            "SELECT \(Self.entryColumns) FROM entry WHERE sequence > ? ORDER BY sequence LIMIT ?")
        accounts = try database.prepare(
            """
            SELECT \(Self.accountColumns), name, asset_code, asset_scale FROM account
            WHERE (name, asset_code, asset_scale) > (?, ?, ?) ORDER BY name, asset_code, asset_scale LIMIT ?
            """)
        claims = try database.prepare(
            """
            SELECT \(Self.claimColumns), rail, key FROM claim WHERE (rail, key) > (?, ?) ORDER BY rail, key LIMIT ?
            """)
        openLeases = try database.prepare(
            "SELECT \(Self.leaseColumns) FROM lease WHERE id > ? AND state = 'open' ORDER BY id LIMIT ?")
    }
}
