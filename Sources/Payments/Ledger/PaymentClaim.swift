/// A way that money comes in.
public struct PaymentRail: Hashable, Sendable, CustomStringConvertible {
    /// The name: 1 to 32 lower-case letters, digits and hyphens.
    public let description: String

    /// STREAM receipts (Interledger RFC 0039); a claim's key is the nonce and the stream's number.
    public static let stream = PaymentRail(checked: "stream")

    /// Makes a rail; nil when the name is out of form.
    public init?(_ name: String) {
        let isName = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard isName, (1...32).contains(name.utf8.count) else { return nil }
        description = name
    }

    private init(checked name: String) { description = name }
}

/// What a verified proof claims on any rail: what `key` names has brought `total` so far.
///
/// A payment that happens once is a claim whose total never grows again; sent twice, it brings nothing the second time.
public struct PaymentClaim: Hashable, Sendable {
    /// The longest ``key``.
    public static let keyBytesMaximum = 128

    /// The way it came.
    public let rail: PaymentRail
    /// What names the payment on its rail, the same in every proof of it: 1 to 128 bytes.
    public let key: [UInt8]
    /// Everything it has brought, in units of ``asset``.
    public let total: UInt64
    /// Who is credited.
    public let account: PaymentAccount
    /// What ``total`` is counted in; it must be the same in every proof.
    public let asset: Asset

    /// Makes a claim; whoever makes one has verified the proof.
    public init(rail: PaymentRail, key: [UInt8], total: UInt64, account: PaymentAccount, asset: Asset) {
        self.rail = rail
        self.key = key
        self.total = total
        self.account = account
        self.asset = asset
    }
}
