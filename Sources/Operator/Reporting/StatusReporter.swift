import Builds
import CRDs
import GitHosts
import KubernetesTypes
import Synchronization
import Telemetry
import Timing

/// What became of telling a Repository's Git host how its commits do.
enum ReportState: Sendable, Hashable {
    /// There is nobody to tell, or nothing that lets us in there.
    case unconfigured
    /// Something is on its way; whoever asked is called when it arrived.
    case sending
    /// The host shows what it should; the marks are for the status.
    case sent(digest: String?)
    /// Something could not be told; after the time it is tried again, if at all.
    case failed(RepositoryReason, String, retryAfter: Duration?, digest: String?)
}

/// Sends one report to a Git host.
protocol StatusTelling: Sendable {
    /// - Throws: ``GitHosts/GitHostError``; ``BuildFailure`` about the credentials; `CancellationError`; anything else
    ///   is worth another try.
    func tell(_ report: CommitReport, of access: GitAccess, at place: StatusPlace) async throws
}

/// Tells Git hosts how commits do, beside the reconcile loop, so that a host that hangs holds up no deploy.
///
/// What it holds can be lost at any time: the status of the Repository keeps the marks of what was told, and the rest
/// follows from that status again.
final class StatusReporter: Sendable {
    private struct Entry {
        var queue: ReportQueue
        var places: [String: StatusPlace] = [:]
        var access: GitAccess
        var isSending = false
        /// Commits that were asked for and overtaken before anybody looked at them.
        var unseen: [String] = []
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var notify: @Sendable (ObjectKey) -> Void = { _ in }
        /// Whether this process is the one that tells.
        var isRunning = false
    }

    private let teller: any StatusTelling
    private let places: StatusPlaces
    private let target: StatusTarget
    private let lane = TaskLane<String>(concurrency: 8)
    private let state = Mutex(State())
    private let backoff: Backoff
    private let results: CounterFamily
    private let logger = Logger(label: "statuses")

    /// More overtaken commits of one Repository are not told of.
    private static let unseenMaximum = 50

    init(
        teller: any StatusTelling, places: StatusPlaces, target: StatusTarget, metrics: MetricsRegistry,
        backoff: Backoff = Backoff(base: .seconds(5), ceiling: .seconds(600), jitter: 0.2)
    ) {
        self.teller = teller
        self.places = places
        self.target = target
        self.backoff = backoff
        results = metrics.counter(
            "farebox_status_reports_total", "Commit statuses sent to Git hosts, by result.", labels: ["result"])
    }

    /// Tells whom to call when something was told, or could not be.
    func notify(_ body: @escaping @Sendable (ObjectKey) -> Void) { state.withLock { $0.notify = body } }

    /// Works until the calling task is cancelled.
    func run() async {
        state.withLock { $0.isRunning = true }
        await lane.run()
    }

    /// Says what a Repository's host should show, and gets what it shows so far.
    ///
    /// - Parameters:
    ///   - repository: The Repository as it was read.
    ///   - status: What is about to be its status: the reports follow from it.
    func report(_ repository: Repository, status: RepositoryStatus) -> ReportState {
        let uid = repository.metadata.uid
        let reports = StatusReports(repository: repository, status: status, target: target)
        guard let place = places.place(of: repository) else {
            forget(uid: uid)
            return .unconfigured
        }
        let access = GitAccess(repository)
        return state.withLock { state in
            let occasion = Self.occasion(of: repository)
            var entry =
                state.entries[uid]
                ?? Entry(
                    queue: ReportQueue(
                        told: ReportMarks.read(repository.status?.reportedDigest), occasion: occasion,
                        backoff: backoff), access: access)
            entry.access = access
            var wanted = reports.wanted
            let known = Set(wanted.map(\.commit))
            entry.unseen.removeAll { known.contains($0) }
            wanted = entry.unseen.map { reports.overtaken($0) } + wanted
            entry.queue.want(wanted, occasion: occasion)
            for report in entry.queue.waiting where entry.places[report.commit] != place.at(report.commit) {
                entry.places[report.commit] = place.at(report.commit)
            }
            let now = ContinuousClock.now
            if !entry.isSending, entry.queue.next(now: now) != nil {
                entry.isSending = true
                send(uid, repository.key)
            }
            let result = Self.state(of: entry, now: now)
            state.entries[uid] = entry
            return result
        }
    }

    /// Notes a commit that was asked for and overtaken before anybody looked at it: it is told that.
    func overtook(_ commit: String, of repository: Repository) {
        guard GitRevision.isCommit(commit) else { return }
        let uid = repository.metadata.uid
        let occasion = Self.occasion(of: repository)
        let told = ReportMarks.read(repository.status?.reportedDigest)
        state.withLock { state in
            // Who stands by sees it as well, and the one who leads has told it.
            guard state.isRunning else { return }
            var entry =
                state.entries[uid]
                ?? Entry(
                    queue: ReportQueue(told: told, occasion: occasion, backoff: backoff),
                    access: GitAccess(repository))
            if !entry.unseen.contains(commit) { entry.unseen.append(commit) }
            entry.unseen = entry.unseen.suffix(Self.unseenMaximum)
            state.entries[uid] = entry
        }
    }

    /// Forgets all of a Repository.
    func forget(uid: String) {
        let isKnown = state.withLock { $0.entries.removeValue(forKey: uid) != nil }
        if isKnown { lane.cancel(uid) }
    }

    /// Changes when somebody asks for another try: a new spec, or a request by hand.
    private static func occasion(of repository: Repository) -> String {
        "\(repository.metadata.generation ?? 0) \(repository.reconcileMark ?? "")"
    }

    private static func state(of entry: Entry, now: ContinuousClock.Instant) -> ReportState {
        if let trouble = entry.queue.trouble, !entry.isSending {
            let wait = entry.queue.retryAt.map { max($0 - now, .milliseconds(10)) }
            return .failed(
                entry.queue.isRefused ? .gitHostRefused : .gitHostUnreachable, trouble, retryAfter: wait,
                digest: entry.queue.digest)
        }
        return entry.isSending || !entry.queue.waiting.isEmpty ? .sending : .sent(digest: entry.queue.digest)
    }

    // MARK: - Sending

    private func send(_ uid: String, _ key: ObjectKey) {
        lane.submit(uid) { [self] in
            while let (report, access, place) = next(uid) {
                let outcome: ReportQueue.Outcome
                do {
                    try await teller.tell(report, of: access, at: place)
                    outcome = .told
                } catch is CancellationError {
                    return
                } catch {
                    outcome = Self.outcome(of: error)
                }
                note(outcome, report, key)
                state.withLock { state in
                    state.entries[uid]?.queue.ended(report, outcome, now: .now)
                    if case .told = outcome, report.report.state == .cancelled {
                        state.entries[uid]?.unseen.removeAll { $0 == report.commit }
                    }
                }
            }
            let notify = state.withLock { $0.notify }
            notify(key)
        }
    }

    /// What is to be told next; when there is nothing, the work is over.
    private func next(_ uid: String) -> (CommitReport, GitAccess, StatusPlace)? {
        state.withLock { state in
            guard var entry = state.entries[uid] else { return nil }
            if let report = entry.queue.next(now: .now), let place = entry.places[report.commit] {
                return (report, entry.access, place)
            }
            entry.isSending = false
            let waiting = Set(entry.queue.waiting.map(\.commit))
            entry.places = entry.places.filter { waiting.contains($0.key) }
            state.entries[uid] = entry
            return nil
        }
    }

    private static func outcome(of error: any Error) -> ReportQueue.Outcome {
        switch error {
        case GitHostError.later(let message, let wait): .later(message, after: wait)
        case GitHostError.refused(let message), GitHostError.unauthorized(let message): .refused(message)
        case let failure as BuildFailure where failure.reason == .credentialsMissing: .refused(failure.message)
        case let failure as BuildFailure: .later(failure.message, after: nil)
        default: .later("the status could not be sent: \(error)", after: nil)
        }
    }

    private func note(_ outcome: ReportQueue.Outcome, _ report: CommitReport, _ key: ObjectKey) {
        let logger = logger.with([
            "namespace": key.namespace, "name": key.name, "commit": report.commit,
            "context": report.report.context, "state": report.report.state.rawValue,
        ])
        switch outcome {
        case .told:
            results.labels("told").increment()
            logger.debug("A Git host was told")
        case .later(let message, _):
            results.labels("later").increment()
            logger.info("A Git host could not be told; it is tried again", ["detail": message])
        case .refused(let message):
            results.labels("refused").increment()
            logger.warning("A Git host refuses to be told", ["detail": message])
        }
    }
}
