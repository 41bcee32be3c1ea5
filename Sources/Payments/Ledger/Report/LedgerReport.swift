import Cryptography
import JSON
import Timing

/// Entries as rows of a report: CSV, or one JSON object a line.
///
/// Amounts are whole units of the asset, in JSON as strings, since a reader may keep numbers in 53 bits. No field needs
/// quoting in CSV, and none begins like a formula.
public enum LedgerReport {
    /// How a report is written.
    public enum Format: String, Sendable, CaseIterable {
        case json
        case csv
    }

    /// The names of an entry's columns.
    public static let entryColumns = [
        "sequence", "time", "kind", "debit", "credit", "asset", "scale", "amount", "calls", "rail", "key", "total",
        "lease", "hash",
    ]

    /// One entry.
    public static func line(_ entry: LedgerEntry, _ format: Format) -> String {
        line(
            zip(
                entryColumns,
                [
                    String(entry.sequence), entry.time.rfc3339(.microseconds), entry.kind.rawValue, entry.debit,
                    entry.credit, entry.asset.code, String(entry.asset.scale), String(entry.amount),
                    String(entry.calls), entry.rail, Hex.encode(entry.key), String(entry.total), entry.lease,
                    Hex.encode(entry.hash),
                ]), format)
    }

    /// The names of a statement's columns.
    public static let statementColumns = [
        "sequence", "time", "kind", "asset", "scale", "in", "out", "calls", "balance", "reference",
    ]

    /// One line of a statement.
    public static func line(_ line: LedgerStatement.Line, _ format: Format) -> String {
        let entry = line.entry
        let isIn = entry.kind == .payment
        return self.line(
            zip(
                statementColumns,
                [
                    String(entry.sequence), entry.time.rfc3339(.microseconds), entry.kind.rawValue, entry.asset.code,
                    String(entry.asset.scale), isIn ? String(entry.amount) : "0", isIn ? "0" : String(entry.amount),
                    String(entry.calls), String(line.balance),
                    isIn ? "\(entry.rail):\(Hex.encode(entry.key))" : entry.lease,
                ]), format)
    }

    /// The first line of a CSV file.
    public static func header(_ columns: [String]) -> String { columns.joined(separator: ",") }

    private static func line(_ fields: some Sequence<(String, String)>, _ format: Format) -> String {
        switch format {
        case .csv: fields.map(\.1).joined(separator: ",")
        case .json: JSONWriter().string(.object(JSONObject(fields.map { ($0.0, JSONValue.string($0.1)) })))
        }
    }
}

/// The entries of one function, each with the balance after it.
public struct LedgerStatement: Sendable {
    /// An entry and what it left.
    public struct Line: Hashable, Sendable {
        /// The entry.
        public let entry: LedgerEntry
        /// The function's balance in the entry's asset after it.
        public let balance: UInt128
    }

    private let name: String
    private var balances: [Asset: UInt128] = [:]

    /// Begins the statement of a function, before the first entry of the ledger.
    public init(of account: PaymentAccount) {
        name = "function:\(account)"
    }

    /// The line of the next entry of the ledger; nil when it is another function's.
    public mutating func line(of entry: LedgerEntry) -> Line? {
        let balance = balances[entry.asset] ?? 0
        let amount = UInt128(entry.amount)
        let after: UInt128
        if entry.credit == name {
            after = balance + amount
        } else if entry.debit == name {
            after = balance > amount ? balance - amount : 0
        } else {
            return nil
        }
        balances[entry.asset] = after
        return Line(entry: entry, balance: after)
    }
}
