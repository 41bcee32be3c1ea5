/// The namespace and name that identify one object of a kind.
///
/// It does not carry the uid: an object deleted and made again under its name has the same key.
public struct ObjectKey: Hashable, Sendable {
    /// The namespace, or the empty string for a cluster-scoped object.
    public let namespace: String
    /// The object's name.
    public let name: String

    /// Makes a key from its two parts.
    public init(namespace: String = "", name: String) {
        self.namespace = namespace
        self.name = name
    }
}

extension ObjectKey: CustomStringConvertible {
    /// The form `namespace/name`, or only `name` for a cluster-scoped object.
    public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
}

extension ObjectKey: Comparable {
    /// Orders by namespace, then by name.
    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}
