import JSON

extension Schema {
    /// The pattern of a DNS label (RFC 1123): what names of most objects consist of.
    static let labelPattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
    /// The pattern of a DNS subdomain (RFC 1123): labels joined by dots.
    static let subdomainPattern = #"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"#
    /// The pattern of a full Git object name: SHA-1 or SHA-256 in lower-case hexadecimal.
    static let commitPattern = "^([0-9a-f]{40}|[0-9a-f]{64})$"

    /// The name of another object.
    static func objectName(_ description: String) -> Schema {
        string(description, pattern: subdomainPattern, minimum: 1, maximum: 253)
    }

    /// A full Git commit.
    static func commit(_ description: String) -> Schema {
        string(description, pattern: commitPattern, maximum: 64)
    }

    /// The generation of the spec that the status was computed from.
    static let observedGeneration = integer(
        "The generation of the spec that this status was computed from.", in: 0...integerMaximum)

    /// The list of conditions that every kind has.
    static func conditions(_ description: String) -> Schema {
        list(description, of: condition, keyedBy: "type", maximum: 32)
    }

    /// One condition; limits are those of `meta/v1` Condition.
    private static let condition = object(
        "One aspect of the object's state.", ConditionKeys.self,
        required: [.type, .status, .reason, .lastTransitionTime]
    ) { key in
        switch key {
        case .type:
            string("The aspect, in CamelCase.", pattern: "^[A-Za-z][A-Za-z0-9]*$", minimum: 1, maximum: 316)
        case .status: choice("Whether the aspect holds.", of: ConditionWord.self)
        case .observedGeneration: integer("The generation of the spec it was computed from.", in: 0...integerMaximum)
        case .lastTransitionTime: time("When `status` changed last.")
        case .reason:
            string(
                "Why, in one word, for programs.", pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", minimum: 1,
                maximum: 1024)
        case .message: string("What it means and what to do, for people.", maximum: 32768)
        }
    }

    private enum ConditionKeys: String, CodingKey, CaseIterable {
        case type, status, observedGeneration, lastTransitionTime, reason, message
    }

    private enum ConditionWord: String, CaseIterable {
        case yes = "True"
        case no = "False"
        case unknown = "Unknown"
    }
}
