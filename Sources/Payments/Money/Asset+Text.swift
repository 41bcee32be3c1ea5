extension Asset {
    /// An amount for people, in the asset itself: `0.00000001 USD` for 10 units of scale 9.
    func text(_ amount: UInt64) -> String {
        var digits = String(amount)
        if digits.utf8.count <= Int(scale) {
            digits = String(repeating: "0", count: Int(scale) + 1 - digits.utf8.count) + digits
        }
        let whole = digits.dropLast(Int(scale))
        var fraction = digits.suffix(Int(scale))
        while fraction.last == "0" {
            fraction.removeLast()
        }
        return (fraction.isEmpty ? String(whole) : "\(whole).\(fraction)") + " \(code)"
    }
}
