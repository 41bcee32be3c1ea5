/// Where a kind lives in the Kubernetes API: group, version, plural name and scope.
public struct ResourceDescriptor: Hashable, Sendable {
    /// The API group, or the empty string for the core group.
    public let group: String
    /// The version inside the group, such as `v1`.
    public let version: String
    /// The kind as it stands in manifests, such as `Deployment`.
    public let kind: String
    /// The lower-case plural used in paths, such as `deployments`.
    public let plural: String
    /// Whether objects of the kind live in a namespace.
    public let isNamespaced: Bool

    /// Makes a descriptor of one resource.
    public init(group: String = "", version: String, kind: String, plural: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.isNamespaced = isNamespaced
    }

    /// The `apiVersion` of manifests: `v1` for the core group, else `group/version`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// The path of the group and version: `/api/v1` or `/apis/<group>/<version>`.
    public var rootPath: String { group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)" }

    /// Returns the path of a collection, an object or a subresource.
    ///
    /// Every part is percent-encoded, so that no name can leave its path segment. A caller that handles names from
    /// outside checks them first (the Kubernetes client does): an empty name would address the collection.
    ///
    /// - Parameters:
    ///   - namespace: The namespace; `nil` or empty addresses all namespaces. Ignored for a cluster-scoped kind.
    ///   - name: The object's name; `nil` addresses the collection.
    ///   - subresource: For example `status`, `scale` or `log`; used only with a name.
    public func path(namespace: String? = nil, name: String? = nil, subresource: String? = nil) -> String {
        var path = rootPath
        if isNamespaced, let namespace, !namespace.isEmpty {
            path += "/namespaces/" + PercentEncoding.encode(namespace)
        }
        path += "/" + plural
        if let name {
            path += "/" + PercentEncoding.encode(name)
            if let subresource { path += "/" + PercentEncoding.encode(subresource) }
        }
        return path
    }

    /// Returns the path of the object under `key`.
    public func path(_ key: ObjectKey, subresource: String? = nil) -> String {
        path(namespace: key.namespace, name: key.name, subresource: subresource)
    }
}

extension ResourceDescriptor: CustomStringConvertible {
    /// The form `plural.version.group`, or `plural.version` for the core group.
    public var description: String { group.isEmpty ? "\(plural).\(version)" : "\(plural).\(version).\(group)" }
}
