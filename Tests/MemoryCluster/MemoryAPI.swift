import JSON
public import KubernetesClient
import KubernetesTypes
import Synchronization

/// An API server in memory, for what a real one cannot be made to show, and to run scenarios where there is none.
///
/// It knows objects, versions, generations, selectors by equality, watches and the patches that Farebox sends. Apply merges
/// objects and replaces lists, which is what server-side apply does where one manager owns all it names. The scenarios
/// that run on it also run on a real server, which keeps it honest; but here a test may say when an object was made.
public final class MemoryAPI: KubernetesAPI {
    private struct Identity: Hashable {
        let resource: ResourceDescriptor
        let key: ObjectKey
    }

    private struct Watcher {
        let request: APIRequest
        let stream: MemoryStream
    }

    /// An object that is gone, and since which version.
    private struct Deletion {
        let identity: Identity
        let object: JSONValue
        let version: Int64
    }

    private struct State {
        var objects: [Identity: JSONValue] = [:]
        var deletions: [Deletion] = []
        var version: Int64 = 1
        var watchers: [Watcher] = []
    }

    private let state = Mutex(State())
    /// What the pods have said, by name.
    private let logs = Mutex<[String: String]>([:])
    /// What `/version` answers for the minor number.
    private let minorVersion: String

    /// Makes an empty server.
    ///
    /// - Parameter minorVersion: What `/version` answers for the minor number.
    public init(minorVersion: String = "20") {
        self.minorVersion = minorVersion
    }

    /// Lets a pod say something.
    public func say(_ text: String, as pod: String) { logs.withLock { $0[pod] = text } }

    // MARK: - KubernetesAPI

    /// Answers a request at once.
    public func send(_ request: APIRequest) async throws -> [UInt8] {
        guard let resource = request.resource else {
            // No group tells what it offers: whoever asks takes what is usual.
            if request.path.hasPrefix("/apis/") { return JSONWriter().write(["resources": []]) }
            return JSONWriter().write(["major": "1", "minor": .string(minorVersion), "gitVersion": "v1"])
        }
        let answer = try state.withLock { try Self.answer(request, resource, &$0) }
        return JSONWriter().write(answer)
    }

    /// Opens a watch or a log.
    public func open(_ request: APIRequest) async throws -> any ByteStream {
        let stream = MemoryStream()
        if request.subresource == "log" {
            stream.end(with: Array((logs.withLock { $0[request.name ?? ""] } ?? "").utf8))
            return stream
        }
        state.withLock { state in
            // What came, changed and went between the list and this watch is told first, in order.
            let since = request.query("resourceVersion").flatMap { Int64($0) } ?? 0
            var missed = state.objects.filter { Self.matches(request, $0.key, $0.value) }
                .map { (version: Self.version(of: $0.value), type: "ADDED", object: $0.value) }
            if since > 0 {
                missed += state.deletions.filter { Self.matches(request, $0.identity, $0.object) }
                    .map { (version: $0.version, type: "DELETED", object: $0.object) }
            }
            for event in missed.filter({ $0.version > since }).sorted(by: { $0.version < $1.version }) {
                stream.tell(event.type, event.object)
            }
            state.watchers.append(Watcher(request: request, stream: stream))
        }
        return stream
    }

    // MARK: - Verbs

    private static func answer(
        _ request: APIRequest, _ resource: ResourceDescriptor, _ state: inout State
    ) throws -> JSONValue {
        guard let key = request.key ?? request.body.map({ Self.key(of: $0, resource) }) else {
            let items = state.objects.filter { matches(request, $0.key, $0.value) }.map(\.value)
            return [
                "kind": "List", "metadata": ["resourceVersion": .string(String(state.version))], "items": .array(items),
            ]
        }
        let identity = Identity(resource: resource, key: key)
        let present = state.objects[identity]
        switch request.verb {
        case .get:
            guard let present else { throw error(404, .notFound, "\(resource.plural) \(key) not found") }
            return present
        case .create:
            guard present == nil else { throw error(409, .alreadyExists, "\(resource.plural) \(key) already exists") }
            return store(identity, request.body ?? .null, over: nil, &state)
        case .apply:
            return store(identity, merged(present ?? .object([:]), request.body ?? .null), over: present, &state)
        case .mergePatch, .update:
            guard let present else { throw error(404, .notFound, "\(resource.plural) \(key) not found") }
            if let uid = request.body?["metadata"]?["uid"], uid != present["metadata"]?["uid"] {
                throw error(409, .conflict, "another object by now")
            }
            return store(identity, merged(present, request.body ?? .null), over: present, &state)
        case .jsonPatch:
            guard let present else { throw error(404, .notFound, "\(resource.plural) \(key) not found") }
            let patched = try patched(present, request.body?.arrayValue ?? [])
            let isLetGo =
                present["metadata"]?["deletionTimestamp"] != nil
                && patched["metadata"]?["finalizers"]?.arrayValue?.isEmpty != false
            return isLetGo ? remove(identity, present, &state) : store(identity, patched, over: present, &state)
        case .delete:
            guard var present else { throw error(404, .notFound, "\(resource.plural) \(key) not found") }
            guard present["metadata"]?["finalizers"]?.arrayValue?.isEmpty == false else {
                return remove(identity, present, &state)
            }
            let before = present
            present[path: "metadata", "deletionTimestamp"] = .string("\(Time.now)")
            return store(identity, present, over: before, &state)
        default: throw error(405, .methodNotAllowed, request.description)
        }
    }

    /// Deletes an object, and what it controls: the garbage collector is at once.
    private static func remove(_ identity: Identity, _ object: JSONValue, _ state: inout State) -> JSONValue {
        state.objects[identity] = nil
        tell("DELETED", identity, before: object, after: object, &state)
        let children = state.objects.filter { child in
            child.value["metadata"]?["ownerReferences"]?.arrayValue?.contains {
                $0["uid"] == object["metadata"]?["uid"]
            } == true
        }
        for child in children { _ = remove(child.key, child.value, &state) }
        return object
    }

    /// The operations of a JSON Patch that Farebox sends: they work on one list or on a whole value.
    private static func patched(_ present: JSONValue, _ operations: [JSONValue]) throws -> JSONValue {
        var result = present
        for operation in operations {
            let parts = (operation["path"]?.stringValue ?? "").split(separator: "/").map(String.init)
            if parts.count == 1, operation["op"] == "add" {
                result[parts[0]] = operation["value"]
                continue
            }
            guard parts.count >= 2 else { throw error(422, .invalid, "a path of \(parts.count) parts") }
            let parent = result[parts[0]]?[parts[1]]
            let index = parts.count == 3 ? Int(parts[2]) : nil
            var list = parent?.arrayValue ?? []
            switch operation["op"]?.stringValue {
            case "test":
                let found = parts.count == 2 ? parent : index.flatMap { $0 < list.count ? list[$0] : nil }
                guard found ?? .null == operation["value"] else { throw error(422, .invalid, "the test failed") }
                continue
            case "add" where parts.count == 2: result[path: parts[0], parts[1]] = operation["value"]
            case "add":
                list.append(operation["value"] ?? .null)
                result[path: parts[0], parts[1]] = .array(list)
            case "remove" where parts.count == 2:
                guard parent != nil else { throw error(422, .invalid, "nothing to remove") }
                result[path: parts[0], parts[1]] = nil
            case "remove":
                guard let index, index < list.count else { throw error(422, .invalid, "nothing to remove") }
                list.remove(at: index)
                result[path: parts[0], parts[1]] = list.isEmpty ? nil : .array(list)
            default: throw error(422, .invalid, "an unknown operation")
            }
        }
        return result
    }

    private static func store(
        _ identity: Identity, _ object: JSONValue, over present: JSONValue?, _ state: inout State
    ) -> JSONValue {
        var object = object
        object[path: "metadata", "namespace"] =
            identity.key.namespace.isEmpty ? nil : .string(identity.key.namespace)
        if let present, object == present { return present }
        state.version += 1
        object[path: "metadata", "resourceVersion"] = .string(String(state.version))
        object[path: "metadata", "uid"] = present?["metadata"]?["uid"] ?? .string("uid-\(state.version)")
        object[path: "metadata", "creationTimestamp"] =
            present?["metadata"]?["creationTimestamp"] ?? object["metadata"]?["creationTimestamp"]
            ?? .string("\(Time.now)")
        let generation = present?["metadata"]?["generation"]?.integerValue ?? 0
        object[path: "metadata", "generation"] = .integer(
            present?["spec"] == object["spec"] ? max(generation, 1) : generation + 1)
        state.objects[identity] = object
        tell(present == nil ? "ADDED" : "MODIFIED", identity, before: present, after: object, &state)
        return object
    }

    private static func tell(
        _ type: String, _ identity: Identity, before: JSONValue?, after: JSONValue, _ state: inout State
    ) {
        if type == "DELETED" {
            state.version += 1
            state.deletions.append(Deletion(identity: identity, object: after, version: state.version))
        }
        state.watchers.removeAll { $0.stream.isCancelled }
        for watcher in state.watchers where matches(watcher.request, identity, after) {
            watcher.stream.tell(type, after)
        }
    }

    // MARK: - Helpers

    private static func key(of object: JSONValue, _ resource: ResourceDescriptor) -> ObjectKey {
        ObjectKey(
            namespace: object["metadata"]?["namespace"]?.stringValue ?? "",
            name: object["metadata"]?["name"]?.stringValue ?? "")
    }

    private static func version(of object: JSONValue) -> Int64 {
        object["metadata"]?["resourceVersion"]?.stringValue.flatMap { Int64($0) } ?? 0
    }

    private static func matches(_ request: APIRequest, _ identity: Identity, _ object: JSONValue) -> Bool {
        guard request.resource == identity.resource else { return false }
        if let namespace = request.namespace, namespace != identity.key.namespace { return false }
        if let field = request.query("fieldSelector"), field != "metadata.name=\(identity.key.name)" { return false }
        let labels = object["metadata"]?["labels"]
        return (request.query("labelSelector") ?? "").split(separator: ",").allSatisfy { term in
            let parts = term.split(separator: "=", maxSplits: 1)
            return parts.count == 2 && labels?[String(parts[0])]?.stringValue == String(parts[1])
        }
    }

    private static func merged(_ present: JSONValue, _ change: JSONValue) -> JSONValue {
        guard case .object(let members) = change, case .object = present else { return change }
        var result = present
        for (key, value) in members {
            result[key] = value.isNull ? nil : merged(result[key] ?? .object([:]), value)
        }
        return result
    }

    private static func error(_ code: Int, _ reason: StatusReason, _ message: String) -> KubernetesError {
        .api(APIStatus(message: message, reason: reason, code: code))
    }
}

/// The events of one watch.
final class MemoryStream: ByteStream {
    private let pieces: AsyncStream<[UInt8]>
    private let continuation: AsyncStream<[UInt8]>.Continuation
    private let cancelled = Mutex(false)
    private let hasEnd = Mutex(false)

    init() {
        (pieces, continuation) = AsyncStream.makeStream()
    }

    var isCancelled: Bool { cancelled.withLock { $0 } }

    func tell(_ type: String, _ object: JSONValue) {
        continuation.yield(JSONWriter().write(["type": .string(type), "object": object]) + [UInt8(ascii: "\n")])
    }

    /// Says a last thing.
    func end(with piece: [UInt8]) {
        hasEnd.withLock { $0 = true }
        if !piece.isEmpty { continuation.yield(piece) }
        continuation.finish()
    }

    func next() async throws -> [UInt8]? {
        for await piece in pieces { return piece }
        if hasEnd.withLock({ $0 }) { return nil }
        throw CancellationError()
    }

    func cancel() {
        cancelled.withLock { $0 = true }
        continuation.finish()
    }
}
