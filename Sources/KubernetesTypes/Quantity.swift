/// An amount of a resource, such as `128Mi` of memory or `250m` of a processor.
///
/// The text is kept as written; comparison and equality are by value, so `1000m` equals `1`. Precision is nano
/// (finer fractions are rounded up, away from zero), magnitude at most 2⁶³ − 1 (larger ones are capped), as the server
/// does. Source: Kubernetes API, `api/resource` Quantity.
public struct Quantity: Sendable {
    /// The text as written.
    public let text: String
    /// The value in units of 10⁻⁹.
    ///
    /// 2⁶³ × 10⁹ is below 2⁹³, so a 128-bit integer holds every quantity.
    let nanos: Int128

    /// Parses a quantity.
    ///
    /// - Returns: `nil` when `text` does not follow the grammar
    ///   `[+-] digits [. digits] [n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|(e|E)[+-]digits]`.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.textBytesMaximum, let nanos = QuantityParser.nanos(of: text) else { return nil }
        self.text = text
        self.nanos = nanos
    }

    /// Makes a quantity of whole units.
    public init(_ value: Int64) {
        text = String(value)
        nanos = Int128(value) * 1_000_000_000
    }

    /// The value in whole units, rounded up as the scheduler does.
    public var value: Int64 { Self.roundedUp(nanos, to: 1_000_000_000) }

    /// The value in thousandths, rounded up; capped at the largest 64-bit number.
    public var milliValue: Int64 { Self.roundedUp(nanos, to: 1_000_000) }

    /// Whether the value is below zero.
    public var isNegative: Bool { nanos < 0 }

    /// Longer texts are refused; the longest sensible one, 2⁶³ with nine decimals, has 30 bytes.
    static let textBytesMaximum = 64

    private static func roundedUp(_ nanos: Int128, to unit: Int128) -> Int64 {
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: unit)
        return Int64(clamping: remainder > 0 ? quotient + 1 : quotient)
    }
}

extension Quantity: Hashable, Comparable {
    /// Whether both stand for the same amount.
    public static func == (left: Quantity, right: Quantity) -> Bool { left.nanos == right.nanos }
    /// Whether the left amount is smaller.
    public static func < (left: Quantity, right: Quantity) -> Bool { left.nanos < right.nanos }
    /// Hashes the amount, not its text.
    public func hash(into hasher: inout Hasher) { hasher.combine(nanos) }
}

extension Quantity: Codable, CustomStringConvertible {
    /// The text as written.
    public var description: String { text }

    /// Decodes a JSON string or number.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text: String
        if let number = try? container.decode(Int64.self) {
            text = String(number)
        } else if let number = try? container.decode(Double.self) {
            text = String(number)
        } else {
            text = try container.decode(String.self)
        }
        guard let quantity = Quantity(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a quantity: \(text)")
        }
        self = quantity
    }

    /// Encodes the text as written.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
