public import Timing

/// Where money and calls are counted, exactly once, on a store that survives crashes.
///
/// What a method has returned is durable. All of them may be called from many tasks at once; what waits together is written
/// together. When a caller is cancelled, what it asked for may still be done.
public protocol PaymentLedger: Sendable {
    /// Remembers a connection; its receipts are taken until it expires.
    ///
    /// - Throws: `.invalid` when the nonce is known with other content or a field is out of range; `.busy`; `.unavailable`.
    func open(_ connection: StreamConnection) async throws(LedgerError)

    /// Credits what a stream received beyond the highest total before.
    ///
    /// - Returns: What it brought.
    /// - Throws: `.unknownNonce`, `.expired`, `.nothingNew`, `.invalid` when the balance would leave 64 bits, `.busy`,
    ///   `.unavailable`.
    func credit(_ proof: StreamProof, now: Timestamp) async throws(LedgerError) -> StreamCredit

    /// Credits many proofs, in their order, each for itself.
    ///
    /// - Parameter proofs: At most ``LedgerLimits/proofsMaximum``.
    /// - Returns: As many results, in the same order.
    /// - Throws: `.invalid` when there are too many, `.busy`, `.unavailable`: then none is known to be credited.
    func credit(
        _ proofs: [StreamProof], now: Timestamp
    ) async throws(LedgerError) -> [Result<StreamCredit, LedgerError>]

    /// Credits what a payment on any rail brought beyond the highest total before.
    ///
    /// - Returns: The amount credited; at least 1.
    /// - Throws: `.nothingNew`; `.invalid` when the claim's account or asset differ from the first time; `.busy`;
    ///   `.unavailable`.
    func claim(_ claim: PaymentClaim, now: Timestamp) async throws(LedgerError) -> UInt64

    /// What an account has; an account that nobody paid into yet has the bonus calls.
    func balance(of account: PaymentAccount, terms: PriceTerms) async throws(LedgerError) -> AccountBalance

    /// Reserves calls.
    ///
    /// - Parameters:
    ///   - account: Whose.
    ///   - terms: What they cost; they hold for the whole lease.
    ///   - calls: How many are wished for; from 1 to ``LedgerLimits/leaseCallsMaximum``.
    ///   - holder: Names the process that asks, and no other: 1 to 253 bytes.
    ///   - duration: Until it expires; from a second to an hour.
    ///   - now: The time.
    /// - Returns: A lease of at least one call, maybe fewer than wished for.
    /// - Throws: `.exhausted` when none is left.
    func lease(
        _ account: PaymentAccount, terms: PriceTerms, calls: UInt64, holder: String, for duration: Duration,
        now: Timestamp
    ) async throws(LedgerError) -> CallLease

    /// Ends a lease: `spent` calls are sold, the rest can be leased again. Ended before, nothing happens.
    ///
    /// - Throws: `.unknownLease`; `.invalid` when more was spent than leased.
    func settle(_ lease: String, spent: UInt64, now: Timestamp) async throws(LedgerError)

    /// Settles a lease, if one is given, and reserves calls again, in one step.
    ///
    /// Sent twice, it returns the same new lease as long as that one is open. The settlement stands even if it throws
    /// `.exhausted`.
    ///
    /// - Throws: As ``settle(_:spent:now:)`` and ``lease(_:terms:calls:holder:for:now:)`` do.
    func exchange(
        _ lease: String?, spent: UInt64, account: PaymentAccount, terms: PriceTerms, calls: UInt64, holder: String,
        for duration: Duration, now: Timestamp
    ) async throws(LedgerError) -> CallLease

    /// Ends leases whose time is over, as wholly spent, and forgets what expired long ago.
    ///
    /// - Returns: How many leases; at most ``LedgerLimits/expiriesMaximum`` at a time.
    func expireLeases(now: Timestamp) async throws(LedgerError) -> Int

    /// Streams whose total grew after a cursor, oldest change first; each stream once, as it is now.
    ///
    /// - Parameters:
    ///   - cursor: 0, or that of the last record read.
    ///   - limit: At most ``LedgerLimits/streamsMaximum``.
    func streams(changedAfter cursor: UInt64, limit: Int) async throws(LedgerError) -> [StreamRecord]

    /// One stream; nil when no receipt of it was taken.
    func stream(nonce: [UInt8], stream: UInt8) async throws(LedgerError) -> StreamRecord?

    /// What entries were written for after a point in the ledger.
    ///
    /// - Parameter cursor: That of the last answer; nil asks where the ledger stands now, and names no account.
    func changes(after cursor: UInt64?) async throws(LedgerError) -> LedgerChanges

    /// The seeds, newest first; at most ``LedgerLimits/seedsMaximum``.
    func seeds() async throws(LedgerError) -> [ReceiptSeed]

    /// Adds a seed, which becomes the newest; a seed that is there stays where it is.
    ///
    /// The oldest beyond ``LedgerLimits/seedsMaximum`` are forgotten.
    ///
    /// - Parameters:
    ///   - bytes: The secret: 16 to 1024 bytes.
    ///   - onlyIfNone: Whether to do nothing when there is any seed: so that replicas that start together agree on one.
    ///   - now: The time.
    /// - Returns: The seeds, newest first.
    func addSeed(_ bytes: [UInt8], onlyIfNone: Bool, now: Timestamp) async throws(LedgerError) -> [ReceiptSeed]

    /// Whether the store takes writes.
    func isWorking() async -> Bool
}
