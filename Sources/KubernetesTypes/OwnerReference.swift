/// A link from an object to one that owns it; the garbage collector follows it.
///
/// Source: Kubernetes API, `meta/v1` OwnerReference.
public struct OwnerReference: Codable, Hashable, Sendable {
    /// The owner's `apiVersion`.
    public var apiVersion: String
    /// The owner's kind.
    public var kind: String
    /// The owner's name, in the same namespace unless the owner is cluster-scoped.
    public var name: String
    /// The owner's uid.
    public var uid: String
    /// Whether this owner is the one that manages the object; at most one reference says so.
    public var controller: Bool?
    /// Whether foreground deletion of the owner waits for this object.
    public var blockOwnerDeletion: Bool?

    /// Makes a reference from its parts.
    public init(
        apiVersion: String, kind: String, name: String, uid: String, controller: Bool? = nil,
        blockOwnerDeletion: Bool? = nil
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
        self.controller = controller
        self.blockOwnerDeletion = blockOwnerDeletion
    }

    /// Makes the reference that a controller sets on what it creates for `owner`.
    ///
    /// The owner must come from the server, since its uid is part of the reference.
    public init<Owner: KubernetesResource>(controller owner: Owner) {
        self.init(
            apiVersion: Owner.descriptor.apiVersion,
            kind: Owner.descriptor.kind,
            name: owner.metadata.name,
            uid: owner.metadata.uid,
            controller: true,
            blockOwnerDeletion: true)
    }

    /// The owner's API group: the part of ``apiVersion`` before the slash, empty for the core group.
    public var group: String {
        guard let slash = apiVersion.firstIndex(of: "/") else { return "" }
        return String(apiVersion[..<slash])
    }
}
