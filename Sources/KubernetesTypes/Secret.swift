/// A small amount of confidential data.
///
/// Source: Kubernetes API, `core/v1` Secret.
///
/// Printing one shows its name and keys, never a value.
public struct Secret: KubernetesResource, Hashable {
    /// `secrets` of the core group.
    public static let descriptor = ResourceDescriptor(version: "v1", kind: "Secret", plural: "secrets")

    /// The object's metadata.
    public var metadata: ObjectMeta
    /// The kind of secret, such as `Opaque`; it cannot change later.
    public var type: String?
    /// The values by key.
    @OmitEmpty public var data: [String: Base64Bytes]
    /// Whether the values are fixed for good.
    public var immutable: Bool?

    /// Makes a secret.
    public init(
        metadata: ObjectMeta, type: String? = nil, data: [String: Base64Bytes] = [:], immutable: Bool? = nil
    ) {
        self.metadata = metadata
        self.type = type
        self.data = data
        self.immutable = immutable
    }

    /// Returns the value under `key`.
    public subscript(key: String) -> [UInt8]? { data[key]?.bytes }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The name and the keys, without values.
    public var description: String { "Secret \(key) with keys \(data.keys.sorted())" }
    /// The name and the keys, without values.
    public var debugDescription: String { description }
    /// Shows nothing of the values.
    public var customMirror: Mirror { Mirror(self, children: ["keys": data.keys.sorted()]) }
}
