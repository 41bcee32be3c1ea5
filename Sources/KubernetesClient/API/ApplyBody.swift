import JSON
import KubernetesTypes

/// What is sent by server-side apply: the fields we own and nothing the server maintains.
///
/// Source: Kubernetes API concepts, "Server-Side Apply".
enum ApplyBody {
    /// The metadata the server maintains; sending it would claim or fix what is not ours.
    private static let serverMetadata = [
        "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields",
        "resourceVersion", "selfLink", "uid",
    ]

    /// Returns a manifest without status and server-side metadata.
    static func fields(of manifest: JSONValue) -> JSONValue {
        var body = manifest
        body["status"] = nil
        for name in serverMetadata { body[path: "metadata", name] = nil }
        return body
    }

    /// Returns the part of a manifest that is applied to the status subresource.
    static func status(of manifest: JSONValue, _ key: ObjectKey, _ resource: ResourceDescriptor) -> JSONValue {
        named(["status": manifest["status"] ?? .object([:])], key, resource)
    }

    /// Returns fields with `apiVersion`, `kind`, name and namespace set.
    static func named(_ fields: JSONValue, _ key: ObjectKey, _ resource: ResourceDescriptor) -> JSONValue {
        var body = fields
        body["apiVersion"] = .string(resource.apiVersion)
        body["kind"] = .string(resource.kind)
        body[path: "metadata", "name"] = .string(key.name)
        if resource.isNamespaced { body[path: "metadata", "namespace"] = .string(key.namespace) }
        return body
    }

    /// The query of an apply.
    static func query(_ fieldManager: String, _ force: Bool) -> [(name: String, value: String)] {
        var query = [(name: "fieldManager", value: fieldManager)]
        if force { query.append((name: "force", value: "true")) }
        return query
    }
}
