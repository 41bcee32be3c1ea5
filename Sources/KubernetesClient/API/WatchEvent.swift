import JSON
public import KubernetesTypes

/// One event of a watch as it arrived, not yet looked into.
public struct RawWatchEvent: Sendable, Hashable {
    /// A JSON object with `type` and `object`.
    public let bytes: [UInt8]

    /// Wraps an event.
    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads the event.
    ///
    /// - Parameters:
    ///   - type: The kind that is watched.
    ///   - descriptor: Another version or group of the same shape; by default the type's own.
    /// - Returns: The event; one that is well-formed JSON but not for us is `.unknown`, to be logged and skipped.
    /// - Throws: `KubernetesError.decoding` when it is not JSON or the object does not have the shape of its kind.
    public func decode<Resource: KubernetesResource>(
        _ type: Resource.Type, at descriptor: ResourceDescriptor? = nil
    ) throws -> WatchEvent<Resource> {
        let resource = descriptor ?? type.descriptor
        do {
            return try Self.event(JSONReader().parse(bytes), resource)
        } catch {
            throw KubernetesError.decoding("\(error)", during: "watch \(resource)")
        }
    }

    private static func event<Resource: KubernetesResource>(
        _ value: JSONValue, _ resource: ResourceDescriptor
    ) throws -> WatchEvent<Resource> {
        let name = value["type"]?.stringValue ?? ""
        guard let object = value["object"] else { return .unknown(reason: "event '\(name)' without object") }
        if name == "ERROR" { return .error(try JSONReader().decode(APIStatus.self, from: object)) }
        let kind = object["kind"]?.stringValue ?? ""
        guard kind == resource.kind, object["apiVersion"]?.stringValue == resource.apiVersion else {
            return .unknown(reason: "event '\(name)' for a \(kind.isEmpty ? "nameless kind" : kind)")
        }
        switch name {
        case "ADDED": return .added(try JSONReader().decode(Resource.self, from: object))
        case "MODIFIED": return .modified(try JSONReader().decode(Resource.self, from: object))
        case "DELETED": return .deleted(try JSONReader().decode(Resource.self, from: object))
        case "BOOKMARK":
            let metadata = object["metadata"]
            return .bookmark(
                resourceVersion: metadata?["resourceVersion"]?.stringValue ?? "",
                endsInitialEvents: metadata?["annotations"]?["k8s.io/initial-events-end"]?.stringValue == "true")
        default: return .unknown(reason: "event of type '\(name)'")
        }
    }
}

/// One event of a watch.
///
/// Source: Kubernetes API, `meta/v1` WatchEvent.
public enum WatchEvent<Resource: KubernetesResource>: Sendable {
    /// The object is new, or it began to match the selectors.
    case added(Resource)
    /// The object changed.
    case modified(Resource)
    /// The object is gone, or it no longer matches; it carries the version of its deletion.
    case deleted(Resource)
    /// Nothing happened up to this version.
    case bookmark(resourceVersion: String, endsInitialEvents: Bool)
    /// The watch failed on the server's side; it sends nothing more.
    case error(APIStatus)
    /// Something we do not know.
    case unknown(reason: String)
}
