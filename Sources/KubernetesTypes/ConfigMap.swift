/// Configuration data.
///
/// Source: Kubernetes API, `core/v1` ConfigMap.
public struct ConfigMap: KubernetesResource, Hashable {
    /// `configmaps` of the core group.
    public static let descriptor = ResourceDescriptor(version: "v1", kind: "ConfigMap", plural: "configmaps")

    /// The object's metadata.
    public var metadata: ObjectMeta
    /// Texts by key.
    @OmitEmpty public var data: [String: String]
    /// Bytes by key; no key stands in both maps.
    @OmitEmpty public var binaryData: [String: Base64Bytes]
    /// Whether the values are fixed for good.
    public var immutable: Bool?

    /// Makes a config map.
    public init(
        metadata: ObjectMeta, data: [String: String] = [:], binaryData: [String: Base64Bytes] = [:],
        immutable: Bool? = nil
    ) {
        self.metadata = metadata
        self.data = data
        self.binaryData = binaryData
        self.immutable = immutable
    }
}
