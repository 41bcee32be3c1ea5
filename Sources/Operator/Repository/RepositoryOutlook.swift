import Builds
import CRDs
import ControllerRuntime
import KubernetesTypes

/// What one pass found out about a Repository, and the status that says so.
struct RepositoryOutlook: Sendable {
    /// Where the source stands.
    enum Source: Sendable {
        /// It is being fetched, or the branch is being looked at for the first time.
        case fetching
        case fetched
        /// Its message asks not to be built.
        case skipped
        /// It cannot be used; whether something is tried again without anybody's doing.
        case failed(BuildFailure, isFinal: Bool)
    }

    /// What became of the sealed Secrets that a commit brings.
    enum Secrets: Sendable {
        case absent
        case applied(Int)
        case failed(BuildFailure)
    }

    let repository: Repository
    /// The commit that is wanted; nil when none is known yet.
    var commit: String?
    var source = Source.fetching
    /// The functions of ``commit``, when they are known.
    var functions: [FunctionProgress]?
    /// What became of the sealed Secrets of ``commit``; nil when nothing newer is known.
    var secrets: Secrets?
    /// What the status says of functions while nothing newer is known; nil leaves it as it is.
    var remembered: [RepositoryFunction]?
    /// The branch cannot be looked at, although what runs is not touched by that.
    var headFailure: BuildFailure?
    /// Something about the Repository itself has to change first.
    var obstacle: BuildFailure?
    /// Why nothing is done; nil when something is.
    var suspension: Suspension?

    init(_ repository: Repository) {
        self.repository = repository
        commit = repository.status?.observedCommit
    }

    /// The status, with times from `now` where something changed.
    func status(now: Time) -> RepositoryStatus {
        var status = repository.status ?? RepositoryStatus()
        let generation = repository.metadata.generation
        var conditions = Conditions(observed: status.conditions, generation: generation, now: now)
        status.observedGeneration = generation
        if suspension == nil {
            // What is asked for meanwhile is done afterwards.
            status.lastHandledRequest = repository.requestMark
            status.lastHandledReconcileAt = repository.reconcileMark
        }
        recordSuperseded(&status, now)
        status.observedCommit = commit
        if let functions {
            status.functions = functions.map(\.entry)
            status.functionCount = Int32(functions.count)
        } else if let remembered {
            status.functions = remembered
        }
        if let suspension {
            conditions.set(
                Conditions.ready, status.deployedCommit == nil || suspension.stopsCalls ? .false : .true,
                reason: RepositoryReason.suspended.rawValue, message: suspension.message)
            conditions.remove(Conditions.reconciling)
            conditions.remove(Conditions.stalled)
        } else if let obstacle {
            conditions.setStalled(reason: obstacle.reason.rawValue, message: obstacle.message)
        } else {
            setConditions(&conditions, &status, now)
        }
        status.conditions = conditions.list
        return status
    }

    // MARK: - Conditions

    private func setConditions(_ conditions: inout Conditions, _ status: inout RepositoryStatus, _ now: Time) {
        let fetched = RepositoryCondition.sourceFetched.rawValue
        switch source {
        case .fetching:
            let message = commit.map { "fetching commit \(Self.short($0))" } ?? "looking at branch \(repository.branch)"
            if let headFailure {
                conditions.set(fetched, .false, reason: headFailure.reason.rawValue, message: headFailure.message)
                fail(&conditions, headFailure, isFinal: !headFailure.reason.isTransient)
            } else {
                conditions.set(fetched, .unknown, reason: RepositoryReason.fetching.rawValue, message: message)
                conditions.setReconciling(reason: RepositoryReason.fetching.rawValue, message: message)
            }
            return
        case .failed(let failure, let isFinal):
            conditions.set(fetched, .false, reason: failure.reason.rawValue, message: failure.message)
            fail(&conditions, failure, isFinal: isFinal)
            if isFinal { record(.failed, failure.reason.rawValue, &status, now) }
            return
        case .skipped:
            setSkipped(&conditions, status)
            record(.skipped, RepositoryReason.skipped.rawValue, &status, now)
            return
        case .fetched: break
        }
        if let headFailure {
            conditions.set(fetched, .false, reason: headFailure.reason.rawValue, message: headFailure.message)
        } else {
            conditions.set(
                fetched, .true, reason: RepositoryReason.succeeded.rawValue,
                message: "commit \(Self.short(commit ?? "")) of branch \(repository.branch)")
        }
        setSecrets(&conditions)
        guard let functions else { return }
        setStages(&conditions, functions)
        summarise(&conditions, &status, functions, now)
        // Whatever runs without them: what the commit says is not what is in the cluster.
        if case .failed(let failure) = secrets { fail(&conditions, failure, isFinal: !failure.reason.isTransient) }
    }

    private func setSecrets(_ conditions: inout Conditions) {
        let type = RepositoryCondition.secretsApplied.rawValue
        switch secrets {
        case nil: break
        case .absent: conditions.remove(type)
        case .applied(let count):
            conditions.set(
                type, .true, reason: RepositoryReason.succeeded.rawValue,
                message: "\(count) of \(SealedSecretFile.name) applied")
        case .failed(let failure):
            conditions.set(type, .false, reason: failure.reason.rawValue, message: failure.message)
        }
    }

    private func setSkipped(_ conditions: inout Conditions, _ status: RepositoryStatus) {
        let message = "the message of commit \(Self.short(commit ?? "")) asks not to be built"
        conditions.set(
            RepositoryCondition.sourceFetched.rawValue, .true, reason: RepositoryReason.skipped.rawValue,
            message: message)
        if let deployed = status.deployedCommit {
            conditions.setReady(
                reason: RepositoryReason.skipped.rawValue, message: message + "; commit \(Self.short(deployed)) runs")
        } else {
            conditions.set(
                Conditions.ready, .false, reason: RepositoryReason.skipped.rawValue,
                message: message + ", and no other was deployed")
            conditions.remove(Conditions.reconciling)
            conditions.remove(Conditions.stalled)
        }
    }

    private func setStages(_ conditions: inout Conditions, _ functions: [FunctionProgress]) {
        func set(
            _ type: RepositoryCondition, _ isDone: Bool, _ failed: FunctionProgress?, _ busy: RepositoryReason,
            _ done: String
        ) {
            if let failed {
                conditions.set(
                    type.rawValue, .false, reason: failed.entry.reason ?? busy.rawValue, message: Self.line(failed))
            } else if isDone {
                conditions.set(
                    type.rawValue, .true, reason: RepositoryReason.succeeded.rawValue, message: done)
            } else {
                conditions.set(type.rawValue, .unknown, reason: busy.rawValue, message: progress(functions))
            }
        }
        set(
            .built, functions.allSatisfy { $0.stage == .deploy },
            functions.first { $0.isFailed && $0.stage == .build }, .building,
            "\(Self.count(functions)) built")
        set(
            .deployed, functions.allSatisfy(\.isDeployed), functions.first { $0.isFailed && $0.stage == .deploy },
            .deploying, "\(Self.count(functions)) deployed")
    }

    private func summarise(
        _ conditions: inout Conditions, _ status: inout RepositoryStatus, _ functions: [FunctionProgress], _ now: Time
    ) {
        let commit = commit ?? ""
        if functions.allSatisfy(\.isDeployed) {
            status.deployedCommit = commit
            record(.deployed, nil, &status, now)
            if let headFailure, !headFailure.reason.isTransient {
                fail(&conditions, headFailure, isFinal: true)
            } else {
                conditions.setReady(
                    reason: RepositoryReason.deployed.rawValue,
                    message: "\(Self.count(functions)) of commit \(Self.short(commit)) "
                        + (functions.count == 1 ? "runs" : "run"))
            }
            return
        }
        let isBusy = functions.contains { !$0.isFailed && !$0.isDeployed }
        if let failed = functions.first(where: { $0.isFailed && $0.isFinal }) ?? functions.first(where: \.isFailed),
            !isBusy
        {
            let reason = failed.entry.reason ?? RepositoryReason.functionNotReady.rawValue
            let isFinal = functions.allSatisfy { !$0.isFailed || $0.isFinal }
            if isFinal {
                conditions.setStalled(reason: reason, message: Self.line(failed))
                record(.failed, reason, &status, now)
            } else {
                conditions.setReconciling(ready: .false, reason: reason, message: Self.line(failed))
            }
            return
        }
        let unbuilt = functions.filter { $0.stage == .build && !$0.isFailed }
        let isQueued = unbuilt.allSatisfy { $0.entry.reason == RepositoryReason.queued.rawValue }
        let reason: RepositoryReason = unbuilt.isEmpty ? .deploying : isQueued ? .queued : .building
        conditions.setReconciling(reason: reason.rawValue, message: progress(functions))
    }

    private func fail(_ conditions: inout Conditions, _ failure: BuildFailure, isFinal: Bool) {
        if isFinal {
            conditions.setStalled(reason: failure.reason.rawValue, message: failure.message)
        } else {
            conditions.setReconciling(ready: .false, reason: failure.reason.rawValue, message: failure.message)
        }
    }

    private func progress(_ functions: [FunctionProgress]) -> String {
        let built = functions.filter { $0.stage == .deploy }.count
        let deployed = functions.filter(\.isDeployed).count
        return "commit \(Self.short(commit ?? "")): \(built) of \(functions.count) built, \(deployed) deployed"
    }

    private static func line(_ function: FunctionProgress) -> String {
        let message = function.entry.message?.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return "function \(function.entry.name): \(message)"
    }

    private static func count(_ functions: [FunctionProgress]) -> String {
        functions.count == 1 ? "1 function" : "\(functions.count) functions"
    }

    private static func short(_ commit: String) -> String { String(commit.prefix(7)) }

    // MARK: - History

    /// The commits that were given up for a newer one before they came to an end.
    private func recordSuperseded(_ status: inout RepositoryStatus, _ now: Time) {
        guard let commit, status.observedCommit != commit else { return }
        var runs: [RepositoryRun] = []
        func supersede(_ old: String, beganAt: Time?) {
            runs.append(
                RepositoryRun(
                    commit: old, result: .superseded, reason: RepositoryReason.superseded.rawValue, startedAt: beganAt,
                    finishedAt: now))
        }
        // Pushes that were overtaken before anybody looked at them, newest first.
        let known = Set(status.history.map(\.commit) + [commit, status.observedCommit ?? ""])
        for pushed in repository.pushedCommits.drop(while: { $0 != commit }).dropFirst() {
            guard !known.contains(pushed) else { break }
            supersede(pushed, beganAt: nil)
        }
        if let old = status.observedCommit, status.history.first?.commit != old { supersede(old, beganAt: beganAt) }
        status.history = Array((runs + status.history).prefix(RepositoryStatus.historyMaximum))
    }

    private func record(
        _ result: RepositoryRunResult, _ reason: String?, _ status: inout RepositoryStatus, _ now: Time
    ) {
        guard let commit else { return }
        let latest = status.history.first
        if latest?.commit == commit, latest?.result == result, latest?.reason == reason { return }
        // A commit that was deployed stays that, also when a function of it falls ill later.
        if latest?.commit == commit, latest?.result == .deployed { return }
        let run = RepositoryRun(
            commit: commit, result: result, reason: reason, startedAt: beganAt, finishedAt: now)
        let rest = latest?.commit == commit ? status.history.dropFirst() : status.history[...]
        status.history = Array(([run] + rest).prefix(RepositoryStatus.historyMaximum))
    }

    /// Work on a commit began when the Repository began to reconcile.
    private var beganAt: Time? {
        repository.status?.conditions.condition(Conditions.reconciling)?.lastTransitionTime
    }
}
