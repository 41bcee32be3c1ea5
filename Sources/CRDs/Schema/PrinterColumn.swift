import JSON

/// A column of `kubectl get`.
struct PrinterColumn: Sendable {
    let name: String
    let type: String
    let path: String
    let description: String
    /// 0 is always shown, 1 only with `-o wide`.
    let priority: Int64

    init(_ name: String, type: String = "string", _ path: String, _ description: String, isWide: Bool = false) {
        self.name = name
        self.type = type
        self.path = path
        self.description = description
        priority = isWide ? 1 : 0
    }

    /// Whether the object works: the status of its `Ready` condition.
    static let ready = PrinterColumn(
        "Ready", #".status.conditions[?(@.type=="Ready")].status"#, "Whether the object is in its desired state.")

    /// Why the object is in its state: the reason of its `Ready` condition.
    static func reason(isWide: Bool) -> PrinterColumn {
        PrinterColumn(
            "Reason", #".status.conditions[?(@.type=="Ready")].reason"#,
            "Why the object is in this state, in one word.", isWide: isWide)
    }

    /// How old the object is.
    static let age = PrinterColumn("Age", type: "date", ".metadata.creationTimestamp", "How old the object is.")

    var json: JSONValue {
        var members: JSONObject = [
            "name": .string(name), "type": .string(type), "jsonPath": .string(path),
            "description": .string(description),
        ]
        if priority != 0 { members["priority"] = .integer(priority) }
        return .object(members)
    }
}
