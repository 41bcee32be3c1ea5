/// Who gets the money that is sent to a function: the host until the function's balance is positive, then its author.
///
/// Decided once for each SPSP query; a stream that runs keeps its receiver. Only money to the host is credit: an author's
/// wallet knows the secrets of its own connections and could make receipts at will.
struct RevenueShare: Sendable {
    /// The host's payment pointer.
    let host: PaymentPointer
    /// What authors' pointers may say.
    var rules = PaymentPointer.Rules.strict

    /// Chooses the receiver.
    ///
    /// - Parameters:
    ///   - author: The author's valid pointer, if any.
    ///   - balance: The money of the function's account that no call has used.
    func receiver(author: PaymentPointer?, balance: UInt64) -> PaymentPointer {
        guard let author, balance > 0 else { return host }
        return author
    }

    /// Whether money that is sent to `receiver` counts: it must be the host's pointer, letter by letter.
    func credits(_ receiver: PaymentPointer) -> Bool { receiver.text == host.text }
}
