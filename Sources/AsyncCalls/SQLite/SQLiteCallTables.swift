import Storage
import Timing

/// The rows of a store of calls in SQLite; of one thread.
///
/// A row is a call that waits or, with `died_at`, one that was put away. Times are microseconds since 1970.
final class SQLiteCallTables {
    /// Tables, version by version.
    static let schema = SQLiteFile.Schema(
        content: "store of calls", alternative: "NATS", applicationID: 0x4661_7243,  // "FarC"
        migrations: [
            """
            CREATE TABLE call (
                number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL,
                name TEXT NOT NULL, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL, bytes INTEGER NOT NULL,
                died_at INTEGER, reason TEXT, envelope BLOB NOT NULL) STRICT;
            CREATE INDEX call_dead ON call (id) WHERE died_at IS NOT NULL;
            CREATE INDEX call_died ON call (number) WHERE died_at IS NOT NULL;
            """
        ])

    /// A call that waits, without its content.
    struct Waiting {
        let number: Int64
        let lane: CallLane
        let due: Timestamp
        let attempts: Int
        let bytes: Int
    }

    private let database: SQLiteConnection
    private let insertStatement: SQLiteStatement
    private let envelopeStatement: SQLiteStatement
    private let postponeStatement: SQLiteStatement
    private let deleteStatement: SQLiteStatement
    private let buryStatement: SQLiteStatement
    private let reviveStatement: SQLiteStatement
    private let dropStatement: SQLiteStatement
    private let pruneStatement: SQLiteStatement
    private let waitingStatement: SQLiteStatement
    private let deadStatement: SQLiteStatement
    private let deadByIDStatement: SQLiteStatement
    private let countDeadStatement: SQLiteStatement
    private let beginStatement: SQLiteStatement
    private let commitStatement: SQLiteStatement
    private let lastStatement: SQLiteStatement

    init(_ database: SQLiteConnection) throws(StoreFailure) {
        self.database = database
        insertStatement = try database.prepare(
            """
            INSERT INTO call (id, kind, namespace, name, due_at, attempts, bytes, envelope)
            VALUES (?, ?, ?, ?, ?, 0, ?, ?)
            """)
        envelopeStatement = try database.prepare("SELECT envelope FROM call WHERE number = ?")
        postponeStatement = try database.prepare("UPDATE call SET due_at = ?, attempts = ? WHERE number = ?")
        deleteStatement = try database.prepare("DELETE FROM call WHERE number = ?")
        buryStatement = try database.prepare(
            "UPDATE call SET died_at = ?, reason = ?, attempts = ? WHERE number = ?")
        reviveStatement = try database.prepare(
            """
            UPDATE call SET died_at = NULL, reason = NULL, attempts = 0, due_at = ?
            WHERE id = ? AND died_at IS NOT NULL RETURNING number, kind, namespace, name, bytes
            """)
        dropStatement = try database.prepare("DELETE FROM call WHERE id = ? AND died_at IS NOT NULL")
        pruneStatement = try database.prepare(
            """
            DELETE FROM call WHERE number IN (SELECT number FROM call WHERE died_at IS NOT NULL
            ORDER BY number DESC LIMIT -1 OFFSET ?)
            """)
        waitingStatement = try database.prepare(
            "SELECT number, kind, namespace, name, due_at, attempts, bytes FROM call WHERE died_at IS NULL")
        let dead = "SELECT number, attempts, died_at, reason, envelope FROM call"
        deadStatement = try database.prepare(
            "\(dead) WHERE died_at IS NOT NULL AND number > ? ORDER BY number LIMIT ?")
        deadByIDStatement = try database.prepare("\(dead) WHERE id = ? AND died_at IS NOT NULL")
        countDeadStatement = try database.prepare("SELECT count(*) FROM call WHERE died_at IS NOT NULL")
        beginStatement = try database.prepare("BEGIN IMMEDIATE")
        commitStatement = try database.prepare("COMMIT")
        lastStatement = try database.prepare("SELECT last_insert_rowid()")
    }

    // MARK: Transactions

    /// Begins a transaction.
    ///
    /// - Parameter isDurable: Whether its commit waits for the disk. Without, what it wrote outlives this process, but not
    ///   a power cut.
    func begin(isDurable: Bool) throws(StoreFailure) {
        try database.execute("PRAGMA synchronous = \(isDurable ? "FULL" : "NORMAL")")
        try beginStatement.run()
    }

    func commit() throws(StoreFailure) {
        try commitStatement.run()
    }

    /// Drops everything since the beginning.
    func rollback() throws(StoreFailure) {
        guard database.isInTransaction else { return }
        try database.execute("ROLLBACK")
    }

    // MARK: Calls that wait

    /// Writes a call and returns its number.
    func insert(_ call: AsyncCall, due: Timestamp) throws(StoreFailure) -> Int64 {
        try insertStatement.run(
            .text(call.id), .text(call.lane.kind.rawValue), .text(call.lane.namespace), .text(call.lane.name),
            .integer(due.microseconds), .integer(Int64(call.storedBytes)), .blob(CallEnvelope.encode(call)))
        guard let number = try lastStatement.first(read: { $0.integer(0) }) else {
            throw StoreFailure("a call has no number")
        }
        return number
    }

    func envelope(_ number: Int64) throws(StoreFailure) -> [UInt8]? {
        try envelopeStatement.first(.integer(number)) { $0.blob(0) }
    }

    func postpone(_ number: Int64, due: Timestamp, attempts: Int) throws(StoreFailure) {
        try postponeStatement.run(.integer(due.microseconds), .integer(Int64(attempts)), .integer(number))
    }

    func delete(_ number: Int64) throws(StoreFailure) {
        try deleteStatement.run(.integer(number))
    }

    func waiting() throws(StoreFailure) -> [Waiting] {
        try waitingStatement.all { (row) throws(StoreFailure) in
            Waiting(
                number: row.integer(0), lane: try Self.lane(row, 1), due: Timestamp(microseconds: row.integer(4)),
                attempts: Int(clamping: row.integer(5)), bytes: Int(clamping: row.integer(6)))
        }
    }

    // MARK: Calls that were put away

    func bury(_ number: Int64, reason: String, attempts: Int, now: Timestamp) throws(StoreFailure) {
        try buryStatement.run(
            .integer(now.microseconds), .text(reason), .integer(Int64(attempts)), .integer(number))
    }

    /// Has calls of this id wait again.
    func revive(_ id: String, due: Timestamp) throws(StoreFailure) -> Waiting? {
        try reviveStatement.all(.integer(due.microseconds), .text(id)) { (row) throws(StoreFailure) in
            Waiting(
                number: row.integer(0), lane: try Self.lane(row, 1), due: due, attempts: 0,
                bytes: Int(clamping: row.integer(4)))
        }.first
    }

    func drop(_ id: String) throws(StoreFailure) -> Bool {
        try dropStatement.run(.text(id))
        return database.changedRows > 0
    }

    /// Forgets all but the newest.
    func prune(keep: Int) throws(StoreFailure) -> Int {
        try pruneStatement.run(.integer(Int64(keep)))
        return database.changedRows
    }

    func dead(after cursor: UInt64?, limit: Int) throws(StoreFailure) -> [DeadCall] {
        try deadStatement.all(.integer(Int64(clamping: cursor ?? 0)), .integer(Int64(limit)), read: Self.dead)
            .compactMap { $0 }
    }

    func dead(id: String) throws(StoreFailure) -> DeadCall? {
        try deadByIDStatement.first(.text(id), read: Self.dead) ?? nil
    }

    func countDead() throws(StoreFailure) -> Int {
        try countDeadStatement.first { Int(clamping: $0.integer(0)) } ?? 0
    }

    private static func dead(_ row: borrowing SQLiteRow) throws(StoreFailure) -> DeadCall? {
        guard let call = try? CallEnvelope.decode(row.blob(4)) else { return nil }
        return DeadCall(
            cursor: row.unsigned(0), call: call, attempts: Int(clamping: row.integer(1)),
            diedAt: Timestamp(microseconds: row.integer(2)), reason: row.text(3))
    }

    private static func lane(_ row: borrowing SQLiteRow, _ column: Int32) throws(StoreFailure) -> CallLane {
        guard let kind = CallLane.Kind(rawValue: row.text(column)) else {
            throw StoreFailure("a call in the store is of no kind that is known")
        }
        return CallLane(kind, namespace: row.text(column + 1), name: row.text(column + 2))
    }
}
