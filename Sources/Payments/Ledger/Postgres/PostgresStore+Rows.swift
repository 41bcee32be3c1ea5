import Cryptography
import Storage
import Timing

/// How rows become values and values become rows.
extension PostgresStore {
    static func all<R>(
        _ rows: PostgresRows, _ read: (PostgresRows, Int) throws(StoreFailure) -> R
    ) throws(StoreFailure) -> [R] {
        var values: [R] = []
        values.reserveCapacity(rows.count)
        for row in 0..<rows.count { values.append(try read(rows, row)) }
        return values
    }

    static func head(_ rows: PostgresRows) throws(StoreFailure) -> LedgerHead {
        guard rows.count == 1 else { throw StoreFailure("the ledger has lost its head") }
        return LedgerHead(
            sequence: try rows.unsigned(0, 0), hash: try bytes(rows, 0, 1), revision: try rows.unsigned(0, 2),
            connections: try rows.unsigned(0, 3))
    }

    static func connection(_ rows: PostgresRows, _ row: Int) throws(StoreFailure) -> StreamConnection {
        guard let seed = SeedID(rows.text(row, 8)) else { throw StoreFailure("a connection of the ledger has no seed") }
        return StreamConnection(
            nonce: try bytes(rows, row, 0), account: try account(rows, row, 1),
            identifier: rows.isNull(row, 2) ? nil : rows.text(row, 2), endpoint: rows.text(row, 3),
            creditsHost: rows.flag(row, 4), asset: try asset(rows, row, 5), expiresAt: try time(rows, row, 7),
            seed: seed)
    }

    static func claim(_ rows: PostgresRows, _ row: Int) throws(StoreFailure) -> (ClaimKey, StoredClaim) {
        guard let rail = PaymentRail(rows.text(row, 0)) else { throw StoreFailure("a claim of the ledger has no rail") }
        let claim = StoredClaim(
            total: try rows.unsigned(row, 2), account: try account(rows, row, 3), asset: try asset(rows, row, 4),
            isCredited: rows.flag(row, 6), endpoint: rows.text(row, 7), changedAt: try time(rows, row, 8),
            revision: try rows.unsigned(row, 9))
        return (ClaimKey(rail: rail, key: try bytes(rows, row, 1)), claim)
    }

    static func account(_ rows: PostgresRows, _ row: Int) throws(StoreFailure) -> (AccountKey, CallAccount) {
        guard let name = try account(rows, row, 0) else { throw StoreFailure("an account of the ledger has no name") }
        var account = CallAccount()
        account.price = try price(rows, row, 3)
        account.epoch = try rows.unsigned(row, 5)
        account.balance = try rows.unsigned(row, 6)
        account.prepaid = try rows.unsigned(row, 7)
        account.unpaidCalls = try rows.unsigned(row, 8)
        account.soldCalls = try rows.unsigned(row, 9)
        account.leasedCalls = try rows.unsigned(row, 10)
        account.older.calls = try rows.unsigned(row, 11)
        account.older.uncoveredCalls = try rows.unsigned(row, 12)
        account.older.held = try rows.unsigned(row, 13)
        account.older.prepaid = try rows.unsigned(row, 14)
        account.older.price = try price(rows, row, 15)
        return (AccountKey(account: name, asset: try asset(rows, row, 1)), account)
    }

    static func lease(_ rows: PostgresRows, _ row: Int) throws(StoreFailure) -> StoredLease {
        guard let account = try account(rows, row, 1), let price = try price(rows, row, 6),
            let state = StoredLease.State(rawValue: rows.text(row, 10))
        else { throw StoreFailure("a lease of the ledger has no account, no price or no state") }
        return StoredLease(
            id: rows.text(row, 0), key: AccountKey(account: account, asset: try asset(rows, row, 2)),
            holder: rows.text(row, 4), calls: try rows.unsigned(row, 5), price: price,
            epoch: try rows.unsigned(row, 8), expiresAt: try time(rows, row, 9), state: state,
            spent: try rows.unsigned(row, 11), successor: rows.text(row, 12))
    }

    static func entry(_ rows: PostgresRows, _ row: Int) throws(StoreFailure) -> LedgerEntry {
        guard let kind = LedgerEntry.Kind(rawValue: rows.text(row, 2)) else {
            throw StoreFailure("entry \(rows.text(row, 0)) is of no kind that is known")
        }
        return LedgerEntry(
            sequence: try rows.unsigned(row, 0), time: try time(rows, row, 1), kind: kind, debit: rows.text(row, 3),
            credit: rows.text(row, 4), asset: try asset(rows, row, 5), amount: try rows.unsigned(row, 7),
            calls: try rows.unsigned(row, 8), rail: rows.text(row, 9), key: try bytes(rows, row, 10),
            total: try rows.unsigned(row, 11), lease: rows.text(row, 12), hash: try bytes(rows, row, 13))
    }

    static func values(_ connection: StreamConnection) -> [String?] {
        [
            PostgresArray.bytes(connection.nonce), connection.account?.name, connection.identifier,
            connection.endpoint, connection.creditsHost ? "t" : "f", connection.asset.code,
            String(connection.asset.scale), String(connection.expiresAt.microsecondsSinceEpoch),
            connection.seed.description,
        ]
    }

    static func values(_ key: ClaimKey, _ claim: StoredClaim) -> [String?] {
        [
            key.rail.description, PostgresArray.bytes(key.key), String(claim.total), claim.account?.name,
            claim.asset.code, String(claim.asset.scale), claim.isCredited ? "t" : "f", claim.endpoint,
            String(claim.changedAt.microsecondsSinceEpoch), String(claim.revision),
        ]
    }

    static func values(_ key: AccountKey, _ account: CallAccount) -> [String?] {
        let numbers = [
            account.epoch, account.balance, account.prepaid, account.unpaidCalls, account.soldCalls,
            account.leasedCalls, account.older.calls, account.older.uncoveredCalls, account.older.held,
            account.older.prepaid,
        ]
        let name: [String?] = [key.account.name, key.asset.code, String(key.asset.scale)]
        return name + values(account.price) + numbers.map { String($0) } + values(account.older.price)
    }

    static func values(_ lease: StoredLease) -> [String?] {
        [
            lease.id, lease.key.account.name, lease.key.asset.code, String(lease.key.asset.scale), lease.holder,
            String(lease.calls), String(lease.price.amount), String(lease.price.calls), String(lease.epoch),
            String(lease.expiresAt.microsecondsSinceEpoch), lease.state.rawValue, String(lease.spent), lease.successor,
        ]
    }

    static func values(_ entry: LedgerEntry) -> [String?] {
        [
            String(entry.sequence), String(entry.time.microsecondsSinceEpoch), entry.kind.rawValue, entry.debit,
            entry.credit, entry.asset.code, String(entry.asset.scale), String(entry.amount), String(entry.calls),
            entry.rail, PostgresArray.bytes(entry.key), String(entry.total), entry.lease,
            PostgresArray.bytes(entry.hash),
        ]
    }

    static func time(_ rows: PostgresRows, _ row: Int, _ column: Int32) throws(StoreFailure) -> Timestamp {
        Timestamp(microsecondsSinceEpoch: try rows.integer(row, column))
    }

    static func bytes(_ rows: PostgresRows, _ row: Int, _ column: Int32) throws(StoreFailure) -> [UInt8] {
        let text = rows.text(row, column)
        guard text.hasPrefix("\\x"), let bytes = Hex.decode(String(text.dropFirst(2))) else {
            throw StoreFailure("a row of the ledger has bytes that are none")
        }
        return bytes
    }

    private static func values(_ price: CallPrice?) -> [String?] {
        [price.map { String($0.amount) }, price.map { String($0.calls) }]
    }

    private static func price(_ rows: PostgresRows, _ row: Int, _ column: Int32) throws(StoreFailure) -> CallPrice? {
        guard !rows.isNull(row, column) else { return nil }
        return CallPrice(amount: try rows.unsigned(row, column), calls: try rows.unsigned(row, column + 1))
    }

    private static func account(
        _ rows: PostgresRows, _ row: Int, _ column: Int32
    ) throws(StoreFailure) -> PaymentAccount? {
        guard !rows.isNull(row, column) else { return nil }
        guard let account = PaymentAccount(name: rows.text(row, column)) else {
            throw StoreFailure("a row of the ledger has an account that is none")
        }
        return account
    }

    /// The asset of a code and the scale in the column after it.
    private static func asset(_ rows: PostgresRows, _ row: Int, _ column: Int32) throws(StoreFailure) -> Asset {
        let scale = UInt8(exactly: try rows.integer(row, column + 1))
        guard let scale, let asset = Asset(code: rows.text(row, column), scale: scale) else {
            throw StoreFailure("a row of the ledger has an asset that is none")
        }
        return asset
    }
}
