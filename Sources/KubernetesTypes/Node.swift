/// A machine of the cluster, as far as Farebox looks at it: its labels.
///
/// Source: Kubernetes API, `core/v1` Node.
public struct Node: KubernetesResource, Hashable {
    /// `nodes` of the core group.
    public static let descriptor = ResourceDescriptor(version: "v1", kind: "Node", plural: "nodes", isNamespaced: false)

    /// The label that says where it stands.
    public static let zoneLabel = "topology.kubernetes.io/zone"

    /// The object's metadata.
    public var metadata: ObjectMeta

    /// Makes a node.
    public init(metadata: ObjectMeta) {
        self.metadata = metadata
    }
}
