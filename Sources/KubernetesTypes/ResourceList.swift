/// One page of a collection.
public struct ResourceList<Resource: KubernetesResource>: Codable, Sendable {
    /// The version of the collection and where the next page begins.
    public var metadata: ListMeta
    /// The objects.
    ///
    /// Inside a list they carry no `apiVersion` and `kind`.
    public var items: [Resource]

    /// Makes a page.
    public init(metadata: ListMeta = ListMeta(), items: [Resource] = []) {
        self.metadata = metadata
        self.items = items
    }

    private enum CodingKeys: CodingKey { case metadata, items }

    /// Decodes a page; `items: null` is an empty one.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try container.decodeIfPresent(ListMeta.self, forKey: .metadata) ?? ListMeta()
        items = try container.decodeIfPresent([Resource].self, forKey: .items) ?? []
    }
}

/// The metadata of a list.
///
/// Source: Kubernetes API, `meta/v1` ListMeta.
public struct ListMeta: Codable, Hashable, Sendable {
    /// The version of the collection: where a watch continues.
    @OmitEmpty public var resourceVersion: String
    /// The token for the next page; empty on the last one.
    @OmitEmpty public var `continue`: String
    /// How many objects follow, when the server knows.
    public var remainingItemCount: Int64?

    /// Makes list metadata.
    public init(resourceVersion: String = "", continue token: String = "", remainingItemCount: Int64? = nil) {
        self.resourceVersion = resourceVersion
        self.`continue` = token
        self.remainingItemCount = remainingItemCount
    }
}
