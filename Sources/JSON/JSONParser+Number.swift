extension JSONParser {
    /// The longest number in bytes: a `Double` needs at most 767 digits to be told from its neighbours.
    private static let numberBytesMaximum = 1024

    /// Reads a number; the current position is its first byte.
    mutating func number(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
        let start = position
        var index = start
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        var decimal = Decimal()
        try integerDigits(bytes, &index, &decimal)
        let isWhole = try !fractionAndExponent(bytes, &index, &decimal)
        guard index - start <= Self.numberBytesMaximum else {
            throw .limitExceeded(
                reason: "the number has more than the \(Self.numberBytesMaximum) bytes allowed",
                location: JSONLocation(offset: start, in: bytes))
        }
        position = index
        if isWhole, !decimal.hasOverflowed {
            if !isNegative { return JSONValue(decimal.significand) }
            if let value = Int64(exactly: -Int128(decimal.significand)) { return .integer(value) }
        }
        if let value = decimal.exactDouble { return .double(isNegative ? -value : value) }
        let text = String(copying: UTF8Span(unchecked: bytes.extracting(start..<index)))
        guard let value = Double(text), value.isFinite else {
            throw malformed("the number is out of range", bytes, at: start)
        }
        return .double(value)
    }

    private func integerDigits(
        _ bytes: Span<UInt8>, _ index: inout Int, _ decimal: inout Decimal
    ) throws(JSONError) {
        let first = index
        while let digit = digit(bytes, index) {
            decimal.append(digit)
            index += 1
        }
        guard index > first else { throw malformed("expected a digit", bytes, at: index) }
        guard index == first + 1 || bytes[first] != UInt8(ascii: "0") else {
            throw malformed("a number must not begin with a zero", bytes, at: first)
        }
    }

    /// Reads `.5` and `e-7`.
    ///
    /// - Returns: Whether one of them was there.
    private func fractionAndExponent(
        _ bytes: Span<UInt8>, _ index: inout Int, _ decimal: inout Decimal
    ) throws(JSONError) -> Bool {
        let start = index
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            let first = index
            while let digit = digit(bytes, index) {
                decimal.append(digit)
                decimal.exponent -= 1
                index += 1
            }
            guard index > first else { throw malformed("expected a digit after the point", bytes, at: index) }
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            var isNegative = false
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                isNegative = bytes[index] == UInt8(ascii: "-")
                index += 1
            }
            let first = index
            var exponent = 0
            while let digit = digit(bytes, index) {
                exponent = min(exponent * 10 + Int(digit), 100_000)  // Past every Double, far from overflow.
                index += 1
            }
            guard index > first else { throw malformed("expected a digit in the exponent", bytes, at: index) }
            decimal.exponent += isNegative ? -exponent : exponent
        }
        return index > start
    }

    @inline(__always)
    private func digit(_ bytes: Span<UInt8>, _ index: Int) -> UInt8? {
        guard index < bytes.count else { return nil }
        let digit = bytes[index] &- UInt8(ascii: "0")
        return digit < 10 ? digit : nil
    }
}

/// The digits of a number as a whole number and a power of ten.
private struct Decimal {
    var significand: UInt64 = 0
    var exponent = 0
    /// Whether `significand` lost digits.
    var hasOverflowed = false

    @inline(__always)
    mutating func append(_ digit: UInt8) {
        let (product, productOverflow) = significand.multipliedReportingOverflow(by: 10)
        let (sum, sumOverflow) = product.addingReportingOverflow(UInt64(digit))
        if productOverflow || sumOverflow { hasOverflowed = true }
        significand = sum
    }

    /// The value when one correctly rounded operation on exact numbers gives it (Clinger's fast path).
    ///
    /// Whole numbers up to 2^53 and powers of ten up to 10^22 are exact as `Double`.
    var exactDouble: Double? {
        guard !hasOverflowed, significand <= 1 << 53, (-22...22).contains(exponent) else { return nil }
        let power = Self.powersOfTen[abs(exponent)]
        return exponent < 0 ? Double(significand) / power : Double(significand) * power
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
}
