/// A text that must not be seen: a token, a password.
///
/// Printing, reflecting and dumping it show nothing; only ``value`` gives it out.
public struct SecretText: Hashable, Sendable {
    /// The text itself.
    public let value: String

    /// Wraps a text.
    public init(_ value: String) {
        self.value = value
    }
}

extension SecretText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Says only whether there is a text.
    public var description: String { value.isEmpty ? "<empty>" : "<redacted>" }
    /// Says only whether there is a text.
    public var debugDescription: String { description }
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretText: Codable {
    /// Decodes a string.
    public init(from decoder: any Decoder) throws {
        value = try decoder.singleValueContainer().decode(String.self)
    }

    /// Encodes the string itself.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}
