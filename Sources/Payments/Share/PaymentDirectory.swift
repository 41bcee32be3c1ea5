/// Which functions take money: asked by SPSP queries, leases and balances.
///
/// What it knows is the truth about prices: nobody who asks for a lease brings their own.
public protocol PaymentDirectory: Sendable {
    /// Finds the function that an SPSP query names; owners compare without regard to case.
    ///
    /// - Parameter name: Never `.host`.
    /// - Throws: `.unknown` for functions without a price as well; `.ambiguous`; `.unavailable`.
    func function(named name: PayeeName) async throws(PaymentDirectoryError) -> PayableFunction

    /// Finds the function that an account belongs to.
    ///
    /// - Throws: `.unknown` for functions without a price as well; `.unavailable`.
    func function(of account: PaymentAccount) async throws(PaymentDirectoryError) -> PayableFunction

    /// Whether it knows what there is; until then the process is not ready.
    var isReady: Bool { get }
}

extension PaymentDirectory {
    /// Most directories know from the start.
    public var isReady: Bool { true }
}

/// A function that takes money.
public struct PayableFunction: Hashable, Sendable {
    /// Its account.
    public let account: PaymentAccount
    /// What its calls cost.
    public let terms: PriceTerms
    /// Its author's payment pointer as written, valid or not.
    public let authorPointer: String?

    /// Makes a function.
    public init(account: PaymentAccount, terms: PriceTerms, authorPointer: String? = nil) {
        self.account = account
        self.terms = terms
        self.authorPointer = authorPointer
    }
}

/// Why a directory finds no function.
public enum PaymentDirectoryError: Error, Hashable, Sendable {
    /// There is none by this name, or it takes no money.
    case unknown
    /// Several functions go by this joined name; owner and name must be told apart.
    case ambiguous
    /// What there is, is not known yet; later it may be.
    case unavailable(String)
}
