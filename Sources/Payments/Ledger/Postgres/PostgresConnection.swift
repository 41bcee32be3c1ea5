import CPostgres
import Glibc
import Storage

/// One connection to a PostgreSQL server; of one thread, and blocking.
final class PostgresConnection {
    private let pointer: OpaquePointer

    /// Connects.
    ///
    /// - Parameters:
    ///   - information: As libpq has it.
    ///   - password: The password, if it is not in the information or where libpq looks.
    init(_ information: String, password: String?) throws(StoreFailure) {
        // libpq's own message would repeat a part of the text, which may be a password.
        if information.contains("=") || information.contains("://") {
            guard let parsed = PQconninfoParse(information, nil) else {
                throw StoreFailure("PostgreSQL: the connection is not written as libpq wants it")
            }
            PQconninfoFree(parsed)
        }
        // A `dbname` that holds a whole connection string is expanded; what comes after it wins over what is in it.
        var settings = [
            ("dbname", information), ("connect_timeout", "5"), ("application_name", "farebox"),
            ("client_encoding", "UTF8"), ("keepalives_idle", "10"), ("keepalives_interval", "5"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "20000"),
        ]
        if let password { settings.append(("password", password)) }
        var names: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0.0) } + [nil]
        var values: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0.1) } + [nil]
        defer {
            names.forEach { free($0) }
            values.forEach { free($0) }
        }
        let opened = names.withUnsafeMutableBufferPointer { names in
            values.withUnsafeMutableBufferPointer { values in
                names.withMemoryRebound(to: UnsafePointer<CChar>?.self) { names in
                    values.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                        PQconnectdbParams(names.baseAddress, values.baseAddress, 1)
                    }
                }
            }
        }
        guard let opened else { throw StoreFailure("libpq has no memory") }
        guard PQstatus(opened) == CONNECTION_OK else {
            let reason = Self.line(PQerrorMessage(opened))
            PQfinish(opened)
            throw StoreFailure("PostgreSQL: \(reason)")
        }
        pointer = opened
    }

    deinit {
        PQfinish(pointer)
    }

    /// Whether the server was there at the last exchange.
    var isConnected: Bool { PQstatus(pointer) == CONNECTION_OK }

    /// Whether a transaction is open.
    var isInTransaction: Bool { PQtransactionStatus(pointer) != PQTRANS_IDLE }

    /// Runs statements without parameters; several are separated by semicolons, and the rows are the last one's.
    @discardableResult
    func execute(_ sql: String) throws(StoreFailure) -> PostgresRows {
        try PostgresRows(PQexec(pointer, sql), of: self, sql: sql)
    }

    /// Runs one statement with parameters as text; nil is NULL.
    @discardableResult
    func run(_ sql: String, _ parameters: [String?]) throws(StoreFailure) -> PostgresRows {
        let values: [UnsafeMutablePointer<CChar>?] = parameters.map { $0.flatMap { strdup($0) } }
        defer { values.forEach { free($0) } }
        let result = values.withUnsafeBufferPointer { values in
            values.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                PQexecParams(pointer, sql, Int32(values.count), nil, values.baseAddress, nil, nil, 0)
            }
        }
        return try PostgresRows(result, of: self, sql: sql)
    }

    /// What the server says about the last error.
    func failure(_ sql: String) -> StoreFailure {
        StoreFailure("PostgreSQL: \(Self.line(PQerrorMessage(pointer))) (\(sql.prefix(60)))")
    }

    /// The first line of a message.
    private static func line(_ message: UnsafeMutablePointer<CChar>?) -> String {
        guard let message else { return "no reason given" }
        let text = String(cString: message)
        return text.split(separator: "\n").first.map(String.init) ?? "no reason given"
    }
}

/// The rows of an answer, as text.
final class PostgresRows {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer?, of connection: PostgresConnection, sql: String) throws(StoreFailure) {
        guard let pointer else { throw connection.failure(sql) }
        switch PQresultStatus(pointer) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: self.pointer = pointer
        default:
            PQclear(pointer)
            throw connection.failure(sql)
        }
    }

    deinit {
        PQclear(pointer)
    }

    /// How many rows there are.
    var count: Int { Int(PQntuples(pointer)) }

    /// How many rows a statement has changed.
    var changedCount: Int {
        guard let text = PQcmdTuples(pointer) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    func isNull(_ row: Int, _ column: Int32) -> Bool { PQgetisnull(pointer, Int32(row), column) == 1 }

    func text(_ row: Int, _ column: Int32) -> String {
        guard let bytes = PQgetvalue(pointer, Int32(row), column) else { return "" }
        return String(cString: bytes)
    }

    /// A number from 0 to 2^64 − 1.
    func unsigned(_ row: Int, _ column: Int32) throws(StoreFailure) -> UInt64 {
        guard let number = UInt64(text(row, column)) else {
            throw StoreFailure("a row of the ledger has a number that is none: \(text(row, column).prefix(40))")
        }
        return number
    }

    func integer(_ row: Int, _ column: Int32) throws(StoreFailure) -> Int64 {
        guard let number = Int64(text(row, column)) else {
            throw StoreFailure("a row of the ledger has a number that is none: \(text(row, column).prefix(40))")
        }
        return number
    }

    func flag(_ row: Int, _ column: Int32) -> Bool { text(row, column) == "t" }
}
