import Builds
import CRDs
import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization
import Telemetry
import Timing

/// Has the log of every build that ended stored once, beside the reconcile loop.
///
/// The Job says when that is done, so a process that starts anew stores what its predecessor did not; until then the Job
/// stays. When the store cannot be used for long, the log is given up: a build must not hang on its log.
final class BuildLogKeeper: Sendable {
    /// The annotation on a Job that says what became of its log.
    static let annotation = FareboxLabel.group + "/log"
    /// The log is in the store.
    static let stored = "stored"
    /// There was nothing to store, or no way to.
    static let none = "none"

    /// What the keeper needs from the rest of the operator.
    struct Surroundings: Sendable {
        let api: any KubernetesAPI
        let configuration: LogsConfiguration
        /// Hides what a log must not show.
        let masker: @Sendable (ObservedBuild) async -> LogMasker
        /// Stores a log.
        let store: @Sendable (LogKey, [UInt8]) async throws -> Void
        /// Deletes a build.
        var delete: @Sendable (ObservedBuild) async throws -> Void = { _ in }
        /// Is told of the build once it is over.
        var ended: @Sendable (ObservedBuild, Repository) -> Void = { _, _ in }
    }

    private struct Entry {
        var isWorking = false
        var failures = 0
        /// Nil for the first try.
        var retryAt: ContinuousClock.Instant?
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// Jobs that are done with: the informers may show them without the annotation for a moment.
        var done: Set<String> = []
        /// Jobs that go once they are done with.
        var doomed: Set<String> = []
        var notify: @Sendable (ObjectKey) -> Void = { _ in }
    }

    private let surroundings: Surroundings
    private let lane = TaskLane<String>(concurrency: 4)
    private let state = Mutex(State())
    private let backoff: Backoff
    private let hurryLimit: Duration
    private let metrics: RepositoryMetrics
    private let logger = Logger(label: "build-log")

    /// With the waits between them these tries take about five minutes.
    static let triesMaximum = 8
    /// Reading a pod's log may take this long.
    private static let readLimit = Duration.seconds(60)
    /// More are forgotten at once.
    private static let remembered = 10_000

    /// - Parameter hurryLimit: How long a build that is deleted while its log is read may hold its Repository up.
    init(
        _ surroundings: Surroundings, metrics: RepositoryMetrics, hurryLimit: Duration,
        backoff: Backoff = Backoff(base: .seconds(2), ceiling: .seconds(120), jitter: 0.2)
    ) {
        self.surroundings = surroundings
        self.metrics = metrics
        self.hurryLimit = hurryLimit
        self.backoff = backoff
    }

    /// Tells whom to call when a Job is done with.
    func notify(_ body: @escaping @Sendable (ObjectKey) -> Void) { state.withLock { $0.notify = body } }

    /// Works until the calling task is cancelled.
    func run() async { await lane.run() }

    // MARK: - What the reconcile loop asks

    /// Whether a Job may go as far as its log is concerned.
    func hasDealt(with build: ObservedBuild) -> Bool {
        guard build.outcome.isFinished, build.job.metadata.annotations[Self.annotation] == nil else { return true }
        return state.withLock { $0.done.contains(build.job.metadata.uid) }
    }

    /// Has the logs of builds that ended stored, where that did not happen yet.
    ///
    /// - Returns: When to come again, if something failed.
    func keep(_ builds: [ObservedBuild], of repository: Repository) -> Duration? {
        var next: Duration?
        for build in builds where !hasDealt(with: build) {
            let now = ContinuousClock.now
            let wait: Duration? = state.withLock { state in
                var entry = state.entries[build.job.metadata.uid] ?? Entry()
                guard !entry.isWorking else { return nil }
                if let retryAt = entry.retryAt, retryAt > now { return retryAt - now }
                entry.isWorking = true
                state.entries[build.job.metadata.uid] = entry
                return .zero
            }
            guard let wait else { continue }
            if wait == .zero {
                lane.submit(build.job.metadata.uid) { [self] in await work(build, repository) }
            } else {
                next = min(next ?? wait, wait)
            }
        }
        return next
    }

    /// Whether a build that nobody needs any more has to stay for its log; it goes by itself then.
    func holds(_ build: ObservedBuild) -> Bool {
        guard !hasDealt(with: build) else { return false }
        let uid = build.job.metadata.uid
        return state.withLock { state in
            // It may have been dealt with just now.
            guard !state.done.contains(uid) else { return false }
            if state.doomed.count >= Self.remembered { state.doomed = [] }
            state.doomed.insert(uid)
            return true
        }
    }

    /// Stores the log of a build that is about to be deleted, unless that takes too long.
    func hurry(_ build: ObservedBuild, of repository: Repository) async {
        guard !hasDealt(with: build) else { return }
        // The lane may be at it as well: storing the same log twice changes nothing.
        try? await withDeadline(hurryLimit) { [self] in
            guard try await store(build, repository), !hasDealt(with: build) else { return }
            metrics.logKept(Self.stored)
            await settle(build, repository)
        }
    }

    /// The same functions with the places of their logs.
    ///
    /// A function that was not built anew keeps the log of the build that made its image.
    func linked(
        _ functions: [FunctionProgress], builds: [ObservedBuild], of repository: Repository
    ) -> [FunctionProgress] {
        let known = repository.status?.functions ?? []
        return functions.map { function in
            var function = function
            let label = LabelValue.sanitised(function.entry.name)
            let commit = function.entry.commit
            let build =
                builds
                .filter { $0.function == label && $0.commit == commit }
                .max { Self.age($0) < Self.age($1) }
            if let build, let key = key(of: build, in: repository) {
                function.entry.logURL = surroundings.configuration.publicAddress.url(of: key)
            } else if let before = known.first(where: { $0.name == function.entry.name }),
                before.image == function.entry.image || function.entry.image == nil
            {
                function.entry.logURL = before.logURL
            }
            return function
        }
    }

    private static func age(_ build: ObservedBuild) -> Timestamp {
        build.job.metadata.creationTimestamp?.timestamp ?? .earliest
    }

    private func key(of build: ObservedBuild, in repository: Repository) -> LogKey? {
        LogKey(
            namespace: surroundings.configuration.keyNamespace(repository.metadata.namespace), owner: repository.owner,
            repository: repository.hostedName, commit: build.commit,
            function: build.function)
    }

    // MARK: - Work

    private func work(_ build: ObservedBuild, _ repository: Repository) async {
        let uid = build.job.metadata.uid
        do {
            try await finish(build, repository, try await store(build, repository))
        } catch is CancellationError {
            state.withLock { $0.entries[uid]?.isWorking = false }
            return
        } catch {
            await fail(build, repository, error)
        }
        state.withLock { $0.notify }(repository.key)
    }

    /// Reads and stores the log.
    ///
    /// - Returns: Whether there was one.
    private func store(_ build: ObservedBuild, _ repository: Repository) async throws -> Bool {
        guard let pod = build.pod, let key = key(of: build, in: repository), let log = try await read(pod) else {
            return false
        }
        let masked = await surroundings.masker(build).masked(log)
        try await surroundings.store(key, masked)
        return true
    }

    /// The end of a pod's log, each line with its time; nil when there is no pod or no log any more.
    private func read(_ pod: Pod) async throws -> [UInt8]? {
        let (api, bytesMaximum) = (surroundings.api, surroundings.configuration.logBytesMaximum)
        do {
            return try await withDeadline(Self.readLimit) {
                let stream = try await api.logs(
                    pod.key, options: LogOptions(container: BuildJob.containerName, showsTimestamps: true))
                defer { stream.cancel() }
                // Room for the line that says what is missing.
                var end = LogEnd(bytesMaximum: bytesMaximum - 256)
                while let piece = try await stream.next() { end.take(piece) }
                return end.finish()
            }
        } catch let error as KubernetesError where error.isNotFound || error.status?.code == 400 {
            // The pod is gone, or its container never began.
            return nil
        }
    }

    private func finish(_ build: ObservedBuild, _ repository: Repository, _ wasStored: Bool) async throws {
        let value = wasStored ? Self.stored : Self.none
        let change: JSONValue = [
            "metadata": [
                "uid": .string(build.job.metadata.uid), "annotations": [Self.annotation: .string(value)],
            ]
        ]
        do {
            _ = try await surroundings.api.patch(
                Job.self, build.job.key, .merge(change))
        } catch let error as KubernetesError where error.isNotFound || error.isConflict {
            // Somebody deleted the Job, or another one has its name by now.
        }
        metrics.logKept(value)
        await settle(build, repository)
    }

    private func fail(_ build: ObservedBuild, _ repository: Repository, _ error: any Error) async {
        let failures = state.withLock { state in
            var entry = state.entries[build.job.metadata.uid] ?? Entry()
            entry.isWorking = false
            entry.failures += 1
            entry.retryAt = .now + backoff.delay(afterFailures: entry.failures)
            state.entries[build.job.metadata.uid] = entry
            return entry.failures
        }
        logger.warning(
            "The log of a build cannot be stored",
            ["job": build.job.metadata.name, "tries": failures, "error": "\(error)"])
        guard failures >= Self.triesMaximum else { return }
        metrics.logKept("given up")
        await settle(build, repository)
    }

    /// The log is dealt with: what waited for that happens now.
    private func settle(_ build: ObservedBuild, _ repository: Repository) async {
        let isDoomed = state.withLock { state in
            state.entries[build.job.metadata.uid] = nil
            if state.done.count >= Self.remembered { state.done = [] }
            state.done.insert(build.job.metadata.uid)
            return state.doomed.remove(build.job.metadata.uid) != nil
        }
        surroundings.ended(build, repository)
        guard isDoomed else { return }
        do {
            try await surroundings.delete(build)
        } catch {
            // The next commit's pass finds it again.
            logger.warning("An old build cannot be deleted", ["job": build.job.metadata.name, "error": "\(error)"])
        }
    }
}
