/// The name of whoever owns repositories and functions: a user or an organisation of a Git host.
///
/// Git hosts keep the case of a name and compare without it; so does this type (DESIGN §5).
public struct OwnerName: Sendable {
    /// The name as its owner writes it.
    public let display: String
    /// The name for comparing, and for names of objects and hosts.
    public let lowercased: String

    /// Makes a name; any text is taken, since the rules differ between Git hosts.
    public init(_ name: String) {
        display = name
        lowercased = name.lowercased()
    }
}

extension OwnerName: Hashable {
    /// Whether two names mean the same owner.
    public static func == (left: OwnerName, right: OwnerName) -> Bool { left.lowercased == right.lowercased }
    /// Hashes what ``==(_:_:)`` compares.
    public func hash(into hasher: inout Hasher) { hasher.combine(lowercased) }
}

extension OwnerName: Codable, CustomStringConvertible {
    /// The name as its owner writes it.
    public var description: String { display }

    /// Decodes a string.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    /// Encodes the name as its owner writes it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(display)
    }
}
