public import JSON
import KubernetesTypes

/// A change to an object.
public enum Patch: Sendable, Hashable {
    /// A JSON Merge Patch (RFC 7386): the fields to set, and `null` for those to remove.
    case merge(JSONValue)
    /// A JSON Patch (RFC 6902): operations in order, all or none.
    case json([Operation])

    /// One operation of a JSON Patch.
    public enum Operation: Sendable, Hashable {
        /// Fails the patch unless the value at `path` is this one.
        case test(path: String, value: JSONValue)
        /// Sets a member or inserts into a list; a path that ends in `/-` appends.
        case add(path: String, value: JSONValue)
        /// Replaces a value that is there.
        case replace(path: String, value: JSONValue)
        /// Removes a value that is there.
        case remove(path: String)

        /// The operation as it stands in the patch.
        var json: JSONValue {
            switch self {
            case .test(let path, let value): ["op": "test", "path": .string(path), "value": value]
            case .add(let path, let value): ["op": "add", "path": .string(path), "value": value]
            case .replace(let path, let value): ["op": "replace", "path": .string(path), "value": value]
            case .remove(let path): ["op": "remove", "path": .string(path)]
            }
        }
    }

    /// Returns `key` as one part of a JSON Pointer (RFC 6901 §3).
    public static func pointerPart(_ key: String) -> String {
        var part = ""
        for character in key {
            switch character {
            case "~": part += "~0"
            case "/": part += "~1"
            default: part.append(character)
            }
        }
        return part
    }

    /// The request that sends the patch.
    func request(_ key: ObjectKey, _ resource: ResourceDescriptor, _ subresource: String?) throws -> APIRequest {
        switch self {
        case .merge(let fields):
            var request = try APIRequest(.mergePatch, object: key, of: resource, subresource: subresource)
            request.body = fields
            return request
        case .json(let operations):
            var request = try APIRequest(.jsonPatch, object: key, of: resource, subresource: subresource)
            request.body = .array(operations.map(\.json))
            return request
        }
    }
}
