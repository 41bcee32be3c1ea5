import Timing

@testable import Payments

/// A ledger that forgets, for tests of what stands before it; it can be told to fail.
actor MemoryLedger: PaymentLedger {
    private struct Place: Hashable {
        var nonce: [UInt8]
        var stream: UInt8
    }

    private struct Lease {
        var lease: CallLease
        var isOpen = true
    }

    private(set) var connections: [StreamConnection] = []
    private(set) var queriedBalances = 0
    private var totals: [Place: UInt64] = [:]
    private var money: [PaymentAccount: UInt64] = [:]
    private var sold: [PaymentAccount: UInt64] = [:]
    private var leases: [String: Lease] = [:]
    private var known: [ReceiptSeed] = []
    private var failure: LedgerError?

    /// From now on everything fails, or nothing.
    func fail(_ error: LedgerError?) { failure = error }

    func give(_ amount: UInt64, to account: PaymentAccount) { money[account, default: 0] += amount }

    func open(_ connection: StreamConnection) throws(LedgerError) {
        try check()
        connections.append(connection)
    }

    func credit(_ proof: StreamProof, now: Timestamp) throws(LedgerError) -> StreamCredit {
        try check()
        guard let connection = connections.last(where: { $0.nonce == proof.nonce }) else { throw .unknownNonce }
        guard now < connection.expiresAt else { throw .expired }
        let place = Place(nonce: proof.nonce, stream: proof.stream)
        let highest = totals[place, default: 0]
        guard proof.total > highest else { throw .nothingNew(highest: highest) }
        totals[place] = proof.total
        let amount = proof.total - highest
        let account = connection.creditsHost ? connection.account : nil
        if let account { money[account, default: 0] += amount }
        return StreamCredit(amount: amount, connection: connection, isCredited: account != nil)
    }

    func credit(_ proofs: [StreamProof], now: Timestamp) throws(LedgerError) -> [Result<StreamCredit, LedgerError>] {
        try check()
        return proofs.map { proof in Result { () throws(LedgerError) in try credit(proof, now: now) } }
    }

    func claim(_ claim: PaymentClaim, now: Timestamp) throws(LedgerError) -> UInt64 { throw .invalid("not kept here") }

    func balance(of account: PaymentAccount, terms: PriceTerms) throws(LedgerError) -> AccountBalance {
        queriedBalances += 1
        try check()
        let balance = money[account, default: 0]
        let calls = terms.bonusCalls + balance * terms.calls / terms.amount
        let used = sold[account, default: 0]
        return AccountBalance(
            balance: balance, asset: terms.asset, remainingCalls: calls > used ? calls - used : 0, leasedCalls: 0,
            callsSold: used)
    }

    func lease(
        _ account: PaymentAccount, terms: PriceTerms, calls: UInt64, holder: String, for duration: Duration,
        now: Timestamp
    ) throws(LedgerError) -> CallLease {
        try check()
        guard calls > 0 else { throw .invalid("calls: at least 1") }
        let left = try balance(of: account, terms: terms).remainingCalls
        guard left > 0 else { throw .exhausted }
        let lease = CallLease(
            id: "lease-\(leases.count)", account: account, calls: min(left, calls), expiresAt: now + duration)
        leases[lease.id] = Lease(lease: lease)
        sold[account, default: 0] += lease.calls
        return lease
    }

    func settle(_ id: String, spent: UInt64, now: Timestamp) throws(LedgerError) {
        try check()
        guard let lease = leases[id] else { throw .unknownLease }
        guard spent <= lease.lease.calls else { throw .invalid("more calls were used than leased") }
        guard lease.isOpen else { return }
        leases[id]?.isOpen = false
        sold[lease.lease.account, default: 0] -= lease.lease.calls - spent
    }

    func exchange(
        _ lease: String?, spent: UInt64, account: PaymentAccount, terms: PriceTerms, calls: UInt64, holder: String,
        for duration: Duration, now: Timestamp
    ) throws(LedgerError) -> CallLease {
        if let lease { try settle(lease, spent: spent, now: now) }
        return try self.lease(account, terms: terms, calls: calls, holder: holder, for: duration, now: now)
    }

    func expireLeases(now: Timestamp) throws(LedgerError) -> Int { 0 }

    func streams(changedAfter cursor: UInt64, limit: Int) throws(LedgerError) -> [StreamRecord] { [] }

    func stream(nonce: [UInt8], stream: UInt8) throws(LedgerError) -> StreamRecord? { nil }

    func changes(after cursor: UInt64?) throws(LedgerError) -> LedgerChanges {
        LedgerChanges(accounts: [], isComplete: true, cursor: 0, streamCursor: 0)
    }

    func seeds() throws(LedgerError) -> [ReceiptSeed] {
        try check()
        return known
    }

    func addSeed(_ bytes: [UInt8], onlyIfNone: Bool, now: Timestamp) throws(LedgerError) -> [ReceiptSeed] {
        try check()
        if !(onlyIfNone && !known.isEmpty), !known.contains(where: { $0.bytes == bytes }) {
            known.insert(ReceiptSeed(bytes: bytes, createdAt: now), at: 0)
        }
        return known
    }

    func isWorking() -> Bool { failure == nil }

    private func check() throws(LedgerError) {
        if let failure { throw failure }
    }
}
