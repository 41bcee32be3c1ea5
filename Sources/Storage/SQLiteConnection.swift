import CSQLite

/// One connection to an SQLite file; of one thread.
public final class SQLiteConnection {
    private let pointer: OpaquePointer

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - create: Whether to make it when it is not there.
    /// - Throws: When the file is not there or is no database.
    public init(path: String, create: Bool) throws(StoreFailure) {
        var pointer: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0)
        let code = sqlite3_open_v2(path, &pointer, flags, nil)
        guard code == SQLITE_OK, let pointer else {
            let reason = String(cString: sqlite3_errstr(code))
            sqlite3_close_v2(pointer)
            throw StoreFailure("\(path) cannot be opened: \(reason)")
        }
        self.pointer = pointer
        sqlite3_extended_result_codes(pointer, 1)
        sqlite3_busy_timeout(pointer, 5000)
    }

    deinit {
        sqlite3_close_v2(pointer)
    }

    /// Whether a transaction is open.
    public var isInTransaction: Bool { sqlite3_get_autocommit(pointer) == 0 }

    /// Rows that the last statement changed.
    public var changedRows: Int { Int(sqlite3_changes(pointer)) }

    /// Runs statements whose rows nobody wants.
    public func execute(_ sql: String) throws(StoreFailure) {
        guard sqlite3_exec(pointer, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
    }

    /// Compiles a statement for many uses.
    public func prepare(_ sql: String) throws(StoreFailure) -> SQLiteStatement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(pointer, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw failure(sql) }
        return SQLiteStatement(statement, of: self, sql: sql)
    }

    /// What the library says about the last error, with the beginning of the statement.
    func failure(_ sql: String) -> StoreFailure {
        StoreFailure("SQLite: \(String(cString: sqlite3_errmsg(pointer))) (\(sql.prefix(60)))")
    }
}
