/// Turns the text of a quantity into its value.
enum QuantityParser {
    /// Returns the value of `text` in units of 10⁻⁹, rounded up away from zero and capped at ±(2⁶³ − 1) units.
    static func nanos(of text: String) -> Int128? {
        let bytes = Array(text.utf8)
        var position = 0
        var isNegative = false
        if let sign = bytes.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            isNegative = sign == UInt8(ascii: "-")
            position = 1
        }
        var mantissa = Mantissa()
        while position < bytes.count, mantissa.take(bytes[position]) { position += 1 }
        guard mantissa.hasDigits, let suffix = Suffix(bytes[position...]) else { return nil }
        let magnitude = mantissa.nanos(scaledBy: suffix)
        return isNegative ? -magnitude : magnitude
    }

    private static let cap = Int128(Int64.max) * 1_000_000_000

    /// The digits before the suffix: an integer and how many of its digits stand behind the point.
    ///
    /// Twenty significant digits are kept; further ones only make the value round up.
    private struct Mantissa {
        var digits: Int128 = 0
        var decimals = 0
        var hasDigits = false
        var hasPoint = false
        var hasDroppedDigits = false

        /// 10²⁰ × 2⁶⁰ (the largest binary suffix) is 1.2 × 10³⁸, just below the 1.7 × 10³⁸ of a 128-bit integer.
        private static let digitsLimit: Int128 = 10_000_000_000_000_000_000

        mutating func take(_ byte: UInt8) -> Bool {
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
                return true
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return false }
            hasDigits = true
            if digits >= Mantissa.digitsLimit {
                hasDroppedDigits = hasDroppedDigits || byte != UInt8(ascii: "0")
                if !hasPoint { decimals -= 1 }
            } else {
                digits = digits * 10 + Int128(byte - UInt8(ascii: "0"))
                if hasPoint { decimals += 1 }
            }
            return true
        }

        func nanos(scaledBy suffix: Suffix) -> Int128 {
            var value = digits * suffix.multiplier
            let power = suffix.exponent + 9 - decimals
            for _ in 0..<max(power, 0) where value < cap { value *= 10 }
            var isInexact = hasDroppedDigits
            for _ in 0..<max(-power, 0) where value != 0 {
                let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 10)
                isInexact = isInexact || remainder != 0
                value = quotient
            }
            return min(isInexact ? value + 1 : value, cap)
        }
    }

    /// What stands behind the digits: a power of two or a power of ten.
    private struct Suffix {
        var multiplier: Int128 = 1
        var exponent = 0

        init?(_ bytes: ArraySlice<UInt8>) {
            let text = String(decoding: bytes, as: UTF8.self)
            if let power = Suffix.powersOfTen[text] {
                exponent = power
            } else if let power = Suffix.powersOfTwo[text] {
                multiplier = Int128(1) << Int128(power)
            } else if let first = bytes.first, first == UInt8(ascii: "e") || first == UInt8(ascii: "E") {
                guard let power = Suffix.exponent(bytes.dropFirst()) else { return nil }
                exponent = power
            } else {
                return nil
            }
        }

        private static let powersOfTen = [
            "": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
        ]
        private static let powersOfTwo = ["Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60]

        private static func exponent(_ bytes: ArraySlice<UInt8>) -> Int? {
            var digits = bytes
            if let sign = digits.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                digits = digits.dropFirst()
            }
            guard !digits.isEmpty, digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
                return nil
            }
            // Beyond ±1000 every value is zero or the cap, so the number itself does not matter.
            let magnitude = Int(String(decoding: digits.prefix(6), as: UTF8.self)) ?? 1000
            return min(magnitude, 1000) * (bytes.first == UInt8(ascii: "-") ? -1 : 1)
        }
    }
}
