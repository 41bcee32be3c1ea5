/// Why the ledger did not do what it was asked.
public enum LedgerError: Error, Hashable, Sendable {
    /// No connection has this nonce, or it expired long ago.
    case unknownNonce
    /// The connection has expired; its receipts are not taken any more.
    case expired
    /// The total is not above the highest one before.
    case nothingNew(highest: UInt64)
    /// No call is left: somebody has to pay.
    case exhausted
    /// There is no such lease, or it is another holder's.
    case unknownLease
    /// The request makes no sense, as the text says; sending it again will not help.
    case invalid(String)
    /// More is waiting than the ledger takes on; nothing was done, and later it may be.
    case busy(retryAfter: Duration)
    /// The store does not work, as the text says. Whether the request was carried out is not known; sending it again is
    /// safe, since proofs and leases count once.
    case unavailable(String)
}

extension LedgerError: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .unknownNonce: "no connection has this nonce"
        case .expired: "the connection has expired"
        case .nothingNew(let highest): "the total is not above \(highest), which was seen before"
        case .exhausted: "no call is left"
        case .unknownLease: "there is no such lease"
        case .invalid(let text): text
        case .busy(let retryAfter): "the ledger has too much to do; try again after \(retryAfter)"
        case .unavailable(let text): "the ledger's store does not work: \(text)"
        }
    }
}
