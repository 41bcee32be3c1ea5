import Builds
import CRDs
import KubernetesTypes
import Synchronization
import Telemetry
import Timing

/// Fetches commits and looks at branches beside the reconcile loop, so that a Git host that hangs holds up nobody else.
///
/// What it holds can be lost at any time: it is found out again. A reconcile asks, gets what is known now, and is called
/// again when there is more.
final class SourceLoader: Sendable {
    /// What is known of a commit.
    enum Source: Sendable {
        case loading
        case ready(PreparedSource)
        /// It cannot be had; it is tried again after the time, if that makes sense.
        case failed(BuildFailure, retryAfter: Duration?)
    }

    /// What is known of a branch.
    enum Head: Sendable {
        case unknown
        case commit(String)
        case failed(BuildFailure)
    }

    private struct SourceEntry {
        let request: SourceRequest
        var result: Result<PreparedSource, BuildFailure>?
        var failures = 0
        var retryAt: ContinuousClock.Instant?
    }

    private struct HeadEntry {
        let request: HeadRequest
        var head = Head.unknown
        var isAsking = false
        var failures = 0
        var dueAt: ContinuousClock.Instant
    }

    private struct State {
        var sources: [String: SourceEntry] = [:]
        var heads: [String: HeadEntry] = [:]
        /// Repositories whose failure, told in their status, may be none any more.
        var doubted: Set<String> = []
        var notify: @Sendable (ObjectKey) -> Void = { _ in }
    }

    private let preparation: any SourcePreparing
    private let sourceLane: TaskLane<String>
    private let headLane = TaskLane<String>(concurrency: 8)
    private let state = Mutex(State())
    private let backoff: Backoff
    private let metrics: RepositoryMetrics
    private let logger = Logger(label: "repository")

    init(
        preparation: any SourcePreparing, concurrency: Int, metrics: RepositoryMetrics,
        backoff: Backoff = Backoff(base: .seconds(10), ceiling: .seconds(300), jitter: 0.1)
    ) {
        self.preparation = preparation
        self.metrics = metrics
        self.backoff = backoff
        sourceLane = TaskLane(concurrency: concurrency)
    }

    /// Tells whom to call when something is known.
    func notify(_ body: @escaping @Sendable (ObjectKey) -> Void) { state.withLock { $0.notify = body } }

    /// Works until the calling task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sourceLane.run() }
            group.addTask { await self.headLane.run() }
        }
    }

    // MARK: - Commits

    /// What is known of a commit; begins to fetch it when nothing is, and gives up any other of the same Repository.
    func source(_ request: SourceRequest) -> Source {
        let now = ContinuousClock.now
        return state.withLock { state in
            if var entry = state.sources[request.uid], entry.request == request {
                switch entry.result {
                case nil: return .loading
                case .success(let source): return .ready(source)
                case .failure(let failure):
                    guard let retryAt = entry.retryAt else { return .failed(failure, retryAfter: nil) }
                    if retryAt > now { return .failed(failure, retryAfter: retryAt - now) }
                    // Until the new try has ended, what is known is the old failure.
                    entry.retryAt = now + backoff.ceiling
                    state.sources[request.uid] = entry
                    start(request)
                    return .failed(failure, retryAfter: backoff.ceiling)
                }
            }
            state.sources[request.uid] = SourceEntry(request: request)
            start(request)
            return .loading
        }
    }

    /// Forgets a commit, so that it is fetched, and its contexts are stored, once more.
    func forgetSource(uid: String) {
        state.withLock { $0.sources[uid] = nil }
        sourceLane.cancel(uid)
    }

    /// Notes that a commit that could not be used may be usable now, since something outside of it changed.
    func doubt(uid: String) {
        forgetSource(uid: uid)
        _ = state.withLock { $0.doubted.insert(uid) }
    }

    /// Whether what is known of a Repository's commit is to be found out again.
    func isDoubted(uid: String) -> Bool { state.withLock { $0.doubted.contains(uid) } }

    /// Forgets all of a Repository.
    func forget(uid: String) {
        forgetSource(uid: uid)
        state.withLock {
            $0.heads[uid] = nil
            $0.doubted.remove(uid)
        }
        headLane.cancel(uid)
    }

    private func start(_ request: SourceRequest) {
        sourceLane.submit(request.uid) { [self] in
            let start = ContinuousClock.now
            let result: Result<PreparedSource, BuildFailure>
            do {
                result = .success(try await preparation.prepare(request))
            } catch is CancellationError {
                return
            } catch let failure as BuildFailure {
                result = .failure(failure)
            } catch {
                result = .failure(BuildFailure(.gitFailed, "the commit could not be fetched: \(error)"))
            }
            metrics.fetched(result, took: start.duration(to: .now))
            finish(request, result)
        }
    }

    private func finish(_ request: SourceRequest, _ result: Result<PreparedSource, BuildFailure>) {
        let notify: (@Sendable (ObjectKey) -> Void)? = state.withLock { state in
            guard var entry = state.sources[request.uid], entry.request == request else { return nil }
            entry.result = result
            state.doubted.remove(request.uid)
            if case .failure(let failure) = result {
                entry.failures += 1
                entry.retryAt =
                    failure.reason.isTransient ? .now + backoff.delay(afterFailures: entry.failures) : nil
            } else {
                entry.failures = 0
            }
            state.sources[request.uid] = entry
            return state.notify
        }
        if case .failure(let failure) = result {
            logger.info(
                "A commit cannot be used",
                [
                    "namespace": request.repository.namespace, "name": request.repository.name,
                    "commit": request.commit, "reason": failure.reason.rawValue, "detail": failure.message,
                ])
        }
        notify?(request.repository)
    }

    // MARK: - Branches

    /// What is known of a branch; asks when it is time to.
    ///
    /// - Parameters:
    ///   - repository: Whose branch.
    ///   - interval: How often it is asked for; nil asks only when nothing is known.
    ///   - isUrgent: Ask now for the first time; otherwise the first time comes some time within the interval, so that a
    ///     process that starts with a thousand Repositories does not ask for all branches at once.
    /// - Returns: What is known, and when to come again.
    func head(of repository: Repository, interval: Duration?, isUrgent: Bool) -> (head: Head, next: Duration?) {
        let request = HeadRequest(repository)
        let now = ContinuousClock.now
        return state.withLock { state in
            var entry: HeadEntry
            if let known = state.heads[request.uid], known.request == request {
                entry = known
            } else {
                let delay = isUrgent ? .zero : Self.spread(interval ?? .zero)
                entry = HeadEntry(request: request, dueAt: now + delay)
            }
            if isUrgent, case .unknown = entry.head, !entry.isAsking { entry.dueAt = min(entry.dueAt, now) }
            let isKnown = if case .commit = entry.head { true } else { false }
            let isWanted = interval != nil || (isUrgent && !isKnown)
            if isWanted, !entry.isAsking, entry.dueAt <= now {
                entry.isAsking = true
                ask(request, repository.key, interval)
            }
            state.heads[request.uid] = entry
            let next = entry.isAsking || !isWanted ? nil : max(entry.dueAt - now, .zero)
            return (entry.head, next)
        }
    }

    /// Puts off the next look by an interval and forgets the last one: something newer is known of the branch.
    func postponeHead(of repository: Repository, interval: Duration?) {
        let request = HeadRequest(repository)
        // An answer on its way is from before: it finds nobody waiting for it.
        state.withLock {
            $0.heads[request.uid] = HeadEntry(request: request, dueAt: .now + (interval ?? .zero))
        }
        headLane.cancel(request.uid)
    }

    /// Makes the next look happen now, whatever is known.
    func hurryHead(of repository: Repository) {
        state.withLock { state in
            guard var entry = state.heads[repository.metadata.uid], !entry.isAsking else { return }
            entry.head = .unknown
            entry.dueAt = .now
            state.heads[repository.metadata.uid] = entry
        }
    }

    private static func spread(_ interval: Duration) -> Duration {
        let most = min(interval, .seconds(30))
        return most * Double.random(in: 0..<1)
    }

    private func ask(_ request: HeadRequest, _ key: ObjectKey, _ interval: Duration?) {
        headLane.submit(request.uid) { [self] in
            let head: Head
            do {
                head = .commit(try await preparation.head(request))
            } catch is CancellationError {
                return
            } catch let failure as BuildFailure {
                head = .failed(failure)
            } catch {
                head = .failed(BuildFailure(.gitFailed, "the branch could not be looked at: \(error)"))
            }
            let notify: (@Sendable (ObjectKey) -> Void)? = state.withLock { state in
                guard var entry = state.heads[request.uid], entry.request == request, entry.isAsking else { return nil }
                entry.head = head
                entry.isAsking = false
                if case .failed = head {
                    entry.failures += 1
                    let wait = backoff.delay(afterFailures: entry.failures)
                    entry.dueAt = .now + min(wait, max(interval ?? wait, backoff.base))
                } else {
                    entry.failures = 0
                    entry.dueAt = .now + (interval ?? .zero)
                }
                state.heads[request.uid] = entry
                return state.notify
            }
            metrics.looked(head)
            notify?(key)
        }
    }
}
