import Cryptography
import Timing

/// The rules of the ledger, as a value: the rows that some commands need, what the commands make of them, and what changed.
///
/// A store loads the rows, applies the commands in order and saves the changes, all in one transaction. A command that fails
/// changes nothing, except that an exchange which finds no call left has settled.
struct LedgerBook {
    private(set) var head: LedgerHead
    private(set) var connections: [[UInt8]: StreamConnection] = [:]
    private(set) var claims: [ClaimKey: StoredClaim] = [:]
    private(set) var accounts: [AccountKey: CallAccount] = [:]
    private(set) var leases: [String: StoredLease] = [:]
    private(set) var changes = Changes()

    /// What must be saved.
    struct Changes {
        var openedNonces: [[UInt8]] = []
        var claims: Set<ClaimKey> = []
        var accounts: Set<AccountKey> = []
        var leases: Set<String> = []
        var entries: [LedgerEntry] = []

        var isEmpty: Bool {
            openedNonces.isEmpty && claims.isEmpty && accounts.isEmpty && leases.isEmpty && entries.isEmpty
        }
    }

    /// Connections that are kept at once; beyond it new ones have to wait for old ones to expire.
    static let connectionsMaximum: UInt64 = 1_000_000
    /// How long a lease may last.
    static let leaseDurations: ClosedRange<Duration> = .seconds(1) ... .seconds(3600)

    init(head: LedgerHead) {
        self.head = head
    }

    // MARK: Loading

    mutating func insert(_ connection: StreamConnection) { connections[connection.nonce] = connection }
    mutating func insert(_ claim: StoredClaim, _ key: ClaimKey) { claims[key] = claim }
    mutating func insert(_ account: CallAccount, _ key: AccountKey) { accounts[key] = account }
    mutating func insert(_ lease: StoredLease) { leases[lease.id] = lease }

    /// The accounts and leases that the rows loaded so far name.
    func keysBehindRows() -> LedgerKeys {
        var keys = LedgerKeys()
        for connection in connections.values {
            guard connection.creditsHost, let account = connection.account else { continue }
            keys.accounts.insert(AccountKey(account: account, asset: connection.asset))
        }
        for lease in leases.values {
            keys.accounts.insert(lease.key)
            if !lease.successor.isEmpty { keys.leases.insert(lease.successor) }
        }
        return keys
    }

    // MARK: Commands

    /// Carries a command out.
    mutating func apply(_ command: LedgerCommand) -> LedgerOutcome {
        do throws(LedgerError) {
            switch command {
            case .open(let connection): return try open(connection)
            case .credit(let proof, let now): return .credited(try credit(proof, now: now))
            case .claim(let claim, let now): return .claimed(try self.claim(claim, now: now))
            case .balance(let account, let terms): return .balance(balance(of: account, terms: terms))
            case .exchange(let lease, let spent, let wish, let now):
                return try exchange(lease, spent: spent, wish: wish, now: now)
            case .expire(let lease, let now): return expire(lease, now: now)
            }
        } catch {
            return .failed(error)
        }
    }

    private mutating func open(_ connection: StreamConnection) throws(LedgerError) -> LedgerOutcome {
        guard connection.nonce.count == StreamConnection.nonceBytes else { throw .invalid("a nonce has 16 bytes") }
        guard connection.endpoint.utf8.count <= StreamConnection.textBytesMaximum,
            (connection.identifier?.utf8.count ?? 0) <= StreamConnection.textBytesMaximum
        else { throw .invalid("the endpoint or the identifier of a connection is too long") }
        guard !connection.endpoint.utf8.contains(0), connection.identifier?.utf8.contains(0) != true else {
            throw .invalid("the endpoint or the identifier of a connection holds a zero byte")
        }
        let stored = connection.storable
        if let known = connections[connection.nonce] {
            guard known == stored else { throw .invalid("the nonce is in use") }
            return .done
        }
        guard head.connections < Self.connectionsMaximum else { throw .busy(retryAfter: .seconds(60)) }
        head.connections += 1
        connections[stored.nonce] = stored
        changes.openedNonces.append(stored.nonce)
        return .done
    }

    private mutating func credit(_ proof: StreamProof, now: Timestamp) throws(LedgerError) -> StreamCredit {
        guard let connection = connections[proof.nonce] else { throw .unknownNonce }
        guard now < connection.expiresAt else { throw .expired }
        let isCredited = connection.creditsHost && connection.account != nil
        let amount = try grow(
            ClaimKey(nonce: proof.nonce, stream: proof.stream), to: proof.total,
            of: StoredClaim(
                total: 0, account: connection.account, asset: connection.asset, isCredited: isCredited,
                endpoint: connection.endpoint, changedAt: now, revision: 0), now: now)
        return StreamCredit(amount: amount, connection: connection, isCredited: isCredited)
    }

    private mutating func claim(_ claim: PaymentClaim, now: Timestamp) throws(LedgerError) -> UInt64 {
        guard (1...PaymentClaim.keyBytesMaximum).contains(claim.key.count) else {
            throw .invalid("the key of a claim has 1 to \(PaymentClaim.keyBytesMaximum) bytes")
        }
        guard claim.rail != .stream else { throw .invalid("a stream is credited by its proof") }
        return try grow(
            ClaimKey(rail: claim.rail, key: claim.key), to: claim.total,
            of: StoredClaim(
                total: 0, account: claim.account, asset: claim.asset, isCredited: true, endpoint: "", changedAt: now,
                revision: 0), now: now)
    }

    /// Raises a claim to a total and credits the difference.
    ///
    /// - Parameters:
    ///   - key: The claim.
    ///   - total: What was proven.
    ///   - blank: The claim as it is before its first proof.
    ///   - now: The time.
    private mutating func grow(
        _ key: ClaimKey, to total: UInt64, of blank: StoredClaim, now: Timestamp
    ) throws(LedgerError) -> UInt64 {
        var claim = claims[key] ?? blank
        guard claim.account == blank.account, claim.asset == blank.asset, claim.isCredited == blank.isCredited else {
            throw .invalid("the payment was claimed for another account or in another asset before")
        }
        guard total > claim.total else { throw .nothingNew(highest: claim.total) }
        let amount = total - claim.total
        if claim.isCredited, let account = claim.account {
            let accountKey = AccountKey(account: account, asset: claim.asset)
            var state = accounts[accountKey] ?? CallAccount()
            let collected = try state.add(amount)
            update(state, accountKey)
            append(
                .payment, now, debit: "clearing:\(key.rail)", credit: "function:\(account)", claim.asset, amount,
                rail: key.rail.description, key: key.key, total: total)
            if collected > 0 { appendSale(.collection, now, accountKey, collected) }
        }
        head.revision += 1
        claim.total = total
        claim.changedAt = now
        claim.revision = head.revision
        claims[key] = claim
        changes.claims.insert(key)
        return amount
    }

    private func balance(of account: PaymentAccount, terms: PriceTerms) -> AccountBalance {
        var state = accounts[AccountKey(account: account, asset: terms.asset)] ?? CallAccount()
        state.reprice(CallPrice(of: terms))
        return AccountBalance(
            balance: state.balance, asset: terms.asset, remainingCalls: state.remainingCalls(bonus: terms.bonusCalls),
            leasedCalls: UInt64(clamping: UInt128(state.leasedCalls) + UInt128(state.older.calls)),
            callsSold: state.soldCalls)
    }

    private mutating func exchange(
        _ id: String?, spent: UInt64, wish: LeaseWish?, now: Timestamp
    ) throws(LedgerError) -> LedgerOutcome {
        if let wish { try Self.check(wish) }
        if let id {
            guard var lease = leases[id], wish == nil || wish?.holder == lease.holder else { throw .unknownLease }
            if lease.state == .open {
                guard spent <= lease.calls else {
                    throw .invalid("\(spent) calls were spent of a lease of \(lease.calls)")
                }
                close(&lease, spent: spent, as: .settled, now: now)
            } else if wish != nil, let next = leases[lease.successor], next.state == .open, now < next.expiresAt {
                return .lease(next.callLease)  // The same question again: its answer was lost.
            }
        }
        guard let wish else { return .done }
        let lease = try reserve(wish, now: now)
        if let id {
            leases[id]?.successor = lease.id
            changes.leases.insert(id)
        }
        return .lease(lease.callLease)
    }

    private mutating func reserve(_ wish: LeaseWish, now: Timestamp) throws(LedgerError) -> StoredLease {
        let key = AccountKey(account: wish.account, asset: wish.terms.asset)
        var state = accounts[key] ?? CallAccount()
        let granted = try state.reserve(wish.calls, terms: wish.terms)
        let lease = StoredLease(
            id: Hex.encode(randomBytes(16)), key: key, holder: wish.holder, calls: granted,
            price: CallPrice(of: wish.terms), epoch: state.epoch, expiresAt: (now + wish.duration).toMicroseconds)
        update(state, key)
        leases[lease.id] = lease
        changes.leases.insert(lease.id)
        return lease
    }

    private mutating func expire(_ id: String, now: Timestamp) -> LedgerOutcome {
        guard var lease = leases[id], lease.state == .open, lease.expiresAt <= now else { return .done }
        close(&lease, spent: lease.calls, as: .expired, now: now)
        return .done
    }

    // MARK: Steps

    private mutating func close(
        _ lease: inout StoredLease, spent: UInt64, as state: StoredLease.State, now: Timestamp
    ) {
        var account = accounts[lease.key] ?? CallAccount()
        let taken = account.settle(lease, spent: spent)
        update(account, lease.key)
        if spent > 0 || taken > 0 {
            let kind: LedgerEntry.Kind = state == .expired ? .expiry : .sale
            appendSale(kind, now, lease.key, taken, calls: spent, lease: lease.id)
        }
        lease.state = state
        lease.spent = spent
        leases[lease.id] = lease
        changes.leases.insert(lease.id)
    }

    private mutating func update(_ state: CallAccount, _ key: AccountKey) {
        accounts[key] = state
        changes.accounts.insert(key)
    }

    private mutating func appendSale(
        _ kind: LedgerEntry.Kind, _ now: Timestamp, _ key: AccountKey, _ amount: UInt64, calls: UInt64 = 0,
        lease: String = ""
    ) {
        append(
            kind, now, debit: "function:\(key.account)", credit: "revenue:\(key.account)", key.asset, amount,
            calls: calls, lease: lease)
    }

    private mutating func append(
        _ kind: LedgerEntry.Kind, _ now: Timestamp, debit: String, credit: String, _ asset: Asset, _ amount: UInt64,
        calls: UInt64 = 0, rail: String = "", key: [UInt8] = [], total: UInt64 = 0, lease: String = ""
    ) {
        head.sequence += 1
        let draft = LedgerEntry(
            sequence: head.sequence, time: now.toMicroseconds, kind: kind, debit: debit, credit: credit, asset: asset,
            amount: amount, calls: calls, rail: rail, key: key, total: total, lease: lease, hash: [])
        let entry = LedgerEntry(draft, after: head.hash)
        head.hash = entry.hash
        changes.entries.append(entry)
    }

    private static func check(_ wish: LeaseWish) throws(LedgerError) {
        guard (1...LedgerLimits.leaseCallsMaximum).contains(wish.calls) else {
            throw .invalid("a lease has 1 to \(LedgerLimits.leaseCallsMaximum) calls")
        }
        guard (1...253).contains(wish.holder.utf8.count), !wish.holder.utf8.contains(0) else {
            throw .invalid("the holder of a lease has a name of 1 to 253 bytes")
        }
        guard leaseDurations.contains(wish.duration) else { throw .invalid("a lease lasts a second to an hour") }
    }
}

extension Timestamp {
    /// The same time to the microsecond, as stores hold it.
    var toMicroseconds: Timestamp { Timestamp(microsecondsSinceEpoch: microsecondsSinceEpoch) }
}

extension StreamConnection {
    /// The connection with what a store holds of its time.
    var storable: StreamConnection {
        StreamConnection(
            nonce: nonce, account: account, identifier: identifier, endpoint: endpoint, creditsHost: creditsHost,
            asset: asset, expiresAt: expiresAt.toMicroseconds, seed: seed)
    }
}
