import Timing

/// What the book is asked to do.
enum LedgerCommand: Sendable {
    case open(StreamConnection)
    case credit(StreamProof, now: Timestamp)
    case claim(PaymentClaim, now: Timestamp)
    case balance(PaymentAccount, PriceTerms)
    case exchange(lease: String?, spent: UInt64, wish: LeaseWish?, now: Timestamp)
    case expire(lease: String, now: Timestamp)
}

/// A lease that somebody would like.
struct LeaseWish: Hashable, Sendable {
    let account: PaymentAccount
    let terms: PriceTerms
    let calls: UInt64
    let holder: String
    let duration: Duration
}

/// What came of a command.
enum LedgerOutcome: Sendable {
    case done
    case credited(StreamCredit)
    case claimed(UInt64)
    case balance(AccountBalance)
    case lease(CallLease)
    case failed(LedgerError)
}

/// The rows that commands need.
struct LedgerKeys {
    var nonces: Set<[UInt8]> = []
    var claims: Set<ClaimKey> = []
    var leases: Set<String> = []
    var accounts: Set<AccountKey> = []

    /// Adds what a command names; what those rows name in turn is found by ``LedgerBook/keysBehindRows()``.
    mutating func insert(_ command: LedgerCommand) {
        switch command {
        case .open(let connection): nonces.insert(connection.nonce)
        case .credit(let proof, _):
            nonces.insert(proof.nonce)
            claims.insert(ClaimKey(nonce: proof.nonce, stream: proof.stream))
        case .claim(let claim, _):
            claims.insert(ClaimKey(rail: claim.rail, key: claim.key))
            accounts.insert(AccountKey(account: claim.account, asset: claim.asset))
        case .balance(let account, let terms): accounts.insert(AccountKey(account: account, asset: terms.asset))
        case .exchange(let lease, _, let wish, _):
            if let lease { leases.insert(lease) }
            if let wish { accounts.insert(AccountKey(account: wish.account, asset: wish.terms.asset)) }
        case .expire(let lease, _): leases.insert(lease)
        }
    }
}
