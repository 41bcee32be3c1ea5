public import Timing

/// A moment with the resolution of one microsecond, as in leases and events.
///
/// Source: Kubernetes API, `meta/v1` MicroTime: RFC 3339 with six decimals on writing; any fraction, or none, on reading.
public struct MicroTime: Hashable, Sendable {
    /// The moment.
    public let timestamp: Timestamp

    /// Wraps a moment; what is finer than a microsecond is dropped, so that a value survives being written and read.
    public init(_ timestamp: Timestamp) {
        self.timestamp = Timestamp(
            secondsSinceEpoch: timestamp.secondsSinceEpoch,
            nanoseconds: timestamp.nanoseconds - timestamp.nanoseconds % 1000)
    }

    /// The present moment.
    public static var now: MicroTime { MicroTime(.now) }
}

extension MicroTime: Codable, Comparable, CustomStringConvertible {
    /// The moment in RFC 3339, with microseconds.
    public var description: String { timestamp.rfc3339(.microseconds) }

    /// Whether the left moment is earlier.
    public static func < (left: MicroTime, right: MicroTime) -> Bool { left.timestamp < right.timestamp }

    /// Decodes RFC 3339 text.
    public init(from decoder: any Decoder) throws {
        self.init(try Timestamp(from: decoder))
    }

    /// Encodes RFC 3339 text with six decimals.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
