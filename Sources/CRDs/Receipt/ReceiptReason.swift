/// Why a Receipt is in its state: the fixed list of words that its conditions use.
///
/// Programs match on these; the message beside each says what to do.
public enum ReceiptReason: String, CaseIterable, Sendable {
    // MARK: Nothing to do.

    /// The receipt was made with a secret of ours.
    case genuine = "Genuine"
    /// Its money is in the function's balance.
    case credited = "Credited"
    /// Its total is not above what was seen on the stream before: it is worth nothing more.
    case nothingNew = "NothingNew"
    /// The money went to the function's author, whose receipts are no credit.
    case paidToAuthor = "PaidToAuthor"
    /// The money went to the host, and no function was named.
    case paidToHost = "PaidToHost"

    // MARK: Wait.

    /// The ledger cannot be used now; it is tried again.
    case ledgerUnavailable = "LedgerUnavailable"

    // MARK: It is worth nothing.

    /// It is no receipt.
    case malformed = "Malformed"
    /// Its version is not 1.
    case unknownVersion = "UnknownVersion"
    /// It was made with no secret of ours.
    case forged = "Forged"
    /// Its payment request is not known, or was forgotten.
    case unknownPaymentRequest = "UnknownPaymentRequest"
    /// Its payment request has expired.
    case expired = "Expired"
    /// It is of another stream than the one this object stands for.
    case immutable = "Immutable"

    // MARK: Change the cluster.

    /// This cluster takes no payments.
    case paymentsNotConfigured = "PaymentsNotConfigured"
}
