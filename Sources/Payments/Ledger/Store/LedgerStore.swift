import Storage
import Timing

/// The rows of a ledger in a database; used by one thread only, and blocking.
///
/// After a failure, ``rollback()`` is called, and the next transaction finds a working connection or fails again.
protocol LedgerStore: AnyObject {
    /// Opens the database and brings its tables up to date.
    func open() throws(StoreFailure)
    func close()

    /// Begins to write: from here to the end nobody else writes.
    func begin() throws(StoreFailure) -> LedgerHead
    /// Begins to read one state of the ledger, which writers do not disturb.
    func beginReading() throws(StoreFailure)
    /// Makes everything durable since the beginning.
    func commit() throws(StoreFailure)
    /// Drops everything since the beginning; it may be called when nothing has begun.
    func rollback()

    /// Puts the rows that exist into a book.
    func load(_ keys: LedgerKeys, into book: inout LedgerBook) throws(StoreFailure)
    /// Writes what a book has changed.
    func save(_ book: LedgerBook) throws(StoreFailure)

    func streams(changedAfter cursor: UInt64, limit: Int) throws(StoreFailure) -> [StreamRecord]
    func stream(_ key: ClaimKey) throws(StoreFailure) -> StreamRecord?

    /// The seeds, newest first.
    func seeds() throws(StoreFailure) -> [ReceiptSeed]
    /// Adds a seed as the newest and drops all but the newest `keep`.
    func addSeed(_ seed: ReceiptSeed, keep: Int) throws(StoreFailure)

    /// Open leases whose time was over at `now`, oldest first.
    func expiredLeases(at now: Timestamp, limit: Int) throws(StoreFailure) -> [String]
    /// Forgets connections that expired, and leases that ended, before `then`; at most `limit` of each.
    ///
    /// - Returns: How many rows that were.
    func prune(before then: Timestamp, limit: Int) throws(StoreFailure) -> Int

    /// Entries after a number, in order.
    func entries(after sequence: UInt64, limit: Int) throws(StoreFailure) -> [LedgerEntry]
    /// All accounts in the order of their keys, after one.
    func accounts(after key: AccountKey?, limit: Int) throws(StoreFailure) -> [(AccountKey, CallAccount)]
    /// All claims in the order of rail and key, after one.
    func claims(after key: ClaimKey?, limit: Int) throws(StoreFailure) -> [(ClaimKey, StoredClaim)]
    /// All leases that are open, in the order of their ids, after one.
    func openLeases(after id: String, limit: Int) throws(StoreFailure) -> [StoredLease]
    /// Where the ledger stands, within a transaction.
    func head() throws(StoreFailure) -> LedgerHead
}
