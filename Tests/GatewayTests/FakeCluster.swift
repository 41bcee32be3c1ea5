import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization

/// An API server in memory that lists and watches objects of any kind: as much of one as routes need.
final class FakeCluster: KubernetesAPI {
    private struct State {
        var version = 1
        var objects: [String: [ObjectKey: JSONValue]] = [:]
        /// All that happened: a watch begins with what is newer than the list it follows.
        var log: [(version: Int, plural: String, line: [UInt8])] = []
        var watches: [(plural: String, lines: AsyncStream<[UInt8]>.Continuation)] = []
        var patches: [String] = []
        var scalings = 0
    }

    /// What was patched, in order.
    var patches: [String] { state.withLock { $0.patches } }

    /// How many of the patches changed an object.
    var scalings: Int { state.withLock { $0.scalings } }

    private let offered: [ResourceDescriptor]
    private let state = Mutex(State())

    /// Makes a cluster that offers these resources.
    init(offering offered: [ResourceDescriptor]) {
        self.offered = offered
    }

    /// Stores an object and tells the watches.
    func put(_ object: some KubernetesResource) throws {
        var object = object
        try state.withLock { state in
            state.version += 1
            object.metadata.resourceVersion = "\(state.version)"
            let plural = type(of: object).descriptor.plural
            let key = ObjectKey(namespace: object.metadata.namespace, name: object.metadata.name)
            var manifest = try object.manifest()
            if let descriptor = offered.first(where: { $0.plural == plural }) {
                manifest["apiVersion"] = .string(descriptor.apiVersion)
            }
            let isNew = state.objects[plural]?[key] == nil
            state.objects[plural, default: [:]][key] = manifest
            tell(isNew ? "ADDED" : "MODIFIED", manifest, plural, &state)
        }
    }

    /// Removes an object and tells the watches.
    func remove(_ type: (some KubernetesResource).Type, _ key: ObjectKey) {
        state.withLock { state in
            guard let last = state.objects[type.descriptor.plural]?.removeValue(forKey: key) else { return }
            state.version += 1
            tell("DELETED", last, type.descriptor.plural, &state)
        }
    }

    private func tell(_ event: String, _ object: JSONValue, _ plural: String, _ state: inout State) {
        let line = JSONWriter().write(["type": .string(event), "object": object]) + [0x0A]
        state.log.append((state.version, plural, line))
        for watch in state.watches where watch.plural == plural {
            watch.lines.yield(line)
        }
    }

    /// Changes an object by a merge patch of its `scale` subresource, for the version that the patch names.
    private func scale(_ request: APIRequest, _ key: ObjectKey, _ plural: String) throws -> [UInt8] {
        try state.withLock { state in
            state.patches.append(request.description)
            guard var manifest = state.objects[plural]?[key] else {
                throw KubernetesError.api(APIStatus(message: "not here", reason: .notFound, code: 404))
            }
            guard request.body?["metadata"]?["resourceVersion"] == manifest["metadata"]?["resourceVersion"] else {
                throw KubernetesError.api(APIStatus(message: "changed", reason: .conflict, code: 409))
            }
            state.version += 1
            state.scalings += 1
            manifest[path: "metadata", "resourceVersion"] = .string("\(state.version)")
            manifest[path: "spec", "replicas"] = request.body?["spec"]?["replicas"]
            state.objects[plural]?[key] = manifest
            tell("MODIFIED", manifest, plural, &state)
            return JSONWriter().write(["kind": "Scale"])
        }
    }

    func send(_ request: APIRequest) async throws -> [UInt8] {
        if let descriptor = request.resource, let key = request.key {
            if request.verb == .mergePatch, request.subresource == "scale" {
                return try scale(request, key, descriptor.plural)
            }
            guard request.verb == .get, let object = state.withLock({ $0.objects[descriptor.plural]?[key] }) else {
                throw KubernetesError.api(APIStatus(message: "not here", reason: .notFound, code: 404))
            }
            return JSONWriter().write(object)
        }
        if let descriptor = request.resource {
            let (items, version) = state.withLock { state in
                (state.objects[descriptor.plural].map { Array($0.values) } ?? [], state.version)
            }
            return JSONWriter().write([
                "apiVersion": .string(descriptor.apiVersion), "kind": .string(descriptor.kind + "List"),
                "metadata": ["resourceVersion": .string("\(version)")], "items": .array(items),
            ])
        }
        let resources = offered.filter { request.path.hasSuffix("/\($0.group)/\($0.version)") }
        guard !resources.isEmpty else {
            throw KubernetesError.api(APIStatus(message: "not here", reason: .notFound, code: 404))
        }
        return JSONWriter().write([
            "resources": .array(resources.map { ["name": .string($0.plural)] })
        ])
    }

    func open(_ request: APIRequest) async throws -> any ByteStream {
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        let plural = request.resource?.plural ?? ""
        let since = request.query("resourceVersion").flatMap { Int($0) } ?? 0
        state.withLock { state in
            for event in state.log where event.plural == plural && event.version > since {
                continuation.yield(event.line)
            }
            state.watches.append((plural, continuation))
        }
        return FakeWatch(stream, continuation)
    }
}

private final class FakeWatch: ByteStream {
    private let continuation: AsyncStream<[UInt8]>.Continuation
    private let stream: AsyncStream<[UInt8]>

    init(_ stream: AsyncStream<[UInt8]>, _ continuation: AsyncStream<[UInt8]>.Continuation) {
        self.stream = stream
        self.continuation = continuation
    }

    func next() async throws -> [UInt8]? {
        for await piece in stream {
            return piece
        }
        try Task.checkCancellation()
        return nil
    }

    func cancel() {
        continuation.finish()
    }
}
