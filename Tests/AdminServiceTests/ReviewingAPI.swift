import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Synchronization

/// An API server in memory that also knows people and what they may do.
final class ReviewingAPI: KubernetesAPI {
    private struct State {
        var people: [String: String] = [:]
        var rules: Set<String> = []
        var reviews = 0
        var isAway = false
    }

    let memory = MemoryAPI()
    private let state = Mutex(State())

    var reviews: Int { state.withLock { $0.reviews } }

    func goAway() { state.withLock { $0.isAway = true } }

    /// Lets somebody do something in a namespace: `list functions.farebox.dev`, `patch functions.farebox.dev/scale`.
    func allow(_ person: String, token: String, _ rules: [String], in namespace: String) {
        state.withLock { state in
            state.people[token] = person
            state.rules.formUnion(rules.map { "\(person) \($0) \(namespace)" })
        }
    }

    func send(_ request: APIRequest) async throws -> [UInt8] {
        let isAway = state.withLock { $0.isAway }
        if isAway { throw KubernetesError.api(APIStatus(message: "away", reason: .serviceUnavailable, code: 503)) }
        switch request.resource?.plural {
        case "tokenreviews": return JSONWriter().write(review(request.body?[path: "spec", "token"]?.stringValue ?? ""))
        case "subjectaccessreviews": return JSONWriter().write(access(request.body?["spec"] ?? .null))
        default: return try await memory.send(request)
        }
    }

    func open(_ request: APIRequest) async throws -> any ByteStream { try await memory.open(request) }

    private func review(_ token: String) -> JSONValue {
        state.withLock { state in
            state.reviews += 1
            guard let person = state.people[token] else { return ["status": ["authenticated": false]] }
            return ["status": ["authenticated": true, "user": ["username": .string(person), "groups": ["g"]]]]
        }
    }

    private func access(_ spec: JSONValue) -> JSONValue {
        let what = spec["resourceAttributes"]
        func text(_ key: String) -> String { what?[key]?.stringValue ?? "" }
        let kind = text("resource") + (text("group").isEmpty ? "" : "." + text("group"))
        let whole = text("subresource").isEmpty ? kind : kind + "/" + text("subresource")
        let rule = "\(spec["user"]?.stringValue ?? "") \(text("verb")) \(whole) \(text("namespace"))"
        return state.withLock { state in
            state.reviews += 1
            return ["status": ["allowed": .bool(state.rules.contains(rule))]]
        }
    }
}
