import Storage

/// What `farebox ledger check` found.
public struct LedgerAudit: Hashable, Sendable {
    /// How many entries there are.
    public let entries: UInt64
    /// The last entry: to be written down elsewhere, for a later check.
    public let head: LedgerAnchor
    /// What does not fit, at most ``LedgerAuditor/problemsMaximum`` lines.
    public let problems: [String]
    /// How many problems there are.
    public let problemCount: Int
    /// Each function's sums, in the order of names.
    public let functions: [FunctionTotals]

    /// The sums of one function in one asset, from its entries.
    public struct FunctionTotals: Hashable, Sendable {
        /// The function.
        public let account: PaymentAccount
        /// What the amounts are counted in.
        public let asset: Asset
        /// Everything that came in.
        public let received: UInt128
        /// Everything that calls have used.
        public let used: UInt128
        /// Calls sold.
        public let calls: UInt128
    }

    /// Rows that are read at a time.
    private static let pageRows = 5000

    /// Checks a whole ledger, in one state of it.
    ///
    /// Memory grows with the number of streams and functions, not with the number of entries.
    ///
    /// - Parameters:
    ///   - ledger: What to check.
    ///   - anchor: An entry whose hash was written down before.
    /// - Throws: ``LedgerError`` when it cannot be read.
    public static func run(_ ledger: StoredLedger, anchor: LedgerAnchor? = nil) async throws(LedgerError) -> LedgerAudit
    {
        try await ledger.read { (store) throws(StoreFailure) in
            var auditor = LedgerAuditor(anchor: anchor)
            while case let page = try store.entries(after: auditor.sequence, limit: pageRows), !page.isEmpty {
                for entry in page { auditor.add(entry) }
            }
            auditor.check(try store.head())
            var accounts: [(AccountKey, CallAccount)] = []
            while case let page = try store.accounts(after: accounts.last?.0, limit: pageRows), !page.isEmpty {
                accounts += page
            }
            var leases: [StoredLease] = []
            while case let page = try store.openLeases(after: leases.last?.id ?? "", limit: pageRows), !page.isEmpty {
                leases += page
            }
            auditor.check(accounts, leases)
            var last: ClaimKey?
            while case let page = try store.claims(after: last, limit: pageRows), !page.isEmpty {
                for (key, claim) in page { auditor.check(key, claim) }
                last = page.last?.0
            }
            auditor.finish()
            return LedgerAudit(auditor)
        }
    }

    private init(_ auditor: LedgerAuditor) {
        entries = auditor.sequence
        head = LedgerAnchor(sequence: auditor.sequence, hash: auditor.hash)
        problems = auditor.problems
        problemCount = auditor.problemCount
        functions = auditor.functions.map { key, sums in
            FunctionTotals(
                account: key.account, asset: key.asset, received: sums.received, used: sums.used, calls: sums.calls)
        }.sorted { ($0.account.name, $0.asset.description) < ($1.account.name, $1.asset.description) }
    }
}

extension StoredLedger {
    /// Entries after a number, in order.
    ///
    /// - Parameters:
    ///   - sequence: 0, or the number of the last entry read.
    ///   - limit: At most 10,000.
    public func entries(after sequence: UInt64, limit: Int) async throws(LedgerError) -> [LedgerEntry] {
        let limit = min(max(limit, 0), 10_000)
        return try await read { (store) throws(StoreFailure) in try store.entries(after: sequence, limit: limit) }
    }
}
