import CRDs

/// Money for a person to read: exact, never by floating point.
enum PriceText {
    /// A price, such as `0.50 USD for 100 calls`.
    static func text(_ price: FunctionPrice) -> String {
        let calls = price.calls == 1 ? "a call" : "\(price.calls) calls"
        return
            "\(amount("\(price.amount)", scale: price.assetScale)) \(TerminalText.line(price.assetCode)) for \(calls)"
    }

    /// A function's balance in its price's asset; nil where none is known.
    static func balance(of function: Function) -> String? {
        guard let balance = function.status?.balance else { return nil }
        guard let price = function.spec.payment?.price else { return balance }
        return "\(amount(balance, scale: price.assetScale)) \(TerminalText.line(price.assetCode))"
    }

    /// An amount of minor units, written in the asset's unit.
    ///
    /// - Parameters:
    ///   - minor: Whole minor units in decimal digits; anything else is shown as it is.
    ///   - scale: How many decimal places the minor unit stands behind the unit; 0 to 30 make sense.
    static func amount(_ minor: String, scale: Int32) -> String {
        let isNegative = minor.hasPrefix("-")
        let digits = isNegative ? minor.dropFirst() : minor[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), (1...30).contains(scale) else {
            return TerminalText.line(minor)
        }
        let padded = String(repeating: "0", count: max(0, Int(scale) + 1 - digits.count)) + digits
        return (isNegative ? "-" : "") + padded.dropLast(Int(scale)) + "." + padded.suffix(Int(scale))
    }
}
