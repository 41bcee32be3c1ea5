/// Names one object, of any kind.
///
/// Source: Kubernetes API, `core/v1` ObjectReference.
public struct ObjectReference: Codable, Hashable, Sendable {
    /// The object's `apiVersion`.
    @OmitEmpty public var apiVersion: String
    /// The object's kind.
    @OmitEmpty public var kind: String
    /// The object's namespace; empty for cluster-scoped objects.
    @OmitEmpty public var namespace: String
    /// The object's name.
    @OmitEmpty public var name: String
    /// The object's uid.
    @OmitEmpty public var uid: String
    /// The version that was seen.
    @OmitEmpty public var resourceVersion: String
    /// The part of the object that is meant, such as `spec.containers{main}`.
    @OmitEmpty public var fieldPath: String

    /// Makes a reference.
    public init(
        apiVersion: String = "", kind: String = "", namespace: String = "", name: String = "", uid: String = "",
        resourceVersion: String = "", fieldPath: String = ""
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.fieldPath = fieldPath
    }

    /// Makes a reference to an object.
    public init<Resource: KubernetesResource>(to object: Resource) {
        self.init(
            apiVersion: Resource.descriptor.apiVersion,
            kind: Resource.descriptor.kind,
            namespace: object.key.namespace,
            name: object.metadata.name,
            uid: object.metadata.uid,
            resourceVersion: object.metadata.resourceVersion)
    }
}
