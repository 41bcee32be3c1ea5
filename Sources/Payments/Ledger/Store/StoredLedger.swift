import Storage
public import Timing

/// A ledger in a database: one thread that owns the connection, and the rules of ``LedgerBook``.
public final class StoredLedger: PaymentLedger {
    /// How much may wait before callers are turned away.
    public static let waitingMaximum = 65_536
    /// How long expired connections and ended leases are remembered, to say why they are refused.
    static let memory: Duration = .seconds(86_400)

    private let worker: LedgerWorker
    private let onFault: (@Sendable (LedgerFaultPoint) -> Void)?

    init(
        waitingMaximum: Int = StoredLedger.waitingMaximum, onFault: (@Sendable (LedgerFaultPoint) -> Void)? = nil,
        makeStore: @escaping @Sendable () -> any LedgerStore
    ) async throws(LedgerError) {
        self.onFault = onFault
        worker = try LedgerWorker(waitingMaximum: waitingMaximum, onFault: onFault, makeStore: makeStore)
        try await worker.perform { (store) throws(StoreFailure) in try store.open() }
    }

    /// Takes no more requests; those that wait are still answered.
    public func close() { worker.close() }

    /// Remembers a connection.
    public func open(_ connection: StreamConnection) async throws(LedgerError) {
        _ = try await outcome(.open(connection))
    }

    /// Credits what a stream received beyond the highest total before.
    public func credit(_ proof: StreamProof, now: Timestamp) async throws(LedgerError) -> StreamCredit {
        guard case .credited(let credit) = try await outcome(.credit(proof, now: now)) else { throw Self.mixedUp }
        return credit
    }

    /// Credits many proofs, in their order, each for itself.
    public func credit(
        _ proofs: [StreamProof], now: Timestamp
    ) async throws(LedgerError) -> [Result<StreamCredit, LedgerError>] {
        guard proofs.count <= LedgerLimits.proofsMaximum else {
            throw .invalid("at most \(LedgerLimits.proofsMaximum) proofs are taken at once")
        }
        let outcomes = try await worker.apply(proofs.map { .credit($0, now: now) })
        return outcomes.map { outcome in
            switch outcome {
            case .credited(let credit): .success(credit)
            case .failed(let error): .failure(error)
            default: .failure(Self.mixedUp)
            }
        }
    }

    /// Credits what a payment on any rail brought beyond the highest total before.
    public func claim(_ claim: PaymentClaim, now: Timestamp) async throws(LedgerError) -> UInt64 {
        guard case .claimed(let amount) = try await outcome(.claim(claim, now: now)) else { throw Self.mixedUp }
        return amount
    }

    /// What an account has.
    public func balance(
        of account: PaymentAccount, terms: PriceTerms
    ) async throws(LedgerError) -> AccountBalance {
        guard case .balance(let balance) = try await outcome(.balance(account, terms)) else { throw Self.mixedUp }
        return balance
    }

    /// Reserves calls.
    public func lease(
        _ account: PaymentAccount, terms: PriceTerms, calls: UInt64, holder: String, for duration: Duration,
        now: Timestamp
    ) async throws(LedgerError) -> CallLease {
        try await exchange(
            nil, spent: 0, account: account, terms: terms, calls: calls, holder: holder, for: duration, now: now)
    }

    /// Ends a lease.
    public func settle(_ lease: String, spent: UInt64, now: Timestamp) async throws(LedgerError) {
        _ = try await outcome(.exchange(lease: lease, spent: spent, wish: nil, now: now))
    }

    /// Settles a lease and reserves calls again, in one step.
    public func exchange(
        _ lease: String?, spent: UInt64, account: PaymentAccount, terms: PriceTerms, calls: UInt64, holder: String,
        for duration: Duration, now: Timestamp
    ) async throws(LedgerError) -> CallLease {
        let wish = LeaseWish(account: account, terms: terms, calls: calls, holder: holder, duration: duration)
        let outcome = try await outcome(.exchange(lease: lease, spent: spent, wish: wish, now: now))
        guard case .lease(let lease) = outcome else { throw Self.mixedUp }
        return lease
    }

    /// Ends leases whose time is over, as wholly spent.
    public func expireLeases(now: Timestamp) async throws(LedgerError) -> Int {
        let onFault = onFault
        return try await worker.perform { (store) throws(StoreFailure) in
            var book = LedgerBook(head: try store.begin())
            let expired = try store.expiredLeases(at: now, limit: LedgerLimits.expiriesMaximum)
            var keys = LedgerKeys()
            keys.leases = Set(expired)
            try store.load(keys, into: &book)
            try store.load(book.keysBehindRows(), into: &book)
            for id in expired { _ = book.apply(.expire(lease: id, now: now)) }
            if !book.changes.isEmpty { try store.save(book) }
            let pruned = try store.prune(before: now - Self.memory, limit: 10_000)
            guard !book.changes.isEmpty || pruned > 0 else {
                store.rollback()  // An idle ledger writes nothing.
                return 0
            }
            onFault?(.beforeCommit)
            try store.commit()
            onFault?(.afterCommit)
            return expired.count
        }
    }

    /// Streams whose total grew after a cursor.
    public func streams(
        changedAfter cursor: UInt64, limit: Int
    ) async throws(LedgerError) -> [StreamRecord] {
        let limit = min(max(limit, 0), LedgerLimits.streamsMaximum)
        return try await worker.perform { (store) throws(StoreFailure) in
            try Self.reading(store) { (store) throws(StoreFailure) in
                try store.streams(changedAfter: cursor, limit: limit)
            }
        }
    }

    /// One stream.
    public func stream(nonce: [UInt8], stream: UInt8) async throws(LedgerError) -> StreamRecord? {
        let key = ClaimKey(nonce: nonce, stream: stream)
        return try await worker.perform { (store) throws(StoreFailure) in
            try Self.reading(store) { (store) throws(StoreFailure) in try store.stream(key) }
        }
    }

    /// What entries were written for after a point in the ledger.
    public func changes(after cursor: UInt64?) async throws(LedgerError) -> LedgerChanges {
        try await read { (store) throws(StoreFailure) in
            let head = try store.head()
            func changes(_ accounts: Set<PaymentAccount>, isComplete: Bool = true) -> LedgerChanges {
                LedgerChanges(
                    accounts: accounts, isComplete: isComplete, cursor: head.sequence, streamCursor: head.revision)
            }
            guard let cursor, cursor < head.sequence else { return changes([]) }
            guard head.sequence - cursor <= UInt64(LedgerLimits.changesMaximum) else {
                return changes([], isComplete: false)
            }
            let entries = try store.entries(after: cursor, limit: LedgerLimits.changesMaximum)
            return changes(Set(entries.flatMap { [$0.debit, $0.credit].compactMap(PaymentAccount.init(ledgerName:)) }))
        }
    }

    /// The seeds, newest first.
    public func seeds() async throws(LedgerError) -> [ReceiptSeed] {
        try await worker.perform { (store) throws(StoreFailure) in
            try Self.reading(store) { (store) throws(StoreFailure) in try store.seeds() }
        }
    }

    /// Adds a seed.
    public func addSeed(
        _ bytes: [UInt8], onlyIfNone: Bool, now: Timestamp
    ) async throws(LedgerError) -> [ReceiptSeed] {
        guard (16...1024).contains(bytes.count) else { throw .invalid("a seed has 16 to 1024 bytes") }
        let seed = ReceiptSeed(bytes: bytes, createdAt: now.toMicroseconds)
        return try await worker.perform { (store) throws(StoreFailure) in
            _ = try store.begin()
            let seeds = try store.seeds()
            guard !seeds.contains(where: { $0.id == seed.id }), seeds.isEmpty || !onlyIfNone else {
                store.rollback()
                return seeds
            }
            try store.addSeed(seed, keep: LedgerLimits.seedsMaximum)
            let result = try store.seeds()
            try store.commit()
            return result
        }
    }

    /// Whether the store takes writes.
    public func isWorking() async -> Bool {
        do throws(LedgerError) {
            return try await worker.perform { (store) throws(StoreFailure) in
                _ = try store.begin()
                store.rollback()
                return true
            }
        } catch {
            if case .busy = error { return true }  // It has much to do: that is work.
            return false
        }
    }

    /// Reads one state of the store, on its thread.
    func read<R: Sendable>(
        _ body: @escaping @Sendable (any LedgerStore) throws(StoreFailure) -> R
    ) async throws(LedgerError) -> R {
        try await worker.perform { (store) throws(StoreFailure) in try Self.reading(store, body) }
    }

    private static func reading<R>(
        _ store: any LedgerStore, _ body: (any LedgerStore) throws(StoreFailure) -> R
    ) throws(StoreFailure) -> R {
        try store.beginReading()
        let result = try body(store)
        store.rollback()
        return result
    }

    private func outcome(_ command: LedgerCommand) async throws(LedgerError) -> LedgerOutcome {
        guard let outcome = try await worker.apply([command]).first else { throw Self.mixedUp }
        if case .failed(let error) = outcome { throw error }
        return outcome
    }

    /// What no caller ever sees: the answer to another question.
    private static let mixedUp = LedgerError.unavailable("the ledger answered another question")
}
