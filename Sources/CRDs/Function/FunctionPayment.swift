/// What a call costs, and who gets the money.
public struct FunctionPayment: Codable, Hashable, Sendable {
    /// Whether a call that nobody paid for is refused.
    public var required: Bool?
    /// What calls cost.
    public var price: FunctionPrice?
    /// Calls that are free.
    public var bonusCalls: Int64?
    /// The author's payment pointer.
    public var paymentPointer: String?

    /// Makes terms of payment.
    public init(
        required: Bool? = nil, price: FunctionPrice? = nil, bonusCalls: Int64? = nil, paymentPointer: String? = nil
    ) {
        self.required = required
        self.price = price
        self.bonusCalls = bonusCalls
        self.paymentPointer = paymentPointer
    }

    /// Fills in what terms leave open; nil when neither says anything.
    ///
    /// - Parameters:
    ///   - terms: A function's own.
    ///   - defaults: Its Repository's.
    public init?(_ terms: FunctionPayment?, defaults: FunctionPayment?) {
        guard terms != nil || defaults != nil else { return nil }
        required = terms?.required ?? defaults?.required
        price = terms?.price ?? defaults?.price
        bonusCalls = terms?.bonusCalls ?? defaults?.bonusCalls
        paymentPointer = terms?.paymentPointer ?? defaults?.paymentPointer
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case required, price, bonusCalls, paymentPointer
    }
}

/// An amount of an asset for a number of calls.
public struct FunctionPrice: Codable, Hashable, Sendable {
    /// The amount in the asset's minor unit.
    public var amount: Int64
    /// The asset, such as `XRP` or `USD`.
    public var assetCode: String
    /// How many decimal places the minor unit stands behind the asset's unit.
    public var assetScale: Int32
    /// How many calls the amount buys.
    public var calls: Int64

    /// Makes a price.
    public init(amount: Int64, assetCode: String, assetScale: Int32, calls: Int64) {
        self.amount = amount
        self.assetCode = assetCode
        self.assetScale = assetScale
        self.calls = calls
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case amount, assetCode, assetScale, calls
    }
}
