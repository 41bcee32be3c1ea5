/// A condition on labels.
///
/// All parts must hold; an empty selector matches everything.
///
/// Source: Kubernetes API, `meta/v1` LabelSelector.
public struct LabelSelector: Codable, Hashable, Sendable {
    /// Labels that must be there with these values.
    @OmitEmpty public var matchLabels: [String: String]
    /// Further conditions.
    @OmitEmpty public var matchExpressions: [LabelSelectorRequirement]

    /// Makes a selector.
    public init(matchLabels: [String: String] = [:], matchExpressions: [LabelSelectorRequirement] = []) {
        self.matchLabels = matchLabels
        self.matchExpressions = matchExpressions
    }

    /// Whether an object with these labels is selected.
    ///
    /// An unknown operator selects nothing.
    public func matches(_ labels: [String: String]) -> Bool {
        matchLabels.allSatisfy { labels[$0.key] == $0.value } && matchExpressions.allSatisfy { $0.matches(labels) }
    }

    /// The selector in the form of a `labelSelector` query parameter, sorted so that equal selectors give equal text.
    public var queryValue: String {
        let equalities = matchLabels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return (equalities + matchExpressions.map(\.queryValue).sorted()).joined(separator: ",")
    }
}

/// One condition on one label.
public struct LabelSelectorRequirement: Codable, Hashable, Sendable {
    /// The label's key.
    public var key: String
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    public var `operator`: String
    /// The values for `In` and `NotIn`.
    @OmitEmpty public var values: [String]

    /// Makes a condition.
    public init(key: String, operator name: String, values: [String] = []) {
        self.key = key
        self.`operator` = name
        self.values = values
    }

    /// Whether the labels fulfil the condition.
    func matches(_ labels: [String: String]) -> Bool {
        switch `operator` {
        case "In": labels[key].map(values.contains) ?? false
        case "NotIn": !(labels[key].map(values.contains) ?? false)
        case "Exists": labels[key] != nil
        case "DoesNotExist": labels[key] == nil
        default: false
        }
    }

    /// The condition in the form of a `labelSelector` query parameter.
    var queryValue: String {
        switch `operator` {
        case "In": "\(key) in (\(values.sorted().joined(separator: ",")))"
        case "NotIn": "\(key) notin (\(values.sorted().joined(separator: ",")))"
        case "DoesNotExist": "!\(key)"
        default: key
        }
    }
}
