import CSQLite

/// A compiled statement; bound, stepped, and used again.
public final class SQLiteStatement {
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
    public enum Value {
        /// A signed number.
        case integer(Int64)
        /// All 64 bits of a number, which SQLite shows as a negative one from 2^63.
        case unsigned(UInt64)
        /// Text in UTF-8.
        case text(String)
        /// Bytes.
        case blob([UInt8])
        /// Nothing.
        case null

        /// Text, or nothing.
        public static func text(_ text: String?) -> Value {
            guard let text else { return .null }
            return .text(text)
        }
    }

    /// Runs the statement with these values and wants no row.
    public func run(_ values: Value...) throws(StoreFailure) {
        try bind(values)
        defer { reset() }
        while try step() {}
    }

    /// Runs the statement and reads its first row.
    public func first<R>(
        _ values: Value..., read: (borrowing SQLiteRow) throws(StoreFailure) -> R
    ) throws(StoreFailure) -> R? {
        try bind(values)
        defer { reset() }
        return try step() ? try read(SQLiteRow(pointer)) : nil
    }

    /// Runs the statement and reads every row.
    public func all<R>(
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
