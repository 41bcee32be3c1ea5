/// One aspect of an object's state, as a controller last saw it.
///
/// Source: Kubernetes API, `meta/v1` Condition.
public struct Condition: Codable, Hashable, Sendable {
    /// The aspect, in CamelCase; unique in its list.
    public var type: String
    /// Whether the aspect holds.
    public var status: ConditionStatus
    /// The generation this condition was computed from.
    public var observedGeneration: Int64?
    /// When ``status`` changed last.
    public var lastTransitionTime: Time?
    /// Why, in one CamelCase word, for programs.
    @OmitEmpty public var reason: String
    /// What it means and what to do, for people.
    @OmitEmpty public var message: String

    /// Makes a condition.
    public init(
        type: String, status: ConditionStatus, reason: String, message: String = "", observedGeneration: Int64? = nil,
        lastTransitionTime: Time? = nil
    ) {
        self.type = type
        self.status = status
        self.observedGeneration = observedGeneration
        self.lastTransitionTime = lastTransitionTime
        self.reason = reason
        self.message = message
    }
}

/// Whether a condition holds.
public enum ConditionStatus: String, Codable, Hashable, Sendable {
    /// The condition holds.
    case `true` = "True"
    /// The condition does not hold.
    case `false` = "False"
    /// Nobody knows (yet).
    case unknown = "Unknown"

    /// Decodes the API's text; a value that the API does not define counts as unknown.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        self = ConditionStatus(rawValue: text) ?? .unknown
    }
}

extension Sequence where Element == Condition {
    /// Returns the condition of the given type, if the list holds one.
    public func condition(_ type: String) -> Condition? { first { $0.type == type } }
}
