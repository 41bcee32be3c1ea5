import JSON

/// One field of a custom resource: its shape, its limits, and the words `kubectl explain` shows for it.
///
/// Every builder asks for the limit that keeps a field bounded, so that no field is without one by accident. The output is
/// a structural OpenAPI v3 schema without CEL rules, because Kubernetes 1.20 refuses those (DESIGN §7).
/// Source: Kubernetes documentation, "Extend the Kubernetes API with CustomResourceDefinitions", structural schemas.
struct Schema: Sendable {
    /// The schema as the API server takes it.
    private(set) var json: JSONObject

    private init(type: String?, _ description: String, _ members: JSONObject = [:]) {
        json = members
        json["description"] = .string(description)
        if let type { json["type"] = .string(type) }
    }

    /// Text of bounded length.
    ///
    /// - Parameters:
    ///   - description: What `kubectl explain` shows.
    ///   - pattern: A regular expression the text must match (RE2, unanchored unless it says so).
    ///   - minimum: The least number of characters.
    ///   - maximum: The greatest number of characters.
    ///   - defaultValue: What the server fills in when the field is absent.
    static func string(
        _ description: String, pattern: String? = nil, minimum: Int64? = nil, maximum: Int64,
        defaultValue: String? = nil, isNullable: Bool = false
    ) -> Schema {
        var schema = Schema(type: "string", description, ["maxLength": .integer(maximum)])
        if isNullable { schema.set("nullable", true) }
        schema.set("pattern", pattern.map { .string($0) })
        schema.set("minLength", minimum.map { .integer($0) })
        schema.set("default", defaultValue.map { .string($0) })
        return schema
    }

    /// One word of a fixed list.
    static func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ description: String, of choices: Choice.Type, defaultValue: Choice? = nil
    ) -> Schema {
        let words = Choice.allCases.map { JSONValue.string($0.rawValue) }
        var schema = Schema(type: "string", description, ["enum": .array(words)])
        schema.set("default", defaultValue.map { .string($0.rawValue) })
        return schema
    }

    /// The greatest whole number that a schema can speak of: 2⁵³ − 1.
    ///
    /// The API server keeps limits as floating-point numbers; 2⁶³ − 1 would become 2⁶³, which it then takes for −2⁶³.
    static let integerMaximum: Int64 = 9_007_199_254_740_991

    /// A whole number in a range.
    static func integer(_ description: String, in range: ClosedRange<Int64>, defaultValue: Int64? = nil) -> Schema {
        precondition(range.upperBound <= integerMaximum && range.lowerBound >= -integerMaximum, "see integerMaximum")
        let isWide = range.lowerBound < Int64(Int32.min) || range.upperBound > Int64(Int32.max)
        var schema = Schema(
            type: "integer", description,
            [
                "format": isWide ? "int64" : "int32", "minimum": .integer(range.lowerBound),
                "maximum": .integer(range.upperBound),
            ])
        schema.set("default", defaultValue.map { .integer($0) })
        return schema
    }

    /// True or false.
    static func boolean(_ description: String, defaultValue: Bool? = nil) -> Schema {
        var schema = Schema(type: "boolean", description)
        schema.set("default", defaultValue.map { .bool($0) })
        return schema
    }

    /// A moment in RFC 3339 text.
    static func time(_ description: String) -> Schema {
        Schema(type: "string", description, ["format": "date-time"])
    }

    /// A span of time such as `90s` or `1h30m`.
    static func duration(_ description: String, defaultValue: String? = nil) -> Schema {
        string(
            description, pattern: #"^([0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h)){1,4}$"#, maximum: 64,
            defaultValue: defaultValue)
    }

    /// An amount of a resource, written as text (`250m`, `128Mi`) or as a number.
    static func quantity(_ description: String) -> Schema {
        Schema(
            type: nil, description,
            [
                "anyOf": [["type": "integer"], ["type": "string"]],
                "pattern":
                    #"^\+?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?$"#,
                "x-kubernetes-int-or-string": true, "maxLength": 64,
            ])
    }

    /// A value whose shape a structural schema cannot describe; the rules given apply to the types they are about.
    static func anything(_ description: String, _ rules: JSONObject) -> Schema {
        var schema = Schema(type: nil, description, rules)
        schema.set("x-kubernetes-preserve-unknown-fields", true)
        return schema
    }

    /// A list of bounded length that is owned and replaced as a whole.
    static func list(_ description: String, of element: Schema, maximum: Int64) -> Schema {
        Schema(
            type: "array", description,
            ["items": .object(element.json), "maxItems": .integer(maximum), "x-kubernetes-list-type": "atomic"])
    }

    /// A list of scalars in which each value stands once; several managers can own elements of it.
    static func set(_ description: String, of element: Schema, maximum: Int64) -> Schema {
        Schema(
            type: "array", description,
            ["items": .object(element.json), "maxItems": .integer(maximum), "x-kubernetes-list-type": "set"])
    }

    /// A list of objects told apart by a key field.
    static func list(_ description: String, of element: Schema, keyedBy key: String, maximum: Int64) -> Schema {
        Schema(
            type: "array", description,
            [
                "items": .object(element.json), "maxItems": .integer(maximum), "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": [.string(key)],
            ])
    }

    /// The `metadata` of a kind, which may limit the object's name and say nothing else, not even what it is.
    static func metadata(namePattern: String, nameMaximum: Int64) -> Schema {
        let name: JSONValue = [
            "type": "string", "pattern": .string(namePattern), "minLength": 1, "maxLength": .integer(nameMaximum),
        ]
        var schema = Schema(type: "object", "")
        schema.json = ["type": "object", "properties": ["name": name]]
        return schema
    }

    /// Values by free keys.
    static func map(_ description: String, of value: Schema, maximum: Int64) -> Schema {
        Schema(
            type: "object", description,
            ["additionalProperties": .object(value.json), "maxProperties": .integer(maximum)])
    }

    /// An object whose fields are the coding keys of its Swift type.
    ///
    /// `property` is an exhaustive `switch`, so the compiler demands a schema for every field of the type.
    static func object<Keys: CodingKey & CaseIterable>(
        _ description: String, _ keys: Keys.Type, required: [Keys] = [], property: (Keys) -> Schema
    ) -> Schema {
        var properties = JSONObject()
        for key in Keys.allCases { properties[key.stringValue] = .object(property(key).json) }
        var schema = Schema(type: "object", description, ["properties": .object(properties)])
        if !required.isEmpty { schema.set("required", .array(required.map { .string($0.stringValue) })) }
        return schema
    }

    /// Adds the fields that every object has, for `kubectl explain`.
    mutating func addTypeMeta() {
        for (key, description) in [
            ("apiVersion", "The group and version of this object's kind."), ("kind", "The kind of this object."),
        ] {
            json["properties"]?[key] = ["type": "string", "description": .string(description)]
        }
    }

    private mutating func set(_ key: String, _ value: JSONValue?) {
        if let value { json[key] = value }
    }
}
