import CRDs
import Commands
import KubernetesTypes
import Timing

/// Waits until a function is as it should be.
struct FunctionWait: Sendable {
    /// How long to wait unless somebody says otherwise.
    static let limitDefault = Duration.seconds(300)
    /// How often to look: a person waits, and one object is cheap to read.
    private static let interval = Duration.milliseconds(500)

    private let cluster: Cluster
    private let progress: Progress

    /// Makes a wait that tells its progress.
    init(_ cluster: Cluster, _ progress: Progress) {
        self.cluster = cluster
        self.progress = progress
    }

    /// Waits until a function works in the version it has now.
    ///
    /// - Parameters:
    ///   - name: The function.
    ///   - limit: How long.
    /// - Returns: The function, ready.
    /// - Throws: `CommandFailure`: what stalls it, as soon as that is known, or that the time is over.
    func untilReady(_ name: String, limit: Duration) async throws -> FetchedObject<Function> {
        let deadline = ContinuousClock.now + limit
        while true {
            let fetched = try await cluster.function(name)
            let verdict = Self.verdict(fetched.object)
            switch verdict {
            case .ready: return fetched
            case .failed(let failure): throw failure
            case .waiting(let why): progress.begin("function \(name): \(why)")
            }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .timedOut, "function \(name) in namespace \(cluster.namespace): not ready within \(limit.goStyle)",
                    advice: "see what it says: farebox logs \(name) -n \(cluster.namespace)")
            }
            // One look at one object: a watch would need one more right.
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Waits until an object is gone.
    ///
    /// - Parameters:
    ///   - name: The function.
    ///   - limit: How long.
    /// - Throws: `CommandFailure` where it is still there.
    func untilGone(_ name: String, limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        progress.begin("function \(name): is being removed")
        while true {
            do {
                _ = try await cluster.function(name)
            } catch let failure as CommandFailure where failure.code == .notFound {
                return
            }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .timedOut, "function \(name) in namespace \(cluster.namespace): not gone within \(limit.goStyle)",
                    advice: "see why: farebox status \(name) -n \(cluster.namespace)")
            }
            // One look at one object: a watch would need one more right.
            try await Task.sleep(for: Self.interval)
        }
    }

    /// What a look at a function says.
    enum Verdict {
        /// It is as it should be.
        case ready
        /// It is on its way, and this is why it is not there.
        case waiting(String)
        /// Somebody has to act.
        case failed(CommandFailure)
    }

    /// Reads a function's conditions.
    static func verdict(_ function: Function) -> Verdict {
        guard !function.metadata.isBeingDeleted else {
            return .failed(CommandFailure(.notFound, "function \(function.metadata.name) is being removed"))
        }
        guard FunctionState.isSeen(function), let conditions = function.status?.conditions else {
            return .waiting("waits for the operator")
        }
        if conditions.condition(FunctionCondition.ready.rawValue)?.status == .true { return .ready }
        if let stalled = conditions.condition(FunctionCondition.stalled.rawValue), stalled.status == .true {
            return .failed(
                CommandFailure(
                    "function \(function.metadata.name) does not work: \(stalled.reason): "
                        + TerminalText.line(stalled.message),
                    advice: "see more: farebox status \(function.metadata.name) -n \(function.metadata.namespace)"))
        }
        let ready = conditions.condition(FunctionCondition.ready.rawValue)
        guard let ready, !ready.reason.isEmpty else { return .waiting("starts") }
        return .waiting(ready.message.isEmpty ? ready.reason : ready.message)
    }
}

extension Options {
    /// A time such as `30s` or `5m`.
    ///
    /// - Throws: `UsageError` for anything else.
    func duration(_ name: String) throws(UsageError) -> Duration? {
        guard let text = self[name] else { return nil }
        guard let duration = Duration(goStyle: text), duration > .zero, duration <= .seconds(366 * 86_400) else {
            throw UsageError(
                "--\(name): '\(TerminalText.line(String(text.prefix(40))))' is no time such as 30s, 5m or 2h")
        }
        return duration
    }
}
