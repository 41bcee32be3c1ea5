/// A number or a text, as in ports (`80`, `"http"`) and rollout limits (`1`, `"25%"`).
///
/// Source: Kubernetes API, `util/intstr`.
public enum IntOrString: Codable, Hashable, Sendable {
    /// A number.
    case int(Int32)
    /// A name or a percentage.
    case string(String)

    /// Decodes a JSON number or string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int32.self) {
            self = .int(number)
        } else {
            self = .string(try container.decode(String.self))
        }
    }

    /// Encodes a JSON number or string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .int(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        }
    }
}

extension IntOrString: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    /// Makes a number from a literal.
    public init(integerLiteral value: Int32) { self = .int(value) }
    /// Makes a text from a literal.
    public init(stringLiteral value: String) { self = .string(value) }
}

extension IntOrString: CustomStringConvertible {
    /// The number or the text, as people write it.
    public var description: String {
        switch self {
        case .int(let number): String(number)
        case .string(let text): text
        }
    }
}
