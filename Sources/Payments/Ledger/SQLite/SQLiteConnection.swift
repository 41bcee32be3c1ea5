import CSQLite
import Timing

/// One connection to an SQLite file; of one thread.
final class SQLiteConnection {
    private let pointer: OpaquePointer

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - create: Whether to make it when it is not there.
    init(path: String, create: Bool) throws(StoreFailure) {
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
    var isInTransaction: Bool { sqlite3_get_autocommit(pointer) == 0 }

    /// Rows that the last statement changed.
    var changedRows: Int { Int(sqlite3_changes(pointer)) }

    /// Runs statements whose rows nobody wants.
    func execute(_ sql: String) throws(StoreFailure) {
        guard sqlite3_exec(pointer, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
    }

    /// Compiles a statement for many uses.
    func prepare(_ sql: String) throws(StoreFailure) -> SQLiteStatement {
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

/// A compiled statement; bound, stepped, and used again.
final class SQLiteStatement {
    private let pointer: OpaquePointer
    private let connection: SQLiteConnection
    private let sql: String

    init(_ pointer: OpaquePointer, of connection: SQLiteConnection, sql: String) {
        self.pointer = pointer
        self.connection = connection
        self.sql = sql
    }

    deinit {
        sqlite3_finalize(pointer)
    }

    /// A value of a row.
    enum Value {
        case integer(Int64)
        /// All 64 bits of a number, which SQLite shows as a negative one from 2^63.
        case unsigned(UInt64)
        case text(String)
        case blob([UInt8])
        case null

        static func text(_ text: String?) -> Value {
            guard let text else { return .null }
            return .text(text)
        }
    }

    /// Runs the statement with these values and wants no row.
    func run(_ values: Value...) throws(StoreFailure) {
        try bind(values)
        defer { reset() }
        while try step() {}
    }

    /// Runs the statement and reads its first row.
    func first<R>(
        _ values: Value..., read: (borrowing SQLiteRow) throws(StoreFailure) -> R
    ) throws(StoreFailure) -> R? {
        try bind(values)
        defer { reset() }
        return try step() ? try read(SQLiteRow(pointer)) : nil
    }

    /// Runs the statement and reads every row.
    func all<R>(
        _ values: Value..., read: (borrowing SQLiteRow) throws(StoreFailure) -> R
    ) throws(StoreFailure) -> [R] {
        try bind(values)
        defer { reset() }
        var rows: [R] = []
        while try step() { rows.append(try read(SQLiteRow(pointer))) }
        return rows
    }

    private func bind(_ values: [Value]) throws(StoreFailure) {
        for (index, value) in values.enumerated() {
            let position = Int32(index + 1)
            let code: Int32
            switch value {
            case .integer(let number): code = sqlite3_bind_int64(pointer, position, number)
            case .unsigned(let number): code = sqlite3_bind_int64(pointer, position, Int64(bitPattern: number))
            case .text(var text):
                code = text.withUTF8 { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { characters in
                        sqlite_bind_text_copied(pointer, position, characters.baseAddress, Int32(characters.count))
                    }
                }
            case .blob(let bytes): code = sqlite_bind_blob_copied(pointer, position, bytes, Int32(bytes.count))
            case .null: code = sqlite3_bind_null(pointer, position)
            }
            guard code == SQLITE_OK else { throw connection.failure(sql) }
        }
    }

    private func step() throws(StoreFailure) -> Bool {
        switch sqlite3_step(pointer) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw connection.failure(sql)
        }
    }

    private func reset() {
        sqlite3_reset(pointer)
    }
}

/// The row a statement stands on.
struct SQLiteRow: ~Copyable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(pointer, column) }

    func unsigned(_ column: Int32) -> UInt64 { UInt64(bitPattern: integer(column)) }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(pointer, column) == SQLITE_NULL }

    func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(pointer, column) else { return "" }
        let count = Int(sqlite3_column_bytes(pointer, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    func blob(_ column: Int32) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(pointer, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(pointer, column))))
    }

    func time(_ column: Int32) -> Timestamp {
        Timestamp(microsecondsSinceEpoch: integer(column))
    }

    func asset(_ code: Int32, _ scale: Int32) throws(StoreFailure) -> Asset {
        guard let scale = UInt8(exactly: integer(scale)), let asset = Asset(code: text(code), scale: scale) else {
            throw StoreFailure("a row of the ledger has an asset that is none")
        }
        return asset
    }

    func account(_ column: Int32) throws(StoreFailure) -> PaymentAccount {
        guard let account = PaymentAccount(name: text(column)) else {
            throw StoreFailure("a row of the ledger has an account that is none")
        }
        return account
    }
}
