/// What calls cost: an amount for so many calls, and how many calls may go ahead of the money.
///
/// The arithmetic is that of ``CallTally``.
public struct PriceTerms: Hashable, Sendable {
    /// The most bonus calls: they are given away, so a slip of the finger has an end.
    public static let bonusCallsMaximum: UInt64 = 1_000_000_000

    /// What ``amount`` is counted in.
    public let asset: Asset
    /// Units of the asset that ``calls`` calls cost; at least 1.
    public let amount: UInt64
    /// How many calls ``amount`` buys; at least 1.
    public let calls: UInt64
    /// Calls that may be used before they are paid; the next payment pays for them first.
    public let bonusCalls: UInt64

    /// Makes terms; nil when a price is none or the bonus is beyond its maximum.
    ///
    /// - Parameters:
    ///   - asset: What the amount is counted in.
    ///   - amount: Units for `calls` calls; at least 1.
    ///   - calls: How many calls; at least 1.
    ///   - bonusCalls: At most ``bonusCallsMaximum``.
    public init?(asset: Asset, amount: UInt64, calls: UInt64, bonusCalls: UInt64) {
        guard amount >= 1, calls >= 1, bonusCalls <= Self.bonusCallsMaximum else { return nil }
        self.asset = asset
        self.amount = amount
        self.calls = calls
        self.bonusCalls = bonusCalls
    }
}

extension PriceTerms: Codable {
    private enum CodingKeys: String, CodingKey {
        case asset
        case amount
        case calls
        case bonusCalls
    }

    /// Reads an object with `asset`, `amount`, `calls` and `bonusCalls`; the last may be absent.
    ///
    /// - Parameter decoder: Where the object is.
    /// - Throws: `DecodingError` when a field is missing or out of range.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let asset = try container.decode(Asset.self, forKey: .asset)
        let amount = try container.decode(UInt64.self, forKey: .amount)
        let calls = try container.decode(UInt64.self, forKey: .calls)
        let bonus = try container.decodeIfPresent(UInt64.self, forKey: .bonusCalls) ?? 0
        guard let terms = PriceTerms(asset: asset, amount: amount, calls: calls, bonusCalls: bonus) else {
            throw DecodingError.dataCorruptedError(
                forKey: .amount, in: container,
                debugDescription: "amount and calls are at least 1, bonusCalls at most \(Self.bonusCallsMaximum)")
        }
        self = terms
    }
}
