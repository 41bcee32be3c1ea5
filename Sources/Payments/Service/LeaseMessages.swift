/// What a gateway sends for a lease: `POST /v1/leases/exchange`.
public struct LeaseExchange: Codable, Hashable, Sendable {
    /// Whose calls.
    public var account: PaymentAccount
    /// How many are wished for.
    public var calls: UInt64
    /// Names the process that asks, and no other.
    public var holder: String
    /// How long the new lease shall last, from 1 to 3600.
    public var seconds: Int
    /// The lease that ends.
    public var lease: String?
    /// How many calls of it were used.
    public var spent: UInt64?

    /// Makes the question.
    public init(
        account: PaymentAccount, calls: UInt64, holder: String, seconds: Int, lease: String? = nil, spent: UInt64? = nil
    ) {
        self.account = account
        self.calls = calls
        self.holder = holder
        self.seconds = seconds
        self.lease = lease
        self.spent = spent
    }
}

/// What a gateway sends to end a lease: `POST /v1/leases/settle`.
public struct LeaseSettlement: Codable, Hashable, Sendable {
    /// The lease.
    public var lease: String
    /// How many calls of it were used.
    public var spent: UInt64

    /// Makes the message.
    public init(lease: String, spent: UInt64) {
        self.lease = lease
        self.spent = spent
    }
}

/// What payments answer to an exchange.
public enum LeaseAnswer: Hashable, Sendable {
    /// A new lease; the one before it is settled.
    case granted(CallLease)
    /// No call is left; the lease before is settled. What the account has, where it is known.
    case exhausted(AccountBalance?)
    /// The lease before is unknown, or was spent otherwise than it was given.
    case unknownLease
    /// The function has no price that payments know.
    case notPayable
    /// Nothing is known: it may have happened or not. Why.
    case unavailable(String)
}
