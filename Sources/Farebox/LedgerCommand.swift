import Commands
import Cryptography
import FoundationEssentials
import Glibc
import JSON
import Payments
import Timing

/// `farebox ledger check`, `farebox ledger export` and `farebox ledger statement`.
enum LedgerCommand {
    private static let places: [CommandDescription.Option] = [
        .init("config", value: "FILE", "the configuration, unless one of the next two is given"),
        .init("sqlite", value: "FILE", "the ledger's file"),
        .init("postgres", value: "CONNECTION", "the ledger's database, as libpq has it"),
        .init("password-file", value: "FILE", "the database's password"),
        .init("schema", value: "NAME", "the database's schema (default farebox)"),
    ]

    private static let formats = CommandDescription.Option(
        "format", value: "FORMAT", "text, json or csv (default: text on a terminal, else json)")

    static let check = CommandDescription(
        "ledger check", "proves that the ledger's sums are right",
        discussion: """
            Reads every entry, follows the chain of hashes, does all sums again, and compares
            them with accounts, claims and leases, while the payments process may go on. Ends
            with 1 when something does not fit. Write the head down elsewhere and give it back
            as --anchor later: then nobody can have changed or cut off what was before it.
            """,
        options: places + [
            .init("anchor", value: "N:HASH", "an entry that was written down"),
            .init("format", value: "FORMAT", "text or json (default: text on a terminal, else json)"),
        ],
        examples: ["farebox ledger check --sqlite /var/lib/farebox/ledger/ledger.db"])

    static let export = CommandDescription(
        "ledger export", "prints every entry of the ledger",
        discussion: """
            One entry a line, oldest first: CSV with a header, or a JSON object each. Amounts
            are whole units of the asset, 10^-scale of one.
            """,
        options: places + [.init("after", value: "N", "only entries after this number"), formats],
        examples: ["farebox ledger export --sqlite ledger.db --format csv >ledger.csv"])

    static let statement = CommandDescription(
        "ledger statement", "prints what one function received and sold",
        discussion: "One entry a line, oldest first, each with the balance after it.",
        options: places + [
            .init("account", value: "NAMESPACE/FUNCTION", "the Function object"),
            .init("from", value: "TIME", "only from this time on, as 2026-07-28T00:00:00Z"),
            .init("to", value: "TIME", "only before this time"),
            formats,
        ],
        examples: ["farebox ledger statement --sqlite ledger.db --account team/hello"])

    // MARK: What they do

    @Sendable static func runCheck(_ options: Options) async throws {
        let format = try format(options, allowed: ["text", "json"])
        let audit = try await LedgerAudit.run(try await ledger(options), anchor: try anchor(options))
        let head = "\(audit.head.sequence):\(Hex.encode(audit.head.hash))"
        if format == "json" {
            try show(CheckResult(audit, head: head))
        } else {
            for row in audit.functions {
                print(
                    "\(row.account) in \(row.asset): \(row.received) received, \(row.used) used for \(row.calls) calls")
            }
            print("\(audit.entries) entries; head \(head)")
            for problem in audit.problems { print("WRONG: \(problem)") }
            print(audit.problemCount == 0 ? "everything is right" : "problems: \(audit.problemCount)")
        }
        guard audit.problemCount == 0 else {
            throw ProcessError(
                "the ledger is not right; restore a backup beside it, and compare the two exports")
        }
    }

    @Sendable static func runExport(_ options: Options) async throws {
        let format = try format(options, allowed: ["text", "json", "csv"])
        let ledger = try await ledger(options)
        let output = ReportOutput(format, LedgerReport.entryColumns)
        try await eachEntry(of: ledger, after: try options.number("after") ?? 0) { entry in
            output.print { LedgerReport.line(entry, $0) }
        }
    }

    @Sendable static func runStatement(_ options: Options) async throws {
        let format = try format(options, allowed: ["text", "json", "csv"])
        let name = try options.required("account")
        guard let account = PaymentAccount(name: name) else {
            throw UsageError("--account: '\(name)' is not NAMESPACE/FUNCTION")
        }
        let from = try time(options, "from") ?? .earliest
        let to = try time(options, "to") ?? .latest
        let ledger = try await ledger(options)
        var statement = LedgerStatement(of: account)
        let output = ReportOutput(format, LedgerReport.statementColumns)
        try await eachEntry(of: ledger, after: 0) { entry in
            guard let line = statement.line(of: entry), from <= entry.time, entry.time < to else { return }
            output.print { LedgerReport.line(line, $0) }
        }
    }

    private static func eachEntry(
        of ledger: StoredLedger, after first: UInt64, _ body: (LedgerEntry) throws -> Void
    ) async throws {
        var last = first
        while case let page = try await ledger.entries(after: last, limit: 5000), let end = page.last {
            try page.forEach(body)
            last = end.sequence
        }
    }

    // MARK: Options

    private static func ledger(_ options: Options) async throws -> StoredLedger {
        var configuration = LedgerConfiguration()
        if let path = options["sqlite"] {
            configuration.sqlite = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        }
        if let connection = options["postgres"] {
            configuration.postgres = .init(
                connection: connection, passwordFile: options["password-file"],
                schema: options["schema"] ?? LedgerConfiguration.Postgres.schemaDefault)
        }
        if configuration == LedgerConfiguration() {
            configuration = try ProcessSetting.configuration(options).payments.ledger
        }
        let problems = configuration.validate()
        guard problems.isEmpty else { throw UsageError(problems.joined(separator: "; ")) }
        return try await StoredLedger.openForReading(configuration)
    }

    private static func format(_ options: Options, allowed: [String]) throws -> String {
        let format = options["format"] ?? (isatty(1) == 1 ? "text" : "json")
        guard allowed.contains(format) else {
            throw UsageError("--format: '\(format)' is none of \(allowed.joined(separator: ", "))")
        }
        return format
    }

    private static func time(_ options: Options, _ name: String) throws -> Timestamp? {
        guard let text = options[name] else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw UsageError("--\(name): '\(text)' is no time such as 2026-07-28T00:00:00Z")
        }
        return time
    }

    private static func anchor(_ options: Options) throws -> LedgerAnchor? {
        guard let text = options["anchor"] else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let number = UInt64(parts[0]), let hash = Hex.decode(parts[1]), hash.count == 32 else {
            throw UsageError("--anchor: '\(text)' is not N:HASH, as `farebox ledger check` prints the head")
        }
        return LedgerAnchor(sequence: number, hash: hash)
    }

    private static func show(_ result: CheckResult) throws {
        print(String(decoding: try JSONWriter().encode(result), as: UTF8.self))
    }
}

/// The answer of `farebox ledger check` as JSON.
private struct CheckResult: Encodable {
    struct Function: Encodable {
        let account: String
        let asset: String
        let received: String
        let used: String
        let calls: String
    }

    let isRight: Bool
    let entries: UInt64
    let head: String
    let problemCount: Int
    let problems: [String]
    let functions: [Function]

    init(_ audit: LedgerAudit, head: String) {
        isRight = audit.problemCount == 0
        entries = audit.entries
        self.head = head
        problemCount = audit.problemCount
        problems = audit.problems
        functions = audit.functions.map { row in
            Function(
                account: row.account.name, asset: row.asset.description, received: String(row.received),
                used: String(row.used), calls: String(row.calls))
        }
    }
}

/// Prints the lines of a report; for people, CSV with its commas as wide gaps.
private struct ReportOutput {
    private let format: String

    init(_ format: String, _ columns: [String]) {
        self.format = format
        switch format {
        case "csv": Swift.print(LedgerReport.header(columns))
        case "text": Swift.print(columns.joined(separator: "  "))
        default: break
        }
    }

    func print(_ line: (LedgerReport.Format) -> String) {
        switch format {
        case "csv": Swift.print(line(.csv))
        case "text":
            Swift.print(line(.csv).split(separator: ",", omittingEmptySubsequences: false).joined(separator: "  "))
        default: Swift.print(line(.json))
        }
    }
}
