import JSON
import KubernetesClient
import KubernetesTypes

/// The objects and the history of a `FakeAPI`.
struct FakeState {
    struct Change: Sendable {
        let version: UInt64
        let type: String
        let resource: ResourceDescriptor
        let key: ObjectKey
        let object: JSONValue
    }

    private(set) var objects: [ResourceDescriptor: [ObjectKey: JSONValue]] = [:]
    private(set) var history: [Change] = []
    private(set) var version: UInt64 = 100
    private(set) var compactedTo: UInt64 = 0
    private var lastUID = 0

    /// Lists from the cache show this version, while it is older than the newest.
    var cachedVersion: UInt64?

    /// Changes each object before it is stored, as defaults and webhooks do.
    var admission: @Sendable (JSONValue) -> JSONValue = { $0 }

    /// What each manager applied last, to find the fields it no longer wants.
    private var applied: [String: JSONValue] = [:]

    mutating func compact() {
        history = []
        compactedTo = version
    }

    mutating func perform(_ request: APIRequest) -> Result<JSONValue, KubernetesError> {
        guard let resource = request.resource else {
            return .failure(Self.failure(404, "NotFound", "no such path"))
        }
        guard let key = request.key else {
            switch request.verb {
            case .list: return list(request, resource)
            case .create: return create(request, resource)
            default: return .failure(Self.failure(405, "MethodNotAllowed", "\(request)"))
            }
        }
        if request.verb == .apply {
            return apply(request, key, resource)
        }
        guard let old = objects[resource]?[key] else {
            return .failure(Self.failure(404, "NotFound", "\(request) not found"))
        }
        switch request.verb {
        case .get: return .success(old)
        case .update: return update(request, old, key, resource)
        case .mergePatch: return mergePatch(request, old, key, resource)
        case .jsonPatch: return jsonPatch(request, old, key, resource)
        case .delete: return delete(request, old, key, resource)
        default: return .failure(Self.failure(405, "MethodNotAllowed", "\(request)"))
        }
    }

    // MARK: - Verbs

    private func list(_ request: APIRequest, _ resource: ResourceDescriptor) -> Result<JSONValue, KubernetesError> {
        if let asked = UInt64(request.query("resourceVersion") ?? ""), asked > version {
            return .failure(Self.failure(504, "Timeout", "Too large resource version: \(asked)"))
        }
        let isCached = request.query("resourceVersion") == "0"
        let asOf = isCached ? min(version, cachedVersion ?? version) : version
        let present = asOf == version ? objects[resource] ?? [:] : past(resource, asOf: asOf)
        let items =
            present
            .filter { request.namespace == nil || $0.key.namespace == request.namespace }
            .filter { Self.matches($0.value, request.query("labelSelector")) }
            .sorted { $0.key < $1.key }
        let offset = Int(request.query("continue") ?? "") ?? 0
        // Like the real one, which serves version 0 from its cache and then ignores the limit.
        let limit = isCached ? items.count : Int(request.query("limit") ?? "") ?? items.count
        let page = items.dropFirst(offset).prefix(limit)
        let next = offset + page.count < items.count ? String(offset + page.count) : ""
        return .success([
            "metadata": ["resourceVersion": .string("\(asOf)"), "continue": .string(next)],
            "items": .array(page.map(\.value)),
        ])
    }

    /// The objects of a kind as they were at an earlier version; needs the whole history.
    private func past(_ resource: ResourceDescriptor, asOf version: UInt64) -> [ObjectKey: JSONValue] {
        var objects: [ObjectKey: JSONValue] = [:]
        for change in history where change.resource == resource && change.version <= version {
            objects[change.key] = change.type == "DELETED" ? nil : change.object
        }
        return objects
    }

    private mutating func create(
        _ request: APIRequest, _ resource: ResourceDescriptor
    ) -> Result<JSONValue, KubernetesError> {
        guard let body = request.body, let name = body[path: "metadata", "name"]?.stringValue else {
            return .failure(Self.failure(422, "Invalid", "no name"))
        }
        let key = ObjectKey(namespace: request.namespace ?? "", name: name)
        guard objects[resource]?[key] == nil else {
            return .failure(Self.failure(409, "AlreadyExists", "\(key) exists"))
        }
        return .success(store(body, key, resource))
    }

    private mutating func update(
        _ request: APIRequest, _ old: JSONValue, _ key: ObjectKey, _ resource: ResourceDescriptor
    ) -> Result<JSONValue, KubernetesError> {
        guard var body = request.body else {
            return .failure(Self.failure(400, "BadRequest", "no body"))
        }
        let asked = body[path: "metadata", "resourceVersion"]
        guard asked == nil || asked == old[path: "metadata", "resourceVersion"] else {
            return .failure(Self.failure(409, "Conflict", "\(key) was modified"))
        }
        body[path: "metadata", "uid"] = old[path: "metadata", "uid"]
        return .success(store(body, key, resource))
    }

    private mutating func mergePatch(
        _ request: APIRequest, _ old: JSONValue, _ key: ObjectKey, _ resource: ResourceDescriptor
    ) -> Result<JSONValue, KubernetesError> {
        .success(store(Self.merge(request.body ?? .null, into: old), key, resource))
    }

    private mutating func jsonPatch(
        _ request: APIRequest, _ old: JSONValue, _ key: ObjectKey, _ resource: ResourceDescriptor
    ) -> Result<JSONValue, KubernetesError> {
        var object = old
        for operation in request.body?.arrayValue ?? [] {
            let parts = (operation["path"]?.stringValue ?? "").split(separator: "/").map(String.init)
            let value = operation["value"] ?? .null
            let isDone: Bool
            switch operation["op"]?.stringValue {
            case "test": isDone = (Self.value(at: parts[...], in: object) ?? .null) == value
            case "add": isDone = Self.change(&object, parts[...], to: value)
            case "remove": isDone = Self.change(&object, parts[...], to: nil)
            default: isDone = false
            }
            guard isDone else {
                return .failure(Self.failure(422, "Invalid", "the patch does not apply"))
            }
        }
        return .success(store(object, key, resource))
    }

    private mutating func apply(
        _ request: APIRequest, _ key: ObjectKey, _ resource: ResourceDescriptor
    ) -> Result<JSONValue, KubernetesError> {
        guard var body = request.body, let manager = request.query("fieldManager") else {
            return .failure(Self.failure(400, "BadRequest", "no field manager"))
        }
        let old = objects[resource]?[key]
        let identity = "\(manager) \(resource) \(key)"
        let before = old == nil ? nil : applied[identity]
        applied[identity] = body
        body[path: "metadata", "namespace"] = key.namespace.isEmpty ? nil : .string(key.namespace)
        var object = old ?? .object([:])
        if let before {
            Self.removeDropped(from: &object, before: before, after: body)
        }
        return .success(store(Self.merge(body, into: object), key, resource))
    }

    private mutating func delete(
        _ request: APIRequest, _ old: JSONValue, _ key: ObjectKey, _ resource: ResourceDescriptor
    ) -> Result<JSONValue, KubernetesError> {
        if let uid = request.body?[path: "preconditions", "uid"], uid != old[path: "metadata", "uid"] {
            return .failure(Self.failure(409, "Conflict", "the UID in the precondition differs"))
        }
        var object = old
        object[path: "metadata", "deletionTimestamp"] = "2026-01-01T00:00:00Z"
        store(object, key, resource)
        return .success(["kind": "Status", "status": "Success"])
    }

    // MARK: - Storage

    /// Stores an object as the server does: version, generation and uid are the server's; no change is no write; an object
    /// that is being deleted and has no finalizer left goes.
    @discardableResult
    mutating func store(_ object: JSONValue, _ key: ObjectKey, _ resource: ResourceDescriptor) -> JSONValue {
        let old = objects[resource]?[key]
        var object = admission(object)
        object["apiVersion"] = .string(resource.apiVersion)
        object["kind"] = .string(resource.kind)
        object[path: "metadata", "name"] = .string(key.name)
        object[path: "metadata", "resourceVersion"] = old?[path: "metadata", "resourceVersion"]
        object[path: "metadata", "generation"] = old?[path: "metadata", "generation"] ?? 1
        object[path: "metadata", "uid"] = old?[path: "metadata", "uid"] ?? nextUID()
        if object[path: "metadata", "finalizers"]?.arrayValue?.isEmpty == true {
            object[path: "metadata", "finalizers"] = nil
        }
        guard object != old else {
            return object
        }
        if let old, old["spec"] != object["spec"] {
            let generation = old[path: "metadata", "generation"]?.integerValue ?? 1
            object[path: "metadata", "generation"] = .integer(generation + 1)
        }
        version += 1
        object[path: "metadata", "resourceVersion"] = .string("\(version)")
        let isGone =
            object[path: "metadata", "deletionTimestamp"] != nil && object[path: "metadata", "finalizers"] == nil
        objects[resource, default: [:]][key] = isGone ? nil : object
        let type = isGone ? "DELETED" : old == nil ? "ADDED" : "MODIFIED"
        history.append(Change(version: version, type: type, resource: resource, key: key, object: object))
        if isGone {
            collectGarbage(of: object)
        } else if hasLostOwner(object) {
            return store(going(object), key, resource)
        }
        return object
    }

    /// Deletes what the object owned, as the garbage collector does.
    private mutating func collectGarbage(of owner: JSONValue) {
        guard let uid = owner[path: "metadata", "uid"] else {
            return
        }
        for (resource, children) in objects {
            for (key, child) in children {
                let owners = child[path: "metadata", "ownerReferences"]?.arrayValue ?? []
                if owners.contains(where: { $0["uid"] == uid }) {
                    store(going(child), key, resource)
                }
            }
        }
    }

    private func going(_ object: JSONValue) -> JSONValue {
        var object = object
        object[path: "metadata", "deletionTimestamp"] = "2026-01-01T00:00:00Z"
        return object
    }

    /// Whether an object names owners and none of them exists; the garbage collector takes it then.
    private func hasLostOwner(_ object: JSONValue) -> Bool {
        let owners = object[path: "metadata", "ownerReferences"]?.arrayValue ?? []
        guard !owners.isEmpty, object[path: "metadata", "deletionTimestamp"] == nil else {
            return false
        }
        return !owners.contains { owner in
            objects.values.contains { kind in
                kind.values.contains { $0[path: "metadata", "uid"] == owner["uid"] }
            }
        }
    }

    private mutating func nextUID() -> JSONValue {
        lastUID += 1
        return .string("uid-\(lastUID)")
    }

    // MARK: - Trees

    static func failure(_ code: Int, _ reason: String, _ message: String) -> KubernetesError {
        .api(APIStatus(message: message, reason: StatusReason(rawValue: reason), code: code))
    }

    /// Whether an object has all labels of a selector of equalities.
    static func matches(_ object: JSONValue, _ selector: String?) -> Bool {
        (selector ?? "").split(separator: ",").allSatisfy { term in
            let parts = term.split(separator: "=", omittingEmptySubsequences: true)
            guard parts.count == 2 else {
                return false
            }
            return object[path: "metadata", "labels", String(parts[0])]?.stringValue == String(parts[1])
        }
    }

    private static func merge(_ patch: JSONValue, into old: JSONValue) -> JSONValue {
        guard case .object(let members) = patch else {
            return patch
        }
        var result = old.objectValue == nil ? .object([:]) : old
        for (key, value) in members {
            result[key] = value.isNull ? nil : merge(value, into: result[key] ?? .null)
        }
        return result
    }

    private static func removeDropped(from object: inout JSONValue, before: JSONValue, after: JSONValue) {
        for (key, value) in before.objectValue ?? [:] {
            guard let kept = after[key] else {
                object[key] = nil
                continue
            }
            if value.objectValue != nil, var member = object[key] {
                removeDropped(from: &member, before: value, after: kept)
                object[key] = member
            }
        }
    }

    private static func value(at path: ArraySlice<String>, in tree: JSONValue) -> JSONValue? {
        guard let part = path.first else {
            return tree
        }
        let member = Int(part).flatMap { tree[$0] } ?? tree[part]
        return member.flatMap { value(at: path.dropFirst(), in: $0) }
    }

    /// Sets or removes the value at a path; false when there is no such place.
    private static func change(_ tree: inout JSONValue, _ path: ArraySlice<String>, to value: JSONValue?) -> Bool {
        guard let part = path.first else {
            return false
        }
        if path.count > 1 {
            guard var child = tree[part], change(&child, path.dropFirst(), to: value) else {
                return false
            }
            tree[part] = child
            return true
        }
        if var elements = tree.arrayValue {
            if let value {
                elements.append(value)
            } else if let index = Int(part), elements.indices.contains(index) {
                elements.remove(at: index)
            } else {
                return false
            }
            tree = .array(elements)
            return true
        }
        tree[part] = value
        return true
    }
}
