import Payments
import Synchronization
import Timing

/// A real ledger that can be told to be away, and that counts how often balances are asked for.
final class UnreliableLedger: PaymentLedger {
    private struct State {
        var failure: LedgerError?
        var balances = 0
    }

    let ledger: StoredLedger
    private let state = Mutex(State())

    init(_ ledger: StoredLedger) { self.ledger = ledger }

    /// From now on everything fails, or nothing.
    func fail(_ error: LedgerError?) { state.withLock { $0.failure = error } }

    var balancesAsked: Int { state.withLock { $0.balances } }

    private func check() throws(LedgerError) {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    func open(_ connection: StreamConnection) async throws(LedgerError) {
        try check()
        try await ledger.open(connection)
    }

    func credit(_ proof: StreamProof, now: Timestamp) async throws(LedgerError) -> StreamCredit {
        try check()
        return try await ledger.credit(proof, now: now)
    }

    func credit(
        _ proofs: [StreamProof], now: Timestamp
    ) async throws(LedgerError) -> [Result<StreamCredit, LedgerError>] {
        try check()
        return try await ledger.credit(proofs, now: now)
    }

    func claim(_ claim: PaymentClaim, now: Timestamp) async throws(LedgerError) -> UInt64 {
        try check()
        return try await ledger.claim(claim, now: now)
    }

    func balance(of account: PaymentAccount, terms: PriceTerms) async throws(LedgerError) -> AccountBalance {
        state.withLock { $0.balances += 1 }
        try check()
        return try await ledger.balance(of: account, terms: terms)
    }

    func lease(
        _ account: PaymentAccount, terms: PriceTerms, calls: UInt64, holder: String, for duration: Duration,
        now: Timestamp
    ) async throws(LedgerError) -> CallLease {
        try check()
        return try await ledger.lease(account, terms: terms, calls: calls, holder: holder, for: duration, now: now)
    }

    func settle(_ lease: String, spent: UInt64, now: Timestamp) async throws(LedgerError) {
        try check()
        try await ledger.settle(lease, spent: spent, now: now)
    }

    func exchange(
        _ lease: String?, spent: UInt64, account: PaymentAccount, terms: PriceTerms, calls: UInt64, holder: String,
        for duration: Duration, now: Timestamp
    ) async throws(LedgerError) -> CallLease {
        try check()
        return try await ledger.exchange(
            lease, spent: spent, account: account, terms: terms, calls: calls, holder: holder, for: duration, now: now)
    }

    func expireLeases(now: Timestamp) async throws(LedgerError) -> Int {
        try check()
        return try await ledger.expireLeases(now: now)
    }

    func streams(changedAfter cursor: UInt64, limit: Int) async throws(LedgerError) -> [StreamRecord] {
        try check()
        return try await ledger.streams(changedAfter: cursor, limit: limit)
    }

    func stream(nonce: [UInt8], stream: UInt8) async throws(LedgerError) -> StreamRecord? {
        try check()
        return try await ledger.stream(nonce: nonce, stream: stream)
    }

    func changes(after cursor: UInt64?) async throws(LedgerError) -> LedgerChanges {
        try check()
        return try await ledger.changes(after: cursor)
    }

    func seeds() async throws(LedgerError) -> [ReceiptSeed] {
        try check()
        return try await ledger.seeds()
    }

    func addSeed(_ bytes: [UInt8], onlyIfNone: Bool, now: Timestamp) async throws(LedgerError) -> [ReceiptSeed] {
        try check()
        return try await ledger.addSeed(bytes, onlyIfNone: onlyIfNone, now: now)
    }

    func isWorking() async -> Bool { await ledger.isWorking() }
}
