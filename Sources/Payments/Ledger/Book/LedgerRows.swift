import Timing

/// Where the ledger stands.
struct LedgerHead: Hashable, Sendable {
    /// The number of the last entry; 0 before the first.
    var sequence: UInt64 = 0
    /// Its hash.
    var hash = LedgerEntry.hashBeforeFirst
    /// Counts changes of claims.
    var revision: UInt64 = 0
    /// How many connections are kept.
    var connections: UInt64 = 0
}

/// Names a function's account in one asset.
struct AccountKey: Hashable, Sendable {
    let account: PaymentAccount
    let asset: Asset
}

/// Names a claim.
struct ClaimKey: Hashable, Sendable {
    let rail: PaymentRail
    let key: [UInt8]

    init(rail: PaymentRail, key: [UInt8]) {
        self.rail = rail
        self.key = key
    }

    /// A stream: its nonce and its number.
    init(nonce: [UInt8], stream: UInt8) {
        rail = .stream
        key = nonce + [stream]
    }
}

/// The highest total that was proven, and whose it is.
struct StoredClaim: Hashable, Sendable {
    var total: UInt64
    let account: PaymentAccount?
    let asset: Asset
    /// Whether the total was credited to the account.
    let isCredited: Bool
    let endpoint: String
    var changedAt: Timestamp
    var revision: UInt64
}

/// A lease and how it ended.
struct StoredLease: Hashable, Sendable {
    enum State: String, Sendable {
        case open
        case settled
        case expired
    }

    let id: String
    let key: AccountKey
    let holder: String
    let calls: UInt64
    /// The account's price when the lease was made.
    let price: CallPrice
    let epoch: UInt64
    let expiresAt: Timestamp
    var state = State.open
    var spent: UInt64 = 0
    /// The lease it was exchanged for, else empty.
    var successor = ""

    /// What the holder is told.
    var callLease: CallLease {
        CallLease(id: id, account: key.account, calls: calls, expiresAt: expiresAt)
    }
}
