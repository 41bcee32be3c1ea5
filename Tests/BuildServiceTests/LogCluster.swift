import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization

/// As much of an API server as the log API asks: Repositories, pods with logs, tokens and rules.
final class LogCluster: KubernetesAPI {
    private struct State {
        var repositories: [JSONValue] = []
        var pods: [String: JSONValue] = [:]
        var logs: [String: [LogStream]] = [:]
        var people: [String: String] = [:]
        /// `<person> <resource> <namespace>/<name>`, with `*` for every name.
        var rules: Set<String> = []
        var secrets: [String: JSONValue] = [:]
        var isAway = false
        var reviews = 0
    }

    private let state = Mutex(State())

    /// How many reviews were asked for.
    var reviews: Int { state.withLock { $0.reviews } }

    func goAway() { state.withLock { $0.isAway = true } }

    func addRepository(_ name: String, url: String, namespace: String = "farebox-functions", uid: String) {
        let object: JSONValue = [
            "apiVersion": "farebox.dev/v1alpha1", "kind": "Repository",
            "metadata": [
                "name": .string(name), "namespace": .string(namespace), "uid": .string(uid), "resourceVersion": "1",
            ], "spec": ["url": .string(url)],
        ]
        state.withLock { $0.repositories.append(object) }
    }

    /// Lets somebody with a token read the logs of an object.
    func allow(_ person: String, token: String, _ resource: String, _ key: String) {
        state.withLock { state in
            state.people[token] = person
            state.rules.insert("\(person) \(resource) \(key)")
        }
    }

    func know(_ person: String, token: String) { state.withLock { $0.people[token] = person } }

    func addSecret(_ name: String, _ data: [String: String]) {
        state.withLock {
            $0.secrets[name] = [
                "metadata": ["name": .string(name), "namespace": "farebox-system"],
                "data": JSONValue(data.mapValues { .string($0) }),
            ]
        }
    }

    func setPod(
        _ name: String, namespace: String, labels: [String: String], container: String, state podState: JSONValue,
        phase: String = "Running", created: String = "2026-11-20T12:00:00Z", arguments: [String] = []
    ) {
        let object: JSONValue = [
            "metadata": [
                "name": .string(name), "namespace": .string(namespace), "uid": .string("uid-" + name),
                "creationTimestamp": .string(created), "labels": JSONValue(labels.mapValues { .string($0) }),
            ],
            "spec": [
                "containers": [
                    [
                        "name": .string(container), "image": "x",
                        "args": .array(arguments.map { .string($0) }),
                    ]
                ]
            ],
            "status": [
                "phase": .string(phase),
                "containerStatuses": [
                    ["name": .string(container), "ready": true, "restartCount": 0, "state": podState]
                ],
            ],
        ]
        state.withLock { $0.pods[name] = object }
    }

    /// The next reading of a pod's log gets this stream; the last one is for all further ones.
    func setLog(_ pod: String, _ streams: [LogStream]) { state.withLock { $0.logs[pod] = streams } }

    // MARK: - KubernetesAPI

    func send(_ request: APIRequest) async throws -> [UInt8] {
        try JSONWriter().write(state.withLock { try Self.answer(request, &$0) })
    }

    func open(_ request: APIRequest) async throws -> any ByteStream {
        try state.withLock { state -> any ByteStream in
            if state.isAway { throw Self.error(503, .serviceUnavailable) }
            guard request.subresource == "log" else { return LogStream() }
            guard var streams = state.logs[request.name ?? ""], let first = streams.first else {
                throw Self.error(404, .notFound)
            }
            if streams.count > 1 { streams.removeFirst() }
            state.logs[request.name ?? ""] = streams
            if let tail = request.query("tailLines").flatMap({ Int($0) }) { first.keep(last: tail) }
            return first
        }
    }

    private static func answer(_ request: APIRequest, _ state: inout State) throws -> JSONValue {
        if state.isAway { throw error(503, .serviceUnavailable) }
        switch (request.verb, request.resource?.plural) {
        case (.list, "repositories"):
            return ["metadata": ["resourceVersion": "1"], "items": .array(state.repositories)]
        case (.list, "pods"):
            let wanted = (request.query("labelSelector") ?? "").split(separator: ",").map {
                $0.split(separator: "=").map(String.init)
            }
            let pods = state.pods.values.filter { pod in
                pod[path: "metadata", "namespace"]?.stringValue == request.namespace
                    && wanted.allSatisfy { pod[path: "metadata", "labels"]?[$0[0]]?.stringValue == $0[1] }
            }
            return ["metadata": ["resourceVersion": "1"], "items": .array(Array(pods))]
        case (.get, "pods"):
            guard let pod = state.pods[request.name ?? ""] else { throw error(404, .notFound) }
            return pod
        case (.get, "secrets"):
            guard let secret = state.secrets[request.name ?? ""] else { throw error(404, .notFound) }
            return secret
        case (.create, "tokenreviews"):
            state.reviews += 1
            let token = request.body?[path: "spec", "token"]?.stringValue ?? ""
            guard let person = state.people[token] else { return ["status": ["authenticated": false]] }
            return ["status": ["authenticated": true, "user": ["username": .string(person), "groups": ["g"]]]]
        case (.create, "subjectaccessreviews"):
            state.reviews += 1
            let spec = request.body?["spec"]
            let what = spec?["resourceAttributes"]
            guard what?["verb"] == "get", what?["subresource"] == "log", what?["group"] == "farebox.dev" else {
                return ["status": ["allowed": false]]
            }
            let head = [spec?["user"], what?["resource"], what?["namespace"]].compactMap { $0?.stringValue }
            let start = "\(head[0]) \(head[1]) \(head[2])/"
            let name = what?["name"]?.stringValue
            let isAllowed =
                state.rules.contains(start + "*") || (name.map { state.rules.contains(start + $0) } ?? false)
            return ["status": ["allowed": .bool(isAllowed)]]
        default: throw error(405, .methodNotAllowed)
        }
    }

    private static func error(_ code: Int, _ reason: StatusReason) -> KubernetesError {
        .api(APIStatus(message: "\(code)", reason: reason, code: code))
    }
}

/// The log of a pod as a test lets it be written.
final class LogStream: ByteStream {
    private struct State {
        var pieces: [[UInt8]] = []
        var end: End?
        var waiter: CheckedContinuation<Void, Never>?
        var reads = 0
    }

    private enum End {
        case complete, broken, cancelled
    }

    private let state = Mutex(State())

    init(_ text: String? = nil, breaks: Bool = false) {
        guard let text else { return }
        say(text)
        if breaks { self.breakOff() } else { end() }
    }

    /// How many pieces were taken.
    var reads: Int { state.withLock { $0.reads } }
    var isCancelled: Bool { state.withLock { $0.end == .cancelled } }

    func say(_ text: String) { change { $0.pieces.append(Array(text.utf8)) } }
    func end() { change { $0.end = $0.end ?? .complete } }
    func breakOff() { change { $0.end = $0.end ?? .broken } }
    func cancel() { change { $0.end = .cancelled } }

    /// As `tailLines` does, on what was said so far.
    func keep(last count: Int) {
        change { state in
            let text = String(decoding: state.pieces.joined(), as: UTF8.self)
            let lines = text.split(separator: "\n").suffix(count)
            state.pieces = [Array((lines.joined(separator: "\n") + "\n").utf8)]
        }
    }

    func next() async throws -> [UInt8]? {
        while true {
            let found: Result<[UInt8]?, any Error>? = state.withLock { state in
                if state.end == .cancelled { return .failure(CancellationError()) }
                if !state.pieces.isEmpty {
                    state.reads += 1
                    return .success(state.pieces.removeFirst())
                }
                switch state.end {
                case .complete: return .success(nil)
                case .broken:
                    return .failure(
                        KubernetesError.transport(.connectionLost(reason: "", mayHaveArrived: true), during: ""))
                case .cancelled, nil: return nil
                }
            }
            if let found { return try found.get() }
            try Task.checkCancellation()
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        guard state.pieces.isEmpty, state.end == nil else { return true }
                        state.waiter = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                cancel()
            }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state in
            body(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
