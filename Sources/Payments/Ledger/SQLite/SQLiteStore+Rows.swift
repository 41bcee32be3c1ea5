import Storage
import Timing

/// How rows become values and values become rows.
extension SQLiteStore {
    static func connection(_ row: borrowing SQLiteRow) throws(StoreFailure) -> StreamConnection {
        guard let seed = SeedID(row.text(8)) else { throw StoreFailure("a connection of the ledger has no seed") }
        return StreamConnection(
            nonce: row.blob(0), account: row.isNull(1) ? nil : try row.account(1),
            identifier: row.isNull(2) ? nil : row.text(2), endpoint: row.text(3), creditsHost: row.integer(4) != 0,
            asset: try row.asset(5, 6), expiresAt: row.time(7), seed: seed)
    }

    static func claim(_ row: borrowing SQLiteRow) throws(StoreFailure) -> StoredClaim {
        StoredClaim(
            total: row.unsigned(0), account: row.isNull(1) ? nil : try row.account(1), asset: try row.asset(2, 3),
            isCredited: row.integer(4) != 0, endpoint: row.text(5), changedAt: row.time(6), revision: row.unsigned(7))
    }

    static func keyedClaim(_ row: borrowing SQLiteRow) throws(StoreFailure) -> (ClaimKey, StoredClaim) {
        guard let rail = PaymentRail(row.text(8)) else { throw StoreFailure("a claim of the ledger has no rail") }
        return (ClaimKey(rail: rail, key: row.blob(9)), try claim(row))
    }

    static func account(_ row: borrowing SQLiteRow) throws(StoreFailure) -> CallAccount {
        var account = CallAccount()
        if !row.isNull(0) {
            guard let price = CallPrice(amount: row.unsigned(0), calls: row.unsigned(1)) else {
                throw StoreFailure("an account of the ledger has a price of nothing")
            }
            account.price = price
        }
        account.epoch = row.unsigned(2)
        account.balance = row.unsigned(3)
        account.prepaid = row.unsigned(4)
        account.unpaidCalls = row.unsigned(5)
        account.soldCalls = row.unsigned(6)
        account.leasedCalls = row.unsigned(7)
        account.older.calls = row.unsigned(8)
        account.older.uncoveredCalls = row.unsigned(9)
        account.older.held = row.unsigned(10)
        account.older.prepaid = row.unsigned(11)
        if !row.isNull(12) { account.older.price = CallPrice(amount: row.unsigned(12), calls: row.unsigned(13)) }
        return account
    }

    static func lease(_ row: borrowing SQLiteRow) throws(StoreFailure) -> StoredLease {
        guard let price = CallPrice(amount: row.unsigned(6), calls: row.unsigned(7)),
            let state = StoredLease.State(rawValue: row.text(10))
        else { throw StoreFailure("a lease of the ledger has no price or no state") }
        return StoredLease(
            id: row.text(0), key: AccountKey(account: try row.account(1), asset: try row.asset(2, 3)),
            holder: row.text(4), calls: row.unsigned(5), price: price, epoch: row.unsigned(8), expiresAt: row.time(9),
            state: state, spent: row.unsigned(11), successor: row.text(12))
    }

    static func entry(_ row: borrowing SQLiteRow) throws(StoreFailure) -> LedgerEntry {
        guard let kind = LedgerEntry.Kind(rawValue: row.text(2)) else {
            throw StoreFailure("entry \(row.unsigned(0)) is of no kind that is known")
        }
        return LedgerEntry(
            sequence: row.unsigned(0), time: row.time(1), kind: kind, debit: row.text(3), credit: row.text(4),
            asset: try row.asset(5, 6), amount: row.unsigned(7), calls: row.unsigned(8), rail: row.text(9),
            key: row.blob(10), total: row.unsigned(11), lease: row.text(12), hash: row.blob(13))
    }

    func save(_ connection: StreamConnection, _ statement: SQLiteStatement) throws(StoreFailure) {
        try statement.run(
            .blob(connection.nonce), .text(connection.account?.name), .text(connection.identifier),
            .text(connection.endpoint), .integer(connection.creditsHost ? 1 : 0), .text(connection.asset.code),
            .integer(Int64(connection.asset.scale)), .integer(connection.expiresAt.microsecondsSinceEpoch),
            .text(connection.seed.description))
    }

    func save(_ claim: StoredClaim, _ key: ClaimKey, _ statement: SQLiteStatement) throws(StoreFailure) {
        try statement.run(
            .text(key.rail.description), .blob(key.key), .unsigned(claim.total), .text(claim.account?.name),
            .text(claim.asset.code), .integer(Int64(claim.asset.scale)), .integer(claim.isCredited ? 1 : 0),
            .text(claim.endpoint), .integer(claim.changedAt.microsecondsSinceEpoch), .unsigned(claim.revision))
    }

    func save(_ account: CallAccount, _ key: AccountKey, _ statement: SQLiteStatement) throws(StoreFailure) {
        try statement.run(
            account.price.map { .unsigned($0.amount) } ?? .null, account.price.map { .unsigned($0.calls) } ?? .null,
            .unsigned(account.epoch), .unsigned(account.balance), .unsigned(account.prepaid),
            .unsigned(account.unpaidCalls), .unsigned(account.soldCalls), .unsigned(account.leasedCalls),
            .unsigned(account.older.calls), .unsigned(account.older.uncoveredCalls), .unsigned(account.older.held),
            .unsigned(account.older.prepaid), account.older.price.map { .unsigned($0.amount) } ?? .null,
            account.older.price.map { .unsigned($0.calls) } ?? .null, .text(key.account.name), .text(key.asset.code),
            .integer(Int64(key.asset.scale)))
    }

    func save(_ lease: StoredLease, _ statement: SQLiteStatement) throws(StoreFailure) {
        try statement.run(
            .text(lease.id), .text(lease.key.account.name), .text(lease.key.asset.code),
            .integer(Int64(lease.key.asset.scale)), .text(lease.holder), .unsigned(lease.calls),
            .unsigned(lease.price.amount), .unsigned(lease.price.calls), .unsigned(lease.epoch),
            .integer(lease.expiresAt.microsecondsSinceEpoch), .text(lease.state.rawValue), .unsigned(lease.spent),
            .text(lease.successor))
    }

    func append(_ entry: LedgerEntry, _ statement: SQLiteStatement) throws(StoreFailure) {
        try statement.run(
            .unsigned(entry.sequence), .integer(entry.time.microsecondsSinceEpoch), .text(entry.kind.rawValue),
            .text(entry.debit), .text(entry.credit), .text(entry.asset.code), .integer(Int64(entry.asset.scale)),
            .unsigned(entry.amount), .unsigned(entry.calls), .text(entry.rail), .blob(entry.key),
            .unsigned(entry.total), .text(entry.lease), .blob(entry.hash))
    }
}
