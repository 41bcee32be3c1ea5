/// A scalar as it stands in the text, and what it means.
public struct YAMLScalar: Sendable, Hashable {
    /// What a scalar can mean.
    public enum Value: Sendable, Hashable {
        /// `null`, `~` or nothing.
        case null
        /// `true` or `false`.
        case bool(Bool)
        /// A whole number that fits `Int64`.
        case integer(Int64)
        /// A whole number above `Int64.max` that fits `UInt64`.
        case unsigned(UInt64)
        /// Any other number, infinite ones and NaN included.
        case double(Double)
        /// Everything else.
        case string(String)

        var kind: String {
            switch self {
            case .null: "null"
            case .bool: "a Boolean"
            case .integer, .unsigned: "an integer"
            case .double: "a number"
            case .string: "a string"
            }
        }
    }

    /// The text without quotes and escapes.
    public let text: String
    /// What it means.
    public let value: Value

    /// Makes a scalar that means its text.
    ///
    /// - Parameter string: The text.
    public init(string: String) {
        text = string
        value = .string(string)
    }

    /// Makes a scalar from unquoted text, by the core schema of YAML 1.2 (§10.3.2).
    ///
    /// Only `true` and `false` (also `True`, `TRUE` and so on) are Booleans: `yes`, `no`, `on` and `off` are strings.
    /// Numbers may be decimal, `0o17` or `0x1F`; a leading zero does not make them octal.
    ///
    /// - Parameter text: The text as it stands.
    public init(plain text: String) {
        self.text = text
        value = Self.resolve(text)
    }

    init(text: String, value: Value) {
        self.text = text
        self.value = value
    }

    private static func resolve(_ text: String) -> Value {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
        case ".nan", ".NaN", ".NAN": return .double(.nan)
        default: break
        }
        return number(text) ?? .string(text)
    }

    /// The longest number in bytes; what is longer is a string.
    private static let numberBytesMaximum = 400

    private static func number(_ text: String) -> Value? {
        guard let first = text.utf8.first, text.utf8.count <= numberBytesMaximum, startsNumber(first) else {
            return nil
        }
        if text.hasPrefix("0x") { return integer(text.dropFirst(2), radix: 16) }
        if text.hasPrefix("0o") { return integer(text.dropFirst(2), radix: 8) }
        var digits = text.utf8[...]
        if first == UInt8(ascii: "+") || first == UInt8(ascii: "-") { digits = digits.dropFirst() }
        if !digits.isEmpty, digits.allSatisfy(isDigit) {
            return integer(Substring(text.utf8[...]), radix: 10) ?? Double(text).map { .double($0) }
        }
        guard isFloat(digits) else { return nil }
        return Double(text).map { .double($0) }
    }

    private static func integer(_ text: Substring, radix: Int) -> Value? {
        guard radix == 10 || text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else {
            return nil
        }
        if let value = Int64(text, radix: radix) { return .integer(value) }
        if let value = UInt64(text, radix: radix) { return .unsigned(value) }
        return nil
    }

    /// Whether this is digits with a point, an exponent or both: `.5`, `1.`, `1e3`.
    private static func isFloat(_ text: Substring.UTF8View) -> Bool {
        var rest = text.drop(while: isDigit)
        var digitCount = text.count - rest.count
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst()
            rest = fraction.drop(while: isDigit)
            digitCount += fraction.count - rest.count
        }
        guard digitCount > 0 else { return false }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard !rest.isEmpty else { return false }
            rest = rest.drop(while: isDigit)
        }
        return rest.isEmpty
    }

    private static func startsNumber(_ unit: UInt8) -> Bool {
        isDigit(unit) || unit == UInt8(ascii: "+") || unit == UInt8(ascii: "-") || unit == UInt8(ascii: ".")
    }

    private static func isDigit(_ unit: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(unit)
    }
}
