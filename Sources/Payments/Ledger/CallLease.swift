public import Timing

/// A block of calls that one holder may let in without asking again.
///
/// Not settled by then, the whole block counts as used.
public struct CallLease: Hashable, Sendable, Codable {
    /// Names the lease; nobody can guess it.
    public let id: String
    /// Whose calls they are.
    public let account: PaymentAccount
    /// How many; at least 1.
    public let calls: UInt64
    /// When what was not settled counts as used.
    public let expiresAt: Timestamp

    /// Makes a lease.
    public init(id: String, account: PaymentAccount, calls: UInt64, expiresAt: Timestamp) {
        self.id = id
        self.account = account
        self.calls = calls
        self.expiresAt = expiresAt
    }
}

/// What an account has, at the prices asked for.
public struct AccountBalance: Hashable, Sendable, Codable {
    /// Money that no call has used, in units of ``asset``.
    public let balance: UInt64
    /// What ``balance`` is counted in.
    public let asset: Asset
    /// Calls that can still be leased, bonus included; those that are out on lease are not in it.
    public let remainingCalls: UInt64
    /// Calls that are out on lease.
    public let leasedCalls: UInt64
    /// Calls that were used since the account began, bonus included.
    public let callsSold: UInt64

    /// Makes a balance.
    public init(balance: UInt64, asset: Asset, remainingCalls: UInt64, leasedCalls: UInt64, callsSold: UInt64) {
        self.balance = balance
        self.asset = asset
        self.remainingCalls = remainingCalls
        self.leasedCalls = leasedCalls
        self.callsSold = callsSold
    }
}
