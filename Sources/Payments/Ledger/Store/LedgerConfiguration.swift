import Storage

/// Where the ledger is kept: an SQLite file for one process, or PostgreSQL for any number of them.
public struct LedgerConfiguration: Codable, Hashable, Sendable {
    /// A PostgreSQL database.
    public struct Postgres: Codable, Hashable, Sendable {
        /// How to reach it, as libpq has it: `host=db dbname=farebox user=farebox sslmode=verify-full`, or a URI.
        public var connection: String
        /// A file with the password; without it libpq looks where it always does.
        public var passwordFile: String?
        /// The schema that holds the tables: lower-case letters, digits and underscores.
        public var schema: String

        /// The schema that is used when none is named.
        public static let schemaDefault = "farebox"

        /// Describes a database.
        public init(connection: String, passwordFile: String? = nil, schema: String = Self.schemaDefault) {
            self.connection = connection
            self.passwordFile = passwordFile
            self.schema = schema
        }

        /// Reads an object; `passwordFile` and `schema` may be absent.
        ///
        /// - Parameter decoder: Where the object is.
        /// - Throws: `DecodingError`.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            connection = try container.decode(String.self, forKey: .connection)
            passwordFile = try container.decodeIfPresent(String.self, forKey: .passwordFile)
            schema = try container.decodeIfPresent(String.self, forKey: .schema) ?? Self.schemaDefault
        }

        private enum CodingKeys: String, CodingKey {
            case connection
            case passwordFile
            case schema
        }
    }

    /// Where the SQLite file is when nothing else is said.
    public static let sqliteDefault = "/var/lib/farebox/ledger/ledger.db"

    /// The SQLite file, in a folder that exists.
    ///
    /// Absent, with no ``postgres`` either, it is ``sqliteDefault``.
    public var sqlite: String?
    /// The PostgreSQL database; not together with ``sqlite``.
    public var postgres: Postgres?

    /// Describes where a ledger is kept.
    public init(sqlite: String? = nil, postgres: Postgres? = nil) {
        self.sqlite = sqlite
        self.postgres = postgres
    }

    /// What is wrong with the configuration, one line each.
    public func validate() -> [String] {
        var problems: [String] = []
        if sqlite != nil, postgres != nil { problems.append("sqlite and postgres exclude each other") }
        if let sqlite, !sqlite.hasPrefix("/") || sqlite.utf8.contains(0) {
            problems.append("sqlite is the path of a file and begins with a slash")
        }
        if let postgres {
            let isName = postgres.schema.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
            if postgres.connection.isEmpty || postgres.connection.utf8.contains(0) {
                problems.append("postgres.connection says how to reach the database")
            }
            if !isName || !(1...63).contains(postgres.schema.utf8.count) || postgres.schema.hasPrefix("pg_") {
                problems.append("postgres.schema has 1 to 63 lower-case letters, digits and underscores")
            }
        }
        return problems
    }
}

extension StoredLedger {
    /// Opens the ledger that a configuration names; tables are made or brought up to date.
    ///
    /// - Throws: `.invalid` when the configuration is wrong; `.unavailable`.
    public static func open(_ configuration: LedgerConfiguration) async throws(LedgerError) -> StoredLedger {
        try await open(configuration, onFault: nil)
    }

    /// Opens a ledger that exists, for reading beside the process that writes.
    ///
    /// - Throws: `.invalid` when the configuration is wrong; `.unavailable`.
    public static func openForReading(
        _ configuration: LedgerConfiguration
    ) async throws(LedgerError) -> StoredLedger {
        try await open(configuration, isReading: true)
    }

    /// Opens a ledger with a hook around its commits.
    package static func open(
        _ configuration: LedgerConfiguration, isReading: Bool = false, waitingMaximum: Int = waitingMaximum,
        onFault: (@Sendable (LedgerFaultPoint) -> Void)? = nil
    ) async throws(LedgerError) -> StoredLedger {
        let problems = configuration.validate()
        guard problems.isEmpty else { throw .invalid(problems.joined(separator: "; ")) }
        return try await StoredLedger(waitingMaximum: waitingMaximum, onFault: onFault) {
            if let postgres = configuration.postgres { return PostgresStore(postgres, isReading: isReading) }
            return SQLiteStore(
                path: configuration.sqlite ?? LedgerConfiguration.sqliteDefault,
                access: isReading ? .reading : .writing)
        }
    }
}
