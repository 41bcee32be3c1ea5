import GitHosts
import Timing

/// What is still to be told of one Repository: a value that decides, and sends nothing itself.
///
/// A report that was told is not told again; a newer one for the same context of a commit takes the place of one that
/// waits. What a host refuses is put aside until something new is to be told or somebody asks for another try.
struct ReportQueue: Sendable {
    /// How telling one report ended.
    enum Outcome: Sendable {
        case told
        /// It is tried again; not before the time that the host asked for, if it asked.
        case later(String, after: Duration?)
        case refused(String)
    }

    /// More reports do not wait: the oldest are dropped.
    static let waitingMaximum = 4000
    /// So many contexts that were left pending are remembered.
    static let openMaximum = 4000

    private(set) var waiting: [CommitReport] = []
    /// Why nothing goes out for now.
    private(set) var trouble: String?
    /// When it is tried again; nil when nobody waits, or when it is not.
    private(set) var retryAt: ContinuousClock.Instant?
    private let backoff: Backoff
    /// What each context shows.
    private var told: [CommitReport.Slot: String] = [:]
    /// What another process told, by the mark of the slot, as long as nobody knows which context that is.
    private var inherited: [String: String]
    private var refused: [CommitReport.Slot: String] = [:]
    private var open: Set<CommitReport.Slot> = []
    private var commits: Set<String> = []
    private var failures = 0
    private var occasion: String

    /// - Parameters:
    ///   - told: The marks of what the host was told before this process.
    ///   - occasion: Changes when somebody asks for another try.
    init(told: [String: String], occasion: String, backoff: Backoff) {
        inherited = told
        self.occasion = occasion
        self.backoff = backoff
    }

    /// Takes in what the host should show now.
    ///
    /// - Parameters:
    ///   - reports: All of it, in order.
    ///   - occasion: When it differs from the last one, what was refused is tried again.
    mutating func want(_ reports: [CommitReport], occasion: String) {
        if occasion != self.occasion {
            self.occasion = occasion
            refused = [:]
            retryAt = nil
            trouble = nil
        }
        for report in reports {
            let slot = report.slot
            if let mark = inherited.removeValue(forKey: slot.mark), told[slot] == nil { told[slot] = mark }
        }
        for report in reports + closing(reports) { add(report) }
        if waiting.count > Self.waitingMaximum { waiting.removeFirst(waiting.count - Self.waitingMaximum) }
        forgetOthers(Set(reports.map(\.commit)))
        if waiting.isEmpty, refused.isEmpty { trouble = nil }
    }

    /// Marks of commits that nobody speaks of any more have no use.
    ///
    /// Those of a commit stay together: a context may be missing for a moment, while it is found out again how it does.
    private mutating func forgetOthers(_ commits: Set<String>) {
        guard !commits.isEmpty else { return }
        if !self.commits.isEmpty, commits != self.commits { inherited = [:] }
        self.commits = commits
        told = told.filter { commits.contains($0.key.commit) }
        refused = refused.filter { commits.contains($0.key.commit) }
    }

    private mutating func add(_ report: CommitReport) {
        let index = waiting.firstIndex { $0.slot == report.slot }
        if let index, waiting[index] == report { return }
        // What waited in between is history; a newer report takes its own place in the order.
        if let index { waiting.remove(at: index) }
        let mark = report.mark
        if told[report.slot] != mark, refused[report.slot] != mark { waiting.append(report) }
    }

    /// Contexts that this process left pending on commits that are given up, and that the status knows nothing of.
    private func closing(_ reports: [CommitReport]) -> [CommitReport] {
        let cancelled = reports.filter {
            $0.report.state == .cancelled && $0.report.isOfStack
        }
        let known = Set(reports.map(\.slot))
        return cancelled.flatMap { stack in
            open.filter { $0.commit == stack.commit && !known.contains($0) }.map { slot in
                var copy = stack
                copy.report.context = slot.context
                return copy
            }
        }
    }

    /// The next report to tell; nil when there is none, or when it is too early.
    func next(now: ContinuousClock.Instant) -> CommitReport? {
        if let retryAt, retryAt > now { return nil }
        return waiting.first
    }

    /// Takes in how telling a report ended.
    mutating func ended(_ report: CommitReport, _ outcome: Outcome, now: ContinuousClock.Instant) {
        switch outcome {
        case .told:
            failures = 0
            retryAt = nil
            refused[report.slot] = nil
            if refused.isEmpty { trouble = nil }
            told[report.slot] = report.mark
            remember(report)
            remove(report)
        case .refused(let message):
            failures = 0
            retryAt = nil
            trouble = message
            refused[report.slot] = report.mark
            remove(report)
        case .later(let message, let wait):
            failures += 1
            trouble = message
            // Waiting shorter than the host asked for would only be refused again.
            retryAt = now + max(backoff.delay(afterFailures: failures), wait ?? .zero)
        }
    }

    private mutating func remove(_ report: CommitReport) {
        // A newer one may have come meanwhile: it stays.
        waiting.removeAll { $0 == report }
    }

    private mutating func remember(_ report: CommitReport) {
        if report.report.state.isFinal {
            open.remove(report.slot)
        } else if open.count < Self.openMaximum {
            open.insert(report.slot)
        }
    }

    /// Whether the last try failed for good: nothing waits, and something was refused.
    var isRefused: Bool { waiting.isEmpty && !refused.isEmpty }

    /// The marks, for the Repository's status.
    var digest: String? { ReportMarks.text(Array(told.values) + inherited.values) }
}
