extension Duration {
    /// A duration as Go and Kubernetes write it: `300ms`, `1h30m`, `-1.5s`, `0`.
    ///
    /// The grammar is that of Go's `time.ParseDuration`: an optional sign, then numbers with an optional fraction, each
    /// with its unit (`ns`, `us` or `µs`, `ms`, `s`, `m`, `h`), or a lone `0`. Parts below a nanosecond are cut off.
    ///
    /// - Parameter text: The text; at most 64 bytes.
    /// - Returns: Nil when the text is something else, or beyond the 292 years that Go can hold.
    public init?(goStyle text: String) {
        var rest = text.utf8[...]
        guard rest.count <= 64 else { return nil }
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if rest.elementsEqual("0".utf8) {
            self = .zero
            return
        }
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            guard let part = Self.takePart(&rest) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        self = .nanoseconds(isNegative ? -total : total)
    }

    /// The duration as Go's `Duration.String` prints it: `1h30m0s`, `1.5s`, `100ms`, `0s`.
    ///
    /// Parts below a nanosecond are cut off; beyond the range of Go the nearest duration in range is printed.
    public var goStyle: String {
        let nanoseconds = clampedNanoseconds
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        switch magnitude {
        case 0: return "0s"
        case ..<1_000: return "\(sign)\(magnitude)ns"
        case ..<1_000_000: return sign + Self.fraction(magnitude, of: 1_000) + "µs"
        case ..<1_000_000_000: return sign + Self.fraction(magnitude, of: 1_000_000) + "ms"
        default: break
        }
        let seconds = magnitude / 1_000_000_000
        let lastPart = Self.fraction(magnitude % 60_000_000_000, of: 1_000_000_000) + "s"
        if seconds < 60 { return sign + lastPart }
        let minutes = seconds / 60
        if minutes < 60 { return "\(sign)\(minutes)m\(lastPart)" }
        return "\(sign)\(minutes / 60)h\(minutes % 60)m\(lastPart)"
    }

    /// The whole nanoseconds, cut to what `Int64` holds.
    private var clampedNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let nanoseconds = Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000)
        return Int64(clamping: nanoseconds)
    }

    /// Takes one number and its unit off the front.
    ///
    /// - Returns: Its nanoseconds; nil when it is malformed or too large.
    private static func takePart(_ text: inout Substring.UTF8View) -> Int64? {
        let whole = takeDigits(&text)
        var fraction = text.prefix(0)
        if text.first == UInt8(ascii: ".") {
            text = text.dropFirst()
            fraction = takeDigits(&text)
        }
        guard !(whole.isEmpty && fraction.isEmpty), whole.count <= 19, let unit = takeUnit(&text) else { return nil }
        var nanoseconds = number(whole) * unit
        // 18 digits of an hour's 3.6 × 10^12 ns are far below a nanosecond, and their product below 10^31.
        let decimals = fraction.prefix(18)
        let scale = decimals.reduce(Int128(1)) { scale, _ in scale * 10 }
        nanoseconds += number(decimals) * unit / scale
        return Int64(exactly: nanoseconds)
    }

    /// The value of at most 19 digits.
    private static func number(_ digits: Substring.UTF8View) -> Int128 {
        digits.reduce(0) { $0 * 10 + Int128($1 - UInt8(ascii: "0")) }
    }

    private static func takeDigits(_ text: inout Substring.UTF8View) -> Substring.UTF8View {
        let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        text = text[digits.endIndex...]
        return digits
    }

    /// Takes a unit off the front and returns its nanoseconds.
    private static func takeUnit(_ text: inout Substring.UTF8View) -> Int128? {
        let name = text.prefix { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) && $0 != UInt8(ascii: ".") }
        text = text[name.endIndex...]
        switch String(Substring(name)) {
        case "ns": return 1
        case "us", "\u{b5}s", "\u{3bc}s": return 1_000  // The micro sign and the Greek letter, as Go has it.
        case "ms": return 1_000_000
        case "s": return 1_000_000_000
        case "m": return 60_000_000_000
        case "h": return 3_600_000_000_000
        default: return nil
        }
    }

    /// A quotient in decimals without trailing zeros: `1.5` for 1500 of 1000.
    private static func fraction(_ value: UInt64, of unit: UInt64) -> String {
        let rest = value % unit
        guard rest > 0 else { return "\(value / unit)" }
        var digits = String(rest + unit).dropFirst()  // The unit's own 1 keeps the leading zeros of the rest.
        while digits.last == "0" { digits.removeLast() }
        return "\(value / unit).\(digits)"
    }
}
