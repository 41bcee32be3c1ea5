/// Re-does the ledger's sums from its entries alone and compares them with what the store says.
///
/// A value: entries go in one after the other, then the rows; what does not fit comes out as text.
struct LedgerAuditor {
    /// How many problems are listed; more are only counted.
    static let problemsMaximum = 100

    /// What the entries say of a function in one asset.
    struct FunctionSums: Hashable {
        var received: UInt128 = 0
        var used: UInt128 = 0
        var calls: UInt128 = 0
    }

    private(set) var sequence: UInt64 = 0
    private(set) var hash = LedgerEntry.hashBeforeFirst
    private(set) var functions: [AccountKey: FunctionSums] = [:]
    private(set) var problems: [String] = []
    private(set) var problemCount = 0
    /// What each claim's entries have brought.
    private var claims: [ClaimKey: UInt64] = [:]
    private let anchor: LedgerAnchor?

    /// Begins before the first entry.
    ///
    /// - Parameter anchor: An entry whose hash was written down elsewhere.
    init(anchor: LedgerAnchor? = nil) {
        self.anchor = anchor
    }

    /// Checks the next entry.
    mutating func add(_ entry: LedgerEntry) {
        if entry.sequence != sequence + 1 { report("entry \(entry.sequence) follows \(sequence): one is missing") }
        if entry.hash != entry.expectedHash(after: hash) {
            report("entry \(entry.sequence) is not what was written: its hash does not follow from the one before")
        }
        if let anchor, anchor.sequence == entry.sequence, anchor.hash != entry.hash {
            report("entry \(entry.sequence) has another hash than the one that was written down")
        }
        sequence = entry.sequence
        hash = entry.hash
        sum(entry)
    }

    /// Compares where the store says it stands.
    mutating func check(_ head: LedgerHead) {
        if head.sequence != sequence || head.hash != hash {
            report(
                "the ledger ends at entry \(sequence), but should at \(head.sequence): entries are missing at the end")
        }
        if let anchor, anchor.sequence > sequence {
            report("entry \(anchor.sequence), which was written down, is missing: the ledger ends at \(sequence)")
        }
    }

    /// Compares the accounts, and the leases that are open.
    mutating func check(_ accounts: [(AccountKey, CallAccount)], _ leases: [StoredLease]) {
        var leased: [AccountKey: (now: UInt128, older: UInt128)] = [:]
        let states = Dictionary(accounts.map { ($0.0, $0.1) }, uniquingKeysWith: { first, _ in first })
        for lease in leases {
            let isCurrent = lease.epoch == states[lease.key]?.epoch
            leased[lease.key, default: (0, 0)].now += isCurrent ? UInt128(lease.calls) : 0
            leased[lease.key, default: (0, 0)].older += isCurrent ? 0 : UInt128(lease.calls)
        }
        for (key, account) in accounts {
            let sums = functions[key] ?? FunctionSums()
            let name = "\(key.account) in \(key.asset)"
            if sums.received < sums.used || UInt128(account.balance) != sums.received - sums.used {
                report("the balance of \(name) is \(account.balance), but its entries say otherwise")
            }
            if UInt128(account.soldCalls) != sums.calls {
                report("\(name) has sold \(account.soldCalls) calls, but its entries say \(sums.calls)")
            }
            let out = leased[key] ?? (0, 0)
            if out.now != UInt128(account.leasedCalls) || out.older != UInt128(account.older.calls) {
                report(
                    "\(name) has \(account.leasedCalls) and \(account.older.calls) calls on lease, but its leases differ"
                )
            }
            if account.older.held > account.balance { report("\(name) keeps more money for leases than it has") }
        }
        for (key, sums) in functions where states[key] == nil && sums != FunctionSums() {
            report("\(key.account) in \(key.asset) has entries but no account")
        }
        for key in leased.keys where states[key] == nil { report("\(key.account) has leases but no account") }
    }

    /// Compares one claim; to be called once for each.
    mutating func check(_ key: ClaimKey, _ claim: StoredClaim) {
        let brought = claims.removeValue(forKey: key)
        guard brought ?? 0 != (claim.isCredited ? claim.total : 0) else { return }
        report("a claim on rail \(key.rail) stands at \(claim.total), but its entries brought \(brought ?? 0)")
    }

    /// Reports what entries were left without a claim.
    mutating func finish() {
        for key in claims.keys { report("a payment on rail \(key.rail) has entries but no claim") }
    }

    private mutating func sum(_ entry: LedgerEntry) {
        let isPayment = entry.kind == .payment
        let side = isPayment ? entry.credit : entry.debit
        guard side.hasPrefix("function:"), let account = PaymentAccount(name: String(side.dropFirst("function:".count)))
        else { return report("entry \(entry.sequence) names no function") }
        let other = isPayment ? "clearing:\(entry.rail)" : "revenue:\(account)"
        if other != (isPayment ? entry.debit : entry.credit) { report("entry \(entry.sequence) is not balanced") }
        var sums = functions[AccountKey(account: account, asset: entry.asset)] ?? FunctionSums()
        if isPayment {
            sums.received += UInt128(entry.amount)
            sumClaim(entry)
        } else {
            sums.used += UInt128(entry.amount)
            sums.calls += UInt128(entry.calls)
            if sums.used > sums.received { report("entry \(entry.sequence) makes the balance of \(account) negative") }
        }
        functions[AccountKey(account: account, asset: entry.asset)] = sums
    }

    private mutating func sumClaim(_ entry: LedgerEntry) {
        guard let rail = PaymentRail(entry.rail) else { return report("entry \(entry.sequence) has no rail") }
        let key = ClaimKey(rail: rail, key: entry.key)
        let before = claims[key] ?? 0
        if entry.total <= before || entry.amount != entry.total - before {
            report(
                "entry \(entry.sequence) credits \(entry.amount), but the total went from \(before) to \(entry.total)")
        }
        claims[key] = entry.total
    }

    private mutating func report(_ problem: String) {
        problemCount += 1
        if problems.count < Self.problemsMaximum { problems.append(problem) }
    }
}

/// An entry's number and hash, written down where whoever can change the ledger cannot change it.
public struct LedgerAnchor: Hashable, Sendable {
    /// The entry's number.
    public let sequence: UInt64
    /// Its 32 bytes.
    public let hash: [UInt8]

    /// Makes an anchor.
    public init(sequence: UInt64, hash: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
    }
}
