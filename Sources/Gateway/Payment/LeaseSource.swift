import Payments

/// Who gives leases.
protocol LeaseSource: Sendable {
    /// Settles a lease, if one is named, and asks for the next.
    func exchange(_ exchange: LeaseExchange) async -> LeaseAnswer

    /// Ends a lease.
    ///
    /// - Returns: Whether it is over; else it may be tried again.
    func settle(_ settlement: LeaseSettlement) async -> Bool

    /// What an account has; nil when nobody could tell.
    func balance(of account: PaymentAccount) async -> AccountBalance?
}

extension LeaseClient: LeaseSource {}
