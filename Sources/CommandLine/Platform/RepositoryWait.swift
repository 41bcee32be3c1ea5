import CRDs
import Commands
import KubernetesTypes
import Timing

/// Waits until a repository's newest commit runs.
struct RepositoryWait: Sendable {
    private static let interval = Duration.seconds(1)

    private let cluster: Cluster
    private let progress: Progress

    init(_ cluster: Cluster, _ progress: Progress) {
        self.cluster = cluster
        self.progress = progress
    }

    /// Waits.
    ///
    /// - Parameters:
    ///   - name: The Repository.
    ///   - limit: How long.
    ///   - stamp: What was asked for last, which has to be dealt with before anything counts; nil for nothing.
    /// - Returns: The Repository, ready.
    /// - Throws: `CommandFailure`: what stalls it, or that the time is over.
    func untilReady(_ name: String, limit: Duration, handled stamp: String?) async throws -> Repository {
        let deadline = ContinuousClock.now + limit
        while true {
            let repository = try await cluster.read(Repository.self, name).object
            let (word, mood, message) = Self.state(repository)
            let isCurrent = stamp == nil || repository.status?.lastHandledReconcileAt == stamp
            if isCurrent, mood == .good { return repository }
            if isCurrent, mood == .bad {
                throw CommandFailure(
                    "repository \(name) in namespace \(cluster.namespace): \(word): \(TerminalText.line(message ?? ""))",
                    advice: "see the build of a function: farebox logs NAME --build -n \(cluster.namespace)")
            }
            progress.begin("repository \(name): \(message ?? word)")
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .timedOut,
                    "repository \(name) in namespace \(cluster.namespace): not ready within \(limit.goStyle): "
                        + TerminalText.line(message.map { "\(word): \($0)" } ?? word),
                    advice: "see how it is: farebox repo list -n \(cluster.namespace) -o wide")
            }
            // One look at one object: a watch would need one more right.
            try await Task.sleep(for: Self.interval)
        }
    }

    /// How a Repository is, in a word, and what it says of it.
    static func state(_ repository: Repository) -> (word: String, mood: Table.Mood, message: String?) {
        if repository.metadata.isBeingDeleted { return ("Terminating", .waiting, nil) }
        let conditions = repository.status?.conditions ?? []
        let isSeen =
            repository.metadata.generation == nil
            || repository.status?.observedGeneration == repository.metadata.generation
        guard isSeen, let ready = conditions.condition(RepositoryCondition.ready.rawValue) else {
            return ("Pending", .waiting, nil)
        }
        let message = ready.message.isEmpty ? nil : ready.message
        if ready.status == .true { return (repository.spec.suspend == true ? "Suspended" : "Ready", .good, message) }
        let isStalled = conditions.condition(RepositoryCondition.stalled.rawValue)?.status == .true
        let isOnItsWay = conditions.condition(RepositoryCondition.reconciling.rawValue)?.status == .true
        let word = ready.reason.isEmpty ? "NotReady" : ready.reason
        return (word, isStalled || !isOnItsWay ? .bad : .waiting, message)
    }
}
