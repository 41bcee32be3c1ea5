/// How the gateway reaches payments.
public struct PaymentAccess: Sendable, Hashable {
    /// The internal service of payments, without a path: `http://farebox-payments.farebox-system:9090`.
    public var internalURL: String
    /// A file with the token for leases.
    public var tokenPath: String
    /// Where payers reach payments, without a path: `https://pay.example.xyz`; callers without a paid call are sent there.
    public var publicURL: String?

    /// Makes a way to payments.
    public init(internalURL: String, tokenPath: String, publicURL: String?) {
        self.internalURL = internalURL
        self.tokenPath = tokenPath
        self.publicURL = publicURL
    }
}
