public import Timing

/// A moment with the resolution of one second, as in `creationTimestamp`.
///
/// Source: Kubernetes API, `meta/v1` Time: RFC 3339; a fraction is accepted on reading and dropped on writing.
public struct Time: Hashable, Sendable {
    /// The moment.
    public let timestamp: Timestamp

    /// Wraps a moment; its fraction of a second is dropped, so that a value survives being written and read.
    public init(_ timestamp: Timestamp) {
        self.timestamp = Timestamp(secondsSinceEpoch: timestamp.secondsSinceEpoch)
    }

    /// The present moment.
    public static var now: Time { Time(.now) }
}

extension Time: Codable, Comparable, CustomStringConvertible {
    /// The moment in RFC 3339, in whole seconds.
    public var description: String { timestamp.rfc3339(.seconds) }

    /// Whether the left moment is earlier.
    public static func < (left: Time, right: Time) -> Bool { left.timestamp < right.timestamp }

    /// Decodes RFC 3339 text.
    public init(from decoder: any Decoder) throws {
        self.init(try Timestamp(from: decoder))
    }

    /// Encodes RFC 3339 text in whole seconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
