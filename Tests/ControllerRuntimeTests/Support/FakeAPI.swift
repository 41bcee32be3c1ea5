import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization

/// A small API server in memory, for faults that a real one cannot be made to show at will.
///
/// It knows objects, versions, generations, finalizers, watches with history and compaction, merge and JSON patches, and
/// as much of server-side apply as one manager per object needs. Whether it does as the real one is checked by the
/// scenarios that run against both.
final class FakeAPI: KubernetesAPI {
    /// What a request meets instead of, or after, being carried out.
    enum Fault: Sendable {
        /// It is refused and has no effect.
        case refuse(KubernetesError)
        /// It has its effect, and the answer is lost.
        case loseAnswer
    }

    /// Decides about each request; nil lets it pass.
    typealias FaultPlan = @Sendable (APIRequest) -> Fault?

    private struct Guarded {
        var state = FakeState()
        var faults: FaultPlan?
        var requests: [APIRequest] = []
        var watchers: [FakeWatch] = []

        /// Hands each watch the events it has not seen.
        mutating func publish() {
            watchers.removeAll(where: \.isFinished)
            for watcher in watchers {
                watcher.take(state.history)
            }
        }
    }

    private let guarded = Mutex(Guarded())

    // MARK: - KubernetesAPI

    func send(_ request: APIRequest) async throws -> [UInt8] {
        try Task.checkCancellation()
        await Task.yield()
        let plan = guarded.withLock { guarded in
            guarded.requests.append(request)
            return guarded.faults
        }
        let fault = plan?(request)
        if case .refuse(let error) = fault {
            throw error
        }
        let result = guarded.withLock { guarded -> Result<JSONValue, KubernetesError> in
            let result = guarded.state.perform(request)
            guarded.publish()
            return result
        }
        if case .loseAnswer = fault {
            throw KubernetesError.transport(
                .connectionLost(reason: "fault", mayHaveArrived: true), during: request.description)
        }
        return JSONWriter().write(try result.get())
    }

    func open(_ request: APIRequest) async throws -> any ByteStream {
        try Task.checkCancellation()
        await Task.yield()
        let plan = guarded.withLock { guarded in
            guarded.requests.append(request)
            return guarded.faults
        }
        if case .refuse(let error) = plan?(request) {
            throw error
        }
        return try guarded.withLock { guarded in
            let from = UInt64(request.query("resourceVersion") ?? "") ?? guarded.state.version
            guard from >= guarded.state.compactedTo else {
                throw FakeState.failure(410, "Expired", "too old resource version")
            }
            let watch = FakeWatch(request: request, from: from)
            guarded.watchers.append(watch)
            guarded.publish()
            return watch
        }
    }

    // MARK: - For tests

    /// Sets the faults from now on.
    func plan(_ faults: FaultPlan?) {
        guarded.withLock { $0.faults = faults }
    }

    /// Sets what is done to each object before it is stored.
    func admit(_ admission: @escaping @Sendable (JSONValue) -> JSONValue) {
        guarded.withLock { $0.state.admission = admission }
    }

    /// Lets lists from the cache show an older state, as an API server that lags behind does.
    func serveCachedLists(asOf version: UInt64) {
        guarded.withLock { $0.state.cachedVersion = version }
    }

    /// The version of the last change.
    var version: UInt64 { guarded.withLock { $0.state.version } }

    /// The requests so far, watches included.
    var requests: [APIRequest] { guarded.withLock { $0.requests } }

    /// The requests so far that change something.
    var writes: [APIRequest] { requests.filter { ![.get, .list, .watch].contains($0.verb) } }

    func forgetRequests() {
        guarded.withLock { $0.requests = [] }
    }

    /// The stored objects of a kind.
    func objects<Resource: KubernetesResource>(_ type: Resource.Type) throws -> [ObjectKey: Resource] {
        try guarded.withLock { $0.state.objects[type.descriptor] ?? [:] }
            .mapValues { try JSONReader().decode(type, from: $0) }
    }

    /// How many objects of a kind are stored.
    func count<Resource: KubernetesResource>(_ type: Resource.Type) -> Int {
        guarded.withLock { $0.state.objects[type.descriptor]?.count ?? 0 }
    }

    /// Changes an object as somebody else would, at once and without a request of ours.
    func edit<Resource: KubernetesResource>(
        _ type: Resource.Type, _ key: ObjectKey, _ change: (inout JSONValue) -> Void
    ) {
        guarded.withLock { guarded in
            guard var object = guarded.state.objects[type.descriptor]?[key] else {
                return
            }
            change(&object)
            guarded.state.store(object, key, type.descriptor)
            guarded.publish()
        }
    }

    /// Ends all watches, as a restart of the server does.
    func dropWatches(silently isError: Bool = false) {
        let watchers = guarded.withLock { guarded in
            defer { guarded.watchers = [] }
            return guarded.watchers
        }
        watchers.forEach { isError ? $0.breakOff() : $0.finish() }
    }

    /// Forgets the history, so that watches from before cannot resume.
    func compact() {
        guarded.withLock { $0.state.compact() }
    }

    /// Sends an event of our making to all watches of a kind.
    func inject(_ event: JSONValue, into descriptor: ResourceDescriptor) {
        injectLine(JSONWriter().string(event), into: descriptor)
    }

    /// Sends a line of our making to all watches of a kind.
    func injectLine(_ line: String, into descriptor: ResourceDescriptor) {
        guarded.withLock { guarded in
            for watcher in guarded.watchers where watcher.request.resource == descriptor {
                watcher.push(Array(line.utf8))
            }
        }
    }

    /// How many watches are open.
    var openWatches: Int { guarded.withLock { $0.watchers.count { !$0.isFinished } } }
}

/// One open watch.
final class FakeWatch: ByteStream {
    private struct Guarded {
        var pending: [UInt8] = []
        var sent: UInt64
        var isFinished = false
        var error: KubernetesError?
        var waiter: CheckedContinuation<Void, Never>?
    }

    let request: APIRequest
    private let guarded: Mutex<Guarded>

    init(request: APIRequest, from version: UInt64) {
        self.request = request
        guarded = Mutex(Guarded(sent: version))
    }

    var isFinished: Bool { guarded.withLock { $0.isFinished } }

    func take(_ history: [FakeState.Change]) {
        change { guarded in
            for change in history where change.version > guarded.sent {
                guarded.sent = change.version
                let isOurs =
                    change.resource == request.resource
                    && (request.namespace == nil || request.namespace == change.key.namespace)
                    && FakeState.matches(change.object, request.query("labelSelector"))
                if isOurs {
                    let event: JSONValue = ["type": .string(change.type), "object": change.object]
                    guarded.pending += JSONWriter().write(event) + [UInt8(ascii: "\n")]
                }
            }
        }
    }

    func push(_ line: [UInt8]) {
        change { $0.pending += line + [UInt8(ascii: "\n")] }
    }

    func finish() {
        change { $0.isFinished = true }
    }

    func breakOff() {
        change { guarded in
            guarded.isFinished = true
            guarded.error = .transport(.connectionLost(reason: "fault", mayHaveArrived: true), during: "watch")
        }
    }

    func cancel() {
        change { guarded in
            guarded.isFinished = true
            guarded.pending = []
        }
    }

    func next() async throws -> [UInt8]? {
        while true {
            try Task.checkCancellation()
            let (bytes, isFinished, error) = guarded.withLock { guarded in
                defer { guarded.pending = [] }
                return (guarded.pending, guarded.isFinished, guarded.error)
            }
            if !bytes.isEmpty {
                return bytes
            }
            if let error {
                throw error
            }
            if isFinished {
                return nil
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let goesOn = guarded.withLock { guarded in
                        guard guarded.pending.isEmpty, !guarded.isFinished, !Task.isCancelled else {
                            return true
                        }
                        guarded.waiter = continuation
                        return false
                    }
                    if goesOn {
                        continuation.resume()
                    }
                }
            } onCancel: {
                change { _ in }
            }
        }
    }

    private func change(_ body: (inout Guarded) -> Void) {
        let waiter = guarded.withLock { guarded in
            body(&guarded)
            defer { guarded.waiter = nil }
            return guarded.waiter
        }
        waiter?.resume()
    }
}
