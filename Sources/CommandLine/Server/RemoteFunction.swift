import Commands
import JSON
import Timing

/// What a server tells of a function: an element of `GET /system/functions`.
struct RemoteFunction: Sendable, Equatable {
    let name: String
    let namespace: String
    let image: String
    /// Replicas that are wanted.
    let replicas: Int64
    /// Replicas that take calls.
    let available: Int64
    /// Calls since the gateways started.
    let calls: Int64
    let created: Timestamp?
    let secrets: [String]
    /// How it is, where the server is Farebox and says so.
    let state: State?
    /// All of it, as it came.
    let value: JSONValue

    /// Reads an element; nil for what is none.
    init?(_ value: JSONValue) {
        guard let name = value["name"]?.stringValue, !name.isEmpty else { return nil }
        self.name = name
        namespace = value["namespace"]?.stringValue ?? ""
        image = value["image"]?.stringValue ?? ""
        replicas = value["replicas"]?.integerValue ?? 0
        available = value["availableReplicas"]?.integerValue ?? 0
        calls = value["invocationCount"]?.integerValue ?? 0
        created = value["createdAt"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        secrets = value["secrets"]?.arrayValue?.compactMap(\.stringValue) ?? []
        state = State(value["farebox"])
        self.value = value
    }

    /// What Farebox's own REST API says beside what OpenFaaS' clients read.
    struct State: Sendable, Equatable {
        /// Whether the function works in the version it has now.
        let isReady: Bool
        /// Whether somebody has to act.
        let isStalled: Bool
        let reason: String
        let message: String
        /// The Repository that deploys it.
        let repository: String?

        init?(_ value: JSONValue?) {
            guard let value, case .bool(let isReady)? = value["ready"] else { return nil }
            self.isReady = isReady
            isStalled = value["stalled"] == true
            reason = value["reason"]?.stringValue ?? ""
            message = value["message"]?.stringValue ?? ""
            repository = value["repository"]?.stringValue
        }
    }

    /// What a look says of it while somebody waits for it to work.
    var verdict: FunctionWait.Verdict {
        guard let state else {
            return isSettled ? .ready : .waiting("\(available) of \(replicas) replicas")
        }
        if state.isReady { return .ready }
        guard state.isStalled else {
            return .waiting(
                state.message.isEmpty ? state.reason.isEmpty ? "waits for the operator" : state.reason : state.message)
        }
        return .failed(
            CommandFailure(
                "function \(name) does not work: \(TerminalText.line("\(state.reason): \(state.message)"))",
                advice: "see more: farebox logs \(name)"))
    }

    /// Whether as many replicas take calls as are wanted.
    var isSettled: Bool { available == replicas }
}
