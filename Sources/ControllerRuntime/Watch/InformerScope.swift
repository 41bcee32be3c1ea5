/// Which objects of a kind an informer holds.
public struct InformerScope: Hashable, Sendable {
    /// The namespace; nil means all of them.
    public var namespace: String?

    /// Selects by labels, on the server, as in `app.kubernetes.io/managed-by=farebox`.
    public var labelSelector: String?

    /// Selects by fields, on the server, as in `metadata.name=farebox-operator`.
    public var fieldSelector: String?

    /// Makes a scope; by default every object of the kind.
    public init(namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil) {
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
    }
}
