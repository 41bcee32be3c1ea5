/// A way of running containers, such as the sandbox gVisor, set up by an administrator.
///
/// Source: Kubernetes API, `node.k8s.io/v1` RuntimeClass (Kubernetes 1.20 and newer).
public struct RuntimeClass: KubernetesResource, Hashable {
    /// `runtimeclasses.node.k8s.io`, v1; cluster-scoped.
    public static let descriptor = ResourceDescriptor(
        group: "node.k8s.io", version: "v1", kind: "RuntimeClass", plural: "runtimeclasses", isNamespaced: false)

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// The runtime's name in the configuration of the nodes.
    public var handler: String

    /// Makes a RuntimeClass.
    public init(metadata: ObjectMeta, handler: String) {
        self.metadata = metadata
        self.handler = handler
    }
}
