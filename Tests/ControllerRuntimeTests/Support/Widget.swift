import KubernetesTypes

/// A custom resource to try controllers on: it wants `size` parts.
struct Widget: KubernetesResource, Hashable {
    static let descriptor = ResourceDescriptor(
        group: "test.farebox.dev", version: "v1", kind: "Widget", plural: "widgets")

    struct Spec: Codable, Hashable, Sendable {
        var size: Int
        @OmitEmpty var note: String

        init(size: Int, note: String = "") {
            self.size = size
            self.note = note
        }
    }

    struct Status: Codable, Hashable, Sendable {
        var parts: Int?
        var observedGeneration: Int64?
        @OmitEmpty var conditions: [Condition]

        init(parts: Int? = nil, observedGeneration: Int64? = nil, conditions: [Condition] = []) {
            self.parts = parts
            self.observedGeneration = observedGeneration
            self.conditions = conditions
        }
    }

    var metadata: ObjectMeta
    var spec: Spec
    var status: Status?

    init(_ name: String, namespace: String = "test", size: Int = 1, note: String = "") {
        metadata = ObjectMeta(name: name, namespace: namespace)
        spec = Spec(size: size, note: note)
    }
}
