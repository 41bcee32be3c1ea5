/// A table whose rows are read and written many at a time.
struct PostgresTable {
    let name: String
    /// Names and types, in the order of the rows' values.
    let columns: [(name: String, type: String)]
    /// The primary key.
    let key: [String]

    var columnList: String { columns.map(\.name).joined(separator: ", ") }

    /// The columns of the table itself, where a query joins others.
    var qualifiedColumnList: String { columns.map { name + "." + $0.name }.joined(separator: ", ") }

    /// Inserts rows, one array per column; rows whose key exists are changed, if they are to be.
    ///
    /// - Parameter updates: The columns that change; nil when every row is new.
    func insert(updating updates: [String]?) -> String {
        let arrays = columns.enumerated().map { "$\($0.offset + 1)::\($0.element.type)[]" }.joined(separator: ", ")
        let insert = "INSERT INTO \(name) (\(columnList)) SELECT * FROM unnest(\(arrays))"
        guard let updates else { return insert }
        let changes = updates.map { "\($0) = EXCLUDED.\($0)" }.joined(separator: ", ")
        return insert + " ON CONFLICT (\(key.joined(separator: ", "))) DO UPDATE SET \(changes)"
    }

    /// All columns but the key.
    var contents: [String] { columns.map(\.name).filter { !key.contains($0) } }

    /// One array per column.
    ///
    /// - Parameter rows: Values as text, as many as there are columns.
    static func arrays(_ rows: [[String?]], columns count: Int) -> [String?] {
        var arrays = [PostgresArray](repeating: PostgresArray(), count: count)
        for row in rows {
            precondition(row.count == count, "a row has as many values as its table has columns")
            for (index, value) in row.enumerated() { arrays[index].append(value) }
        }
        return arrays.map(\.text)
    }

    static let entry = PostgresTable(
        name: "entry",
        columns: [
            ("sequence", "numeric"), ("time", "bigint"), ("kind", "text"), ("debit", "text"), ("credit", "text"),
            ("asset_code", "text"), ("asset_scale", "smallint"), ("amount", "numeric"), ("calls", "numeric"),
            ("rail", "text"), ("key", "bytea"), ("total", "numeric"), ("lease", "text"), ("hash", "bytea"),
        ], key: ["sequence"])

    static let account = PostgresTable(
        name: "account",
        columns: [
            ("name", "text"), ("asset_code", "text"), ("asset_scale", "smallint"), ("price_amount", "numeric"),
            ("price_calls", "numeric"), ("epoch", "numeric"), ("balance", "numeric"), ("prepaid", "numeric"),
            ("unpaid_calls", "numeric"), ("sold_calls", "numeric"), ("leased_calls", "numeric"),
            ("older_calls", "numeric"), ("older_uncovered", "numeric"), ("older_held", "numeric"),
            ("older_prepaid", "numeric"), ("older_amount", "numeric"), ("older_per", "numeric"),
        ], key: ["name", "asset_code", "asset_scale"])

    static let claim = PostgresTable(
        name: "claim",
        columns: [
            ("rail", "text"), ("key", "bytea"), ("total", "numeric"), ("account", "text"), ("asset_code", "text"),
            ("asset_scale", "smallint"), ("is_credited", "boolean"), ("endpoint", "text"), ("changed_at", "bigint"),
            ("revision", "numeric"),
        ], key: ["rail", "key"])

    static let connection = PostgresTable(
        name: "connection",
        columns: [
            ("nonce", "bytea"), ("account", "text"), ("identifier", "text"), ("endpoint", "text"),
            ("credits_host", "boolean"), ("asset_code", "text"), ("asset_scale", "smallint"),
            ("expires_at", "bigint"), ("seed", "text"),
        ], key: ["nonce"])

    static let lease = PostgresTable(
        name: "lease",
        columns: [
            ("id", "text"), ("account", "text"), ("asset_code", "text"), ("asset_scale", "smallint"),
            ("holder", "text"), ("calls", "numeric"), ("price_amount", "numeric"), ("price_calls", "numeric"),
            ("epoch", "numeric"), ("expires_at", "bigint"), ("state", "text"), ("spent", "numeric"),
            ("successor", "text"),
        ], key: ["id"])
}
