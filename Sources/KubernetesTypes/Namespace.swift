/// A scope for names.
///
/// Source: Kubernetes API, `core/v1` Namespace.
public struct Namespace: KubernetesResource, Hashable {
    /// `namespaces` of the core group.
    public static let descriptor = ResourceDescriptor(
        version: "v1", kind: "Namespace", plural: "namespaces", isNamespaced: false)

    /// The object's metadata.
    public var metadata: ObjectMeta
    /// What the server says about it.
    public var status: Status?

    /// Makes a namespace.
    public init(metadata: ObjectMeta) {
        self.metadata = metadata
    }

    /// The state of a namespace.
    public struct Status: Codable, Hashable, Sendable {
        /// `Active` or `Terminating`.
        @OmitEmpty public var phase: String

        /// Makes a status.
        public init(phase: String = "") {
            self.phase = phase
        }
    }
}
