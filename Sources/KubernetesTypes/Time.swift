/// A moment in RFC 3339 text, as in Kubernetes objects.
public struct Time: Codable, Hashable, Sendable {
    /// The moment in RFC 3339.
    public let description: String

    /// Wraps RFC 3339 text.
    init(text: String) { description = text }

    /// Decodes RFC 3339 text.
    public init(from decoder: any Decoder) throws {
        description = try decoder.singleValueContainer().decode(String.self)
    }

    /// Encodes RFC 3339 text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
