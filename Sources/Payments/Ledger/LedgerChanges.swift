/// What happened in the ledger since somebody looked last: so that what did not change need not be asked for.
public struct LedgerChanges: Hashable, Sendable {
    /// Functions whose money or calls changed.
    public let accounts: Set<PaymentAccount>
    /// Whether these are all; otherwise more was written than is looked at, and any account may have changed.
    public let isComplete: Bool
    /// Where the ledger stands.
    public let cursor: UInt64
    /// The cursor of the newest ``StreamRecord`` there can be.
    public let streamCursor: UInt64

    /// Makes an answer.
    public init(accounts: Set<PaymentAccount>, isComplete: Bool, cursor: UInt64, streamCursor: UInt64) {
        self.accounts = accounts
        self.isComplete = isComplete
        self.cursor = cursor
        self.streamCursor = streamCursor
    }
}
