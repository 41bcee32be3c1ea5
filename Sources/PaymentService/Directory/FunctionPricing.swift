import CRDs
import Payments

/// What the terms of a Function mean to payments.
enum FunctionPricing: Hashable {
    /// It takes no money.
    case none
    /// Its price cannot be counted with: it was written past the API server's rules.
    case unusable
    /// Its price is in another asset than the host's wallet counts in.
    case otherAsset(String)
    /// It takes money.
    case terms(PriceTerms)

    /// Reads a Function's terms.
    ///
    /// - Parameters:
    ///   - payment: The terms.
    ///   - asset: What the host's wallet counts in.
    init(_ payment: FunctionPayment?, asset: Asset) {
        guard let price = payment?.price else {
            self = payment?.required == true ? .unusable : .none
            return
        }
        guard let scale = UInt8(exactly: price.assetScale), let own = Asset(code: price.assetCode, scale: scale),
            let amount = UInt64(exactly: price.amount), let calls = UInt64(exactly: price.calls),
            let bonusCalls = UInt64(exactly: payment?.bonusCalls ?? 0),
            let terms = PriceTerms(asset: own, amount: amount, calls: calls, bonusCalls: bonusCalls)
        else {
            self = .unusable
            return
        }
        self = own == asset ? .terms(terms) : .otherAsset(own.description)
    }
}
