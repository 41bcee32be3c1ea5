import CRDs
import JSON

/// What a client of OpenFaaS said about a function and the Function has no field for, so that the client gets it back.
///
/// Kept in an annotation of the Function: labels and annotations that the cluster does not allow on pods, and constraints.
struct ClientRecord: Equatable, Sendable {
    var labels: [String: String] = [:]
    var annotations: [String: String] = [:]
    var constraints: [String] = []

    init(_ deployment: FunctionDeployment) {
        labels = deployment.labels
        annotations = deployment.annotations
        constraints = deployment.constraints
    }

    /// Reads an annotation's value; what is no record says nothing.
    init(annotation text: String?) {
        guard let text, let value = try? JSONReader().parse(text) else { return }
        func texts(_ key: String) -> [String: String] {
            let members = value[key]?.objectValue ?? [:]
            return [String: JSONValue](members).compactMapValues(\.stringValue)
        }
        labels = texts("labels")
        annotations = texts("annotations")
        constraints = (value["constraints"]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    /// The annotation's value; nil when there is nothing to keep.
    var annotation: String? {
        var members: JSONObject = [:]
        if !labels.isEmpty { members["labels"] = JSONValue(labels.mapValues { .string($0) }) }
        if !annotations.isEmpty { members["annotations"] = JSONValue(annotations.mapValues { .string($0) }) }
        if !constraints.isEmpty { members["constraints"] = .array(constraints.map { .string($0) }) }
        return members.isEmpty ? nil : String(decoding: JSONWriter().write(.object(members)), as: UTF8.self)
    }
}
