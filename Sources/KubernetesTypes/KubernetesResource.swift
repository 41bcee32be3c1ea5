/// An object of the Kubernetes API with a kind of its own.
///
/// Conforming types hold only the fields Farebox uses: unknown fields are ignored on reading, and writes go by
/// server-side apply with the fields we own, so nothing of others is lost. `apiVersion` and `kind` are not stored: they
/// come from ``descriptor``.
public protocol KubernetesResource: Codable, Sendable {
    /// Where the kind lives in the API.
    static var descriptor: ResourceDescriptor { get }
    /// Name, namespace, labels and the other fields that every object has.
    var metadata: ObjectMeta { get set }
}

extension KubernetesResource {
    /// The namespace and name of this object.
    public var key: ObjectKey {
        ObjectKey(namespace: Self.descriptor.isNamespaced ? metadata.namespace : "", name: metadata.name)
    }
}
