import CSQLite
import Glibc

/// An SQLite file whose tables have versions: made durably, written by one process at a time, read by any number.
///
/// Write-ahead log with `synchronous=FULL`: a commit returns when the disk has it. A lock beside the file keeps a second
/// process from writing. Of one thread.
public final class SQLiteFile {
    /// What the file is opened for.
    public enum Access: Sendable {
        /// Made when it is not there, and locked.
        case writing
        /// Only if it is there, and not locked.
        case reading
    }

    /// The tables of a file, version by version.
    public struct Schema: Sendable {
        /// What the file holds, for messages: `ledger`.
        public let content: String
        /// What keeps such content for many writers, for messages: `PostgreSQL`.
        public let alternative: String
        /// Marks the file, as `file(1)` and SQLite's `application_id` have it.
        public let applicationID: Int
        /// What makes version n + 1 of version n.
        public let migrations: [String]

        /// Describes tables.
        public init(content: String, alternative: String, applicationID: Int, migrations: [String]) {
            self.content = content
            self.alternative = alternative
            self.applicationID = applicationID
            self.migrations = migrations
        }
    }

    private let path: String
    private let access: Access
    private let schema: Schema
    private var lock: Int32 = -1

    /// Describes a file; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - path: The file, in a folder that exists.
    ///   - access: What it is opened for.
    ///   - schema: Its tables.
    public init(path: String, access: Access, schema: Schema) {
        self.path = path
        self.access = access
        self.schema = schema
    }

    deinit {
        unlock()
    }

    /// Opens a connection; tables are made or brought up to date.
    ///
    /// - Throws: When the file cannot be opened, another process writes to it, or it is of a newer version.
    public func connect() throws(StoreFailure) -> SQLiteConnection {
        if access == .writing { try takeLock() }
        let database = try SQLiteConnection(path: path, create: false)
        try database.execute("PRAGMA trusted_schema = OFF; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY")
        if access == .writing {
            // Before every commit returns, the log is on the disk.
            try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        } else {
            try database.execute("PRAGMA query_only = ON")
        }
        try migrate(database)
        return database
    }

    /// Lets others write; connections must be gone.
    public func unlock() {
        if lock >= 0 { Glibc.close(lock) }
        lock = -1
    }

    /// Makes the file, for us alone since secrets may be in it, and locks it against other writers.
    private func takeLock() throws(StoreFailure) {
        guard lock < 0 else { return }
        let file = Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StoreFailure("\(path) cannot be made: \(String(cString: strerror(errno)))") }
        fsync(file)
        Glibc.close(file)
        syncFolder()
        let lock = Glibc.open(path + ".lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw StoreFailure("\(path).lock cannot be made: \(String(cString: strerror(errno)))")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(lock)
            throw StoreFailure(
                "\(path) is in use by another process; SQLite serves one, \(schema.alternative) serves many")
        }
        self.lock = lock
    }

    /// Makes the file's name as durable as its content.
    private func syncFolder() {
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let folder = Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        Glibc.close(folder)
    }

    private func migrate(_ database: SQLiteConnection) throws(StoreFailure) {
        let latest = schema.migrations.count
        let version = try database.prepare("PRAGMA user_version").first { Int($0.integer(0)) } ?? 0
        guard version <= latest else {
            throw StoreFailure("\(path) was written by a newer farebox (version \(version), known are \(latest))")
        }
        guard version < latest else { return }
        guard access == .writing else { throw StoreFailure("\(path) holds no \(schema.content) of this version") }
        do throws(StoreFailure) {
            try database.execute("BEGIN IMMEDIATE")
            for migration in schema.migrations[version...] { try database.execute(migration) }
            try database.execute(
                "PRAGMA application_id = \(schema.applicationID); PRAGMA user_version = \(latest); COMMIT")
        } catch {
            try? database.execute("ROLLBACK")
            throw error
        }
    }
}
