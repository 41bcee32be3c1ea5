import JSON
import Timing

/// What a server tells of a function: an element of `GET /system/functions`.
struct RemoteFunction: Sendable, Equatable {
    let name: String
    let namespace: String
    let image: String
    /// Replicas that are wanted.
    let replicas: Int64
    /// Replicas that take calls.
    let available: Int64
    /// Calls since the gateways started.
    let calls: Int64
    let created: Timestamp?
    let secrets: [String]
    /// All of it, as it came.
    let value: JSONValue

    /// Reads an element; nil for what is none.
    init?(_ value: JSONValue) {
        guard let name = value["name"]?.stringValue, !name.isEmpty else { return nil }
        self.name = name
        namespace = value["namespace"]?.stringValue ?? ""
        image = value["image"]?.stringValue ?? ""
        replicas = value["replicas"]?.integerValue ?? 0
        available = value["availableReplicas"]?.integerValue ?? 0
        calls = value["invocationCount"]?.integerValue ?? 0
        created = value["createdAt"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        secrets = value["secrets"]?.arrayValue?.compactMap(\.stringValue) ?? []
        self.value = value
    }

    /// Whether as many replicas take calls as are wanted.
    var isSettled: Bool { available == replicas }
}
