/// The bounds of what a ledger takes.
public enum LedgerLimits {
    /// Proofs in one call.
    public static let proofsMaximum = 4096
    /// Calls in one lease.
    public static let leaseCallsMaximum: UInt64 = 1_000_000
    /// Leases that one call of `expireLeases` ends.
    public static let expiriesMaximum = 1000
    /// Records that one call of `streams` returns.
    public static let streamsMaximum = 1000
    /// Entries that one call of `changes` looks at.
    public static let changesMaximum = 4096
    /// Seeds that are kept.
    public static let seedsMaximum = 8
}
