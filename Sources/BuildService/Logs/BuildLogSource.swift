import Builds
import CRDs
import KubernetesClient
import KubernetesTypes
import Timing

/// Finds the pod that builds a function at a commit, and reads its log as it is written.
struct BuildLogSource: Sendable {
    let api: any KubernetesAPI
    let buildsNamespace: String
    /// Makes what hides the secrets of one build.
    let masker: @Sendable (Pod) async throws -> LogMasker

    /// How often to look whether a pod has started.
    private static let startInterval = Duration.seconds(1)
    /// How often in a row a broken stream is opened again.
    private static let breaksMaximum = 5
    private static let podsMaximum = 50

    /// The newest pod that builds this, for one of these Repositories; nil when there is none.
    ///
    /// - Throws: `KubernetesError`.
    func pod(_ key: LogKey, of repositories: [Repository]) async throws -> Pod? {
        let uids = Set(repositories.map(\.metadata.uid))
        guard !uids.isEmpty else { return nil }
        let selector = LabelSelector(matchLabels: [
            FareboxLabel.managedBy: FareboxLabel.managedByFarebox, FareboxLabel.component: BuildJob.component,
            FareboxLabel.function: LabelValue.sanitised(key.function),
            FareboxLabel.commit: LabelValue.sanitised(key.commit),
        ])
        let options = ListOptions(labelSelector: selector.queryValue, limit: Self.podsMaximum)
        let pods = try await api.list(Pod.self, namespace: buildsNamespace, options: options).items
        return
            pods
            .filter { uids.contains($0.metadata.labels[BuildJob.repositoryUIDLabel] ?? "") }
            .max { Self.age($0) < Self.age($1) }
    }

    private static func age(_ pod: Pod) -> Time { pod.metadata.creationTimestamp ?? Time(.earliest) }

    /// Whether a pod has come to its end.
    static func hasEnded(_ pod: Pod) -> Bool { ["Succeeded", "Failed"].contains(pod.status?.phase) }

    /// Reads a pod's log to its end, or to what is there now, and hands the lines on, numbered from 1.
    ///
    /// - Parameters:
    ///   - follows: Whether to wait for what is not written yet.
    ///   - tail: Only so many lines from the end.
    ///   - take: Gets lines that came together; the first one's number, or nil where a tail has no numbers.
    /// - Returns: How it ended.
    /// - Throws: What `take` throws; `CancellationError`.
    func read(
        _ pod: Pod, follows: Bool, tail: Int? = nil, take: @Sendable ([LogLine], Int?) async throws -> Void
    ) async throws -> LogEncoding.End {
        let masker: LogMasker
        do {
            guard try await hasStarted(pod, waits: follows) else { return .complete }
            masker = try await self.masker(pod)
        } catch is KubernetesError {
            return .interrupted
        }
        var options = LogOptions(container: BuildJob.containerName, showsTimestamps: true)
        options.tailLines = tail
        options.follows = follows
        var taken = 0
        var breaks = 0
        while true {
            var number = 0
            var lines = LogLines()
            do {
                let stream = try await api.logs(pod.key, options: options)
                defer { stream.cancel() }
                while let piece = try await stream.next() {
                    breaks = 0
                    try await pass(lines.take(piece), from: &number, &taken, tail, masker, take)
                }
                if let last = lines.finish() { try await pass([last], from: &number, &taken, tail, masker, take) }
                return .complete
            } catch let error as KubernetesError {
                breaks += 1
                // A tail cannot be taken up again: what it began with is not known any more.
                guard !error.isNotFound, follows, tail == nil, breaks <= Self.breaksMaximum else {
                    return .interrupted
                }
                // The API server went away under the stream: it gets a moment, longer each time, and so many in all.
                try await Task.sleep(for: .milliseconds(200 * breaks))
            }
        }
    }

    /// Hands on the lines that were not handed on before the stream broke.
    private func pass(
        _ lines: [LogLine], from number: inout Int, _ taken: inout Int, _ tail: Int?, _ masker: LogMasker,
        _ take: @Sendable ([LogLine], Int?) async throws -> Void
    ) async throws {
        let before = number
        number += lines.count
        let fresh = lines.dropFirst(max(0, taken - before))
        guard !fresh.isEmpty else { return }
        taken = number
        let first = number - fresh.count + 1
        try await take(fresh.map { $0.masked(by: masker) }, tail == nil ? first : nil)
    }

    /// Waits until the container has begun to write, if so wanted.
    ///
    /// - Returns: Whether there is a log.
    private func hasStarted(_ pod: Pod, waits: Bool) async throws -> Bool {
        var pod = pod
        while true {
            let state = pod.status?.containerStatuses.first { $0.name == BuildJob.containerName }?.state
            if state?.running != nil || state?.terminated != nil { return true }
            guard waits, !Self.hasEnded(pod) else { return false }
            // One pod for one reader: a watch of its own would cost the API server more than a look now and then.
            try await Task.sleep(for: Self.startInterval)
            do {
                pod = try await api.get(Pod.self, pod.key)
            } catch let error as KubernetesError where error.isNotFound {
                return false
            }
        }
    }
}
