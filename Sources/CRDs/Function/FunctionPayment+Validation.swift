extension FunctionPayment {
    /// Returns the rules that the terms break and that the schema cannot express.
    ///
    /// What it takes, payments can count with: the bounds are those of the ledger.
    ///
    /// - Parameters:
    ///   - path: Where the terms stand, such as `spec.payment`.
    ///   - allowsPorts: Whether the author's pointer may have a port.
    func violations(path: String, allowsPorts: Bool) -> [Violation] {
        var violations: [Violation] = []
        func refuse(_ field: String, _ message: String) {
            violations.append(Violation(path: "\(path).\(field)", message: message))
        }
        if required == true, price == nil {
            refuse("price", "is missing; a function that demands payment has to say what its calls cost")
        }
        if let price {
            if price.amount < 1 { refuse("price.amount", "\(price.amount) is no price; at least 1") }
            if !price.hasAssetCode {
                refuse(
                    "price.assetCode",
                    "\"\(price.assetCode)\" is no asset; 3 to 12 capital letters and digits, a letter first, such as XRP"
                )
            }
            if !(0...FunctionPrice.assetScaleMaximum).contains(price.assetScale) {
                refuse("price.assetScale", "from 0 to \(FunctionPrice.assetScaleMaximum)")
            }
            if price.calls < 1 { refuse("price.calls", "\(price.calls) calls have no price; at least 1") }
        }
        if let bonusCalls, bonusCalls != 0 {
            if !(0...Self.bonusCallsMaximum).contains(bonusCalls) {
                refuse("bonusCalls", "from 0 to \(Self.bonusCallsMaximum)")
            } else if price == nil {
                refuse("bonusCalls", "mean nothing without a price; set price, or leave them out")
            }
        }
        if let paymentPointer, !Self.isPointer(paymentPointer, allowsPorts: allowsPorts) {
            refuse(
                "paymentPointer",
                """
                "\(paymentPointer)" is no payment pointer; write it like $wallet.example.com/alice, without user, port, query \
                or fragment
                """)
        }
        return violations
    }

    /// The most bonus calls: they are given away, so a slip of the finger has an end.
    static let bonusCallsMaximum: Int64 = 1_000_000_000
}

extension FunctionPrice {
    /// The longest code of an asset.
    static let assetCodeMaximum: Int64 = 12
    /// With more decimals 64 bits would hold no whole unit.
    static let assetScaleMaximum: Int32 = 18
    /// Capital letters and digits, a letter first.
    static let assetCodePattern = "^[A-Z][A-Z0-9]*$"

    fileprivate var hasAssetCode: Bool {
        let bytes = Array(assetCode.utf8)
        guard (3...Int(Self.assetCodeMaximum)).contains(bytes.count) else { return false }
        return bytes.enumerated().allSatisfy { index, byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (index > 0 && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte))
        }
    }
}
