/// The metadata that every object has.
///
/// Empty strings, lists and maps stand for absent fields. Source: Kubernetes API, `meta/v1` ObjectMeta.
public struct ObjectMeta: Codable, Hashable, Sendable {
    /// The object's name, unique in its namespace and kind.
    @OmitEmpty public var name: String
    /// The prefix from which the server makes a name when ``name`` is empty.
    @OmitEmpty public var generateName: String
    /// The namespace; empty for cluster-scoped objects.
    @OmitEmpty public var namespace: String
    /// The identity of this very object, never used again for another.
    @OmitEmpty public var uid: String
    /// The opaque version of the stored object; changes on each write.
    @OmitEmpty public var resourceVersion: String
    /// Counts changes of the desired state, from 1; `nil` for kinds that do not count.
    public var generation: Int64?
    /// When the server stored the object first.
    public var creationTimestamp: Time?
    /// When the object was asked to go; present only while it is being deleted.
    public var deletionTimestamp: Time?
    /// Keys and values to select by.
    @OmitEmpty public var labels: [String: String]
    /// Keys and values that are not for selecting.
    @OmitEmpty public var annotations: [String: String]
    /// The objects this one belongs to.
    @OmitEmpty public var ownerReferences: [OwnerReference]
    /// Those who must act before the object may go.
    @OmitEmpty public var finalizers: [String]

    /// Makes metadata for an object that is to be written; the server fills in the rest.
    public init(
        name: String = "",
        namespace: String = "",
        generateName: String = "",
        labels: [String: String] = [:],
        annotations: [String: String] = [:],
        ownerReferences: [OwnerReference] = [],
        finalizers: [String] = []
    ) {
        self.name = name
        self.generateName = generateName
        self.namespace = namespace
        self.uid = ""
        self.resourceVersion = ""
        self.labels = labels
        self.annotations = annotations
        self.ownerReferences = ownerReferences
        self.finalizers = finalizers
    }

    /// Whether somebody asked for the object's deletion.
    public var isBeingDeleted: Bool { deletionTimestamp != nil }

    /// The reference to the one owner that controls this object, if any.
    public var controllerReference: OwnerReference? { ownerReferences.first { $0.controller == true } }
}
