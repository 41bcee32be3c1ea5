import Audit
import Builds
import CRDs
import ControllerRuntime
import KubernetesClient
import KubernetesTypes
import Telemetry
import Timing

/// Brings the Functions of one Repository to its newest commit, and tells in its status how far that is.
///
/// Nothing it decides is only in memory: the wanted commit is in the annotations, the status and at the Git host; what
/// was built is in Jobs, whose names follow from their inputs, and on the Functions. A process that is killed at any
/// moment leaves a state from which the next one comes to the same end.
struct RepositoryReconciler: Reconciler {
    let repositories: Informer<Repository>
    let functions: Informer<Function>
    let board: BuildBoard
    let loader: SourceLoader
    let office: BuildOffice
    let queue: BuildQueue
    let keeper: BuildLogKeeper
    let functionSwitch: FunctionSwitch
    let environments: Environments
    let sealedSecrets: SealedSecrets
    let retention: ImageRetention
    let collector: ImageCollector
    let writer: ChildWriter
    let statusWriter: StatusWriter
    let finalizer: Finalizer
    let recorder: EventRecorder?
    let audit: AuditLog?
    let metrics: RepositoryMetrics
    /// Tells Git hosts how commits do; nil tells nobody.
    var reporter: StatusReporter?
    let clock = StageClock()
    var polls = Polls()

    /// How soon to look again at what no watch tells; the runtime adds up to a tenth.
    struct Polls: Sendable {
        /// A name that somebody else holds, a write that was refused.
        var obstacle = Duration.seconds(20)
        /// What only the garbage collector has to finish.
        var collection = Duration.seconds(2)
        /// A registry that could not be asked whether it has an image.
        var registry = Duration.seconds(10)
        /// A build's pod should be there after this time.
        var podPatience = Duration.seconds(20)
        /// The log of a build that is deleted may hold its Repository up for this long.
        var logHurry = Duration.seconds(5)
        /// Before a build is tried again after a fault that was not its own.
        var buildBackoff = Backoff(base: .seconds(10), ceiling: .seconds(600))
        /// Before a commit is fetched again after such a fault.
        var sourceBackoff = Backoff(base: .seconds(10), ceiling: .seconds(300), jitter: 0.1)
        /// A build is tried so many times in all.
        var attemptsMaximum = 5
    }

    func reconcile(_ key: ObjectKey) async throws -> ReconcileOutcome {
        guard let repository = repositories.get(key) else { return .done }
        return try await finalizer.reconcile(repository) {
            try await apply(repository)
        } cleanUp: {
            loader.forget(uid: repository.metadata.uid)
            queue.keep([], of: repository.metadata.uid)
            sealedSecrets.forget(uid: repository.metadata.uid)
            reporter?.forget(uid: repository.metadata.uid)
            try await office.deleteAll(of: repository.metadata.uid)
            // As far as it goes: nobody waits for a registry to let a Repository go.
            let images = ImageRetention.needed(by: repository.status) + (repository.status?.retiredImages ?? [])
            _ = collector.collect(unneeded(images, by: repository), of: repository.key)
            return .done
        }
    }

    private func apply(_ repository: Repository) async throws -> ReconcileOutcome {
        var pass = Pass(repository)
        let suspension = Suspension(repository)
        try await functionSwitch.bring(ownFunctions(of: repository), to: suspension)
        if let suspension {
            loader.forget(uid: repository.metadata.uid)
            queue.keep([], of: repository.metadata.uid)
            pass.outlook.suspension = suspension
            return try await report(pass)
        }
        let violations = repository.validate()
        if let kind = violations.kind {
            pass.outlook.obstacle = BuildFailure(
                kind == .invalid ? .invalid : .notSupportedYet, violations.summary())
            return try await report(pass)
        }
        do {
            try await environments.bringAbout(repository)
        } catch let error as ChildError {
            pass.outlook.obstacle = BuildFailure(
                .nameTaken, "\(error); choose another nameSuffix in spec.branches, or delete that object")
            pass.requeue(after: polls.obstacle)
            return try await report(pass)
        }
        let builds = board.builds(of: repository.metadata.uid)
        if let wait = keeper.keep(builds, of: repository) { pass.requeue(after: wait) }
        try await begin(&pass)
        chooseCommit(&pass)
        forgetOldVerdicts(&pass)
        if pass.outlook.commit != nil { try await bringAbout(&pass) }
        return try await report(pass)
    }

    // MARK: - Which commit

    /// Something new is asked for: a push, a change of the spec, a manual request.
    ///
    /// What failed before gets another chance.
    private func begin(_ pass: inout Pass) async throws {
        let repository = pass.repository
        guard pass.isFresh else { return }
        for build in board.builds(of: repository.metadata.uid) {
            if case .failed = build.outcome {
                await keeper.hurry(build, of: repository)
                try await office.delete(build)
            }
        }
        if pass.isGenerationNew || pass.isManual { loader.hurryHead(of: repository) }
        // Another branch or another host: the commit that was seen before says nothing any more.
        if pass.isGenerationNew { pass.outlook.commit = nil }
    }

    private func chooseCommit(_ pass: inout Pass) {
        let repository = pass.repository
        let interval = Self.interval(of: repository)
        if pass.isPushNew, let requested = repository.requestedCommit {
            pass.outlook.commit = requested
            loader.postponeHead(of: repository, interval: interval)
            if let interval { pass.requeue(after: interval) }
            return
        }
        let (head, next) = loader.head(
            of: repository, interval: interval, isUrgent: pass.outlook.commit == nil || pass.isManual)
        if let next { pass.requeue(after: next) }
        switch head {
        case .unknown: break
        case .commit(let commit): pass.outlook.commit = commit
        case .failed(let failure): pass.outlook.headFailure = failure
        }
    }

    /// The same commit is wanted once more: what the status says of its functions is to be found out again.
    private func forgetOldVerdicts(_ pass: inout Pass) {
        guard pass.isFresh, let status = pass.repository.status,
            pass.outlook.commit == nil || pass.outlook.commit == status.observedCommit
        else { return }
        pass.outlook.remembered = status.functions.map { entry in
            var entry = entry
            entry.commit = nil
            if entry.state == .failed {
                entry.state = .pending
                entry.reason = nil
                entry.message = nil
            }
            return entry
        }
    }

    /// How often the branch is looked at; nil when never.
    private static func interval(of repository: Repository) -> Duration? {
        let text = repository.spec.interval ?? RepositorySpec.intervalDefault
        guard let interval = Duration(goStyle: text), interval > .zero else { return nil }
        return interval
    }

    // MARK: - What comes of it

    private func bringAbout(_ pass: inout Pass) async throws {
        guard let commit = pass.outlook.commit else { return }
        if let settled = settledFunctions(pass, commit) {
            pass.outlook.source = .fetched
            pass.outlook.functions = settled
        } else if let failure = settledFailure(pass, commit) {
            pass.outlook.source = .failed(failure, isFinal: true)
        } else {
            switch loader.source(SourceRequest(pass.repository, commit: commit)) {
            case .loading: return
            case .failed(let failure, let retryAfter):
                pass.outlook.source = .failed(failure, isFinal: retryAfter == nil)
                queue.keep([], of: pass.repository.metadata.uid)
                try await endBuilds(notOf: commit, pass)
                if let retryAfter { pass.requeue(after: retryAfter) }
                return
            case .ready(let source) where source.isSkipped:
                pass.outlook.source = .skipped
                pass.outlook.remembered = followed(pass)
                queue.keep([], of: pass.repository.metadata.uid)
                try await endBuilds(notOf: commit, pass)
                return
            case .ready(let source):
                pass.outlook.source = .fetched
                try await applySecrets(source, commit, &pass)
                try await build(source, commit, &pass)
            }
        }
        try await collect(pass)
    }

    /// Applies what `secrets.yml` brings, before the functions that wait for it.
    private func applySecrets(_ source: PreparedSource, _ commit: String, _ pass: inout Pass) async throws {
        do {
            try await sealedSecrets.apply(source.secrets, commit: commit, for: pass.repository)
            pass.outlook.secrets = source.secrets.isEmpty ? .absent : .applied(source.secrets.count)
        } catch let failure as BuildFailure {
            // The functions are built all the same: each waits for its Secrets, wherever they come from.
            pass.outlook.secrets = .failed(failure)
            pass.requeue(after: polls.obstacle)
        }
    }

    /// The functions of a commit when nothing is left to build and to apply: no source is needed to tell how they do.
    private func settledFunctions(_ pass: Pass, _ commit: String) -> [FunctionProgress]? {
        guard !pass.isFresh, let status = pass.repository.status, !status.functions.isEmpty,
            status.conditions.condition(RepositoryCondition.secretsApplied.rawValue)?.status != .false
        else { return nil }
        var result: [FunctionProgress] = []
        for entry in status.functions {
            guard entry.commit == commit, let name = entry.objectName else { return nil }
            var progress = FunctionProgress(entry.name, objectName: name, commit: commit, state: entry.state)
            progress.entry = entry
            if let function = ownFunction(name, of: pass.repository), let image = entry.image,
                function.spec.image == image, function.spec.source?.commit == commit
            {
                result.append(progress.following(function))
                continue
            }
            let reason = entry.reason.flatMap { RepositoryReason(rawValue: $0) }
            guard entry.state == .failed, let reason, !reason.isTransient, reason != .nameTaken,
                reason != .functionNotReady
            else { return nil }
            result.append(progress)
        }
        return result
    }

    /// The functions that run while a newer commit is left alone.
    private func followed(_ pass: Pass) -> [RepositoryFunction]? {
        pass.repository.status?.functions.map { entry in
            guard let name = entry.objectName, let function = ownFunction(name, of: pass.repository),
                let commit = function.spec.source?.commit
            else { return entry }
            let progress = FunctionProgress(entry.name, objectName: name, commit: commit, state: entry.state)
            return progress.built(function.spec.image).following(function).entry
        }
    }

    /// Why a commit cannot be used, when that was found before and nothing changed since.
    private func settledFailure(_ pass: Pass, _ commit: String) -> BuildFailure? {
        guard !pass.isFresh, !loader.isDoubted(uid: pass.repository.metadata.uid),
            let status = pass.repository.status, let latest = status.history.first,
            latest.commit == commit, latest.result == .failed,
            let condition = status.conditions.condition(RepositoryCondition.sourceFetched.rawValue),
            condition.status == .false, let reason = RepositoryReason(rawValue: condition.reason),
            !reason.isTransient, latest.reason == condition.reason
        else { return nil }
        return BuildFailure(reason, condition.message)
    }

    /// The Function of that name, if it belongs to this Repository.
    func ownFunction(_ name: String, of repository: Repository) -> Function? {
        let key = ObjectKey(namespace: repository.metadata.namespace, name: name)
        guard let function = functions.get(key), !function.metadata.isBeingDeleted,
            function.metadata.controllerReference?.uid == repository.metadata.uid
        else { return nil }
        return function
    }

    /// All Functions that belong to this Repository.
    private func ownFunctions(of repository: Repository) -> [Function] {
        functions.objects(index: Self.byController, value: repository.metadata.uid)
            .filter { !$0.metadata.isBeingDeleted }
    }

    /// The index of Functions by the uid of what made them.
    static let byController = "controller"

    /// Deletes the functions that left the stack, once every one of the stack runs.
    private func collect(_ pass: Pass) async throws {
        guard let progress = pass.outlook.functions, !progress.isEmpty, progress.allSatisfy(\.isDeployed) else {
            return
        }
        let kept = Set(progress.compactMap(\.entry.objectName))
        let repository = pass.repository
        for function in ownFunctions(of: repository) where !kept.contains(function.metadata.name) {
            try await writer.delete(function)
            RepositoryAudit(log: audit, repository: repository).removed(function)
            recorder?.record(
                on: repository, type: .normal, reason: "FunctionRemoved", action: "Collect",
                note: "deleted function \(function.metadata.name): it is no longer in the stack")
        }
    }

    // MARK: - Status

    /// Tells one rollout from another.
    func rolloutKey(_ name: String, _ repository: Repository) -> String {
        "\(repository.metadata.namespace)/\(name)"
    }

    private func report(_ pass: Pass) async throws -> ReconcileOutcome {
        let repository = pass.repository
        var pass = pass
        var status = pass.outlook.status(now: .now)
        retention.carry(repository.status ?? RepositoryStatus(), into: &status)
        forgetImages(&status, of: repository)
        if let wait = reporter?.tell(repository, &status, now: .now) { pass.requeue(after: wait) }
        if try await statusWriter.write(status, to: repository) {
            RepositoryEvents(recorder: recorder, repository: repository).tell(status)
            RepositoryAudit(log: audit, repository: repository).tell(status)
            for function in status.functions where function.state == .deployed {
                metrics.stage(.rollout, took: function.objectName.flatMap { clock.end(rolloutKey($0, repository)) })
            }
        }
        return pass.requeueAfter.map { .requeue(after: max($0, .milliseconds(10))) } ?? .done
    }
}

extension RepositoryReconciler {
    /// Has the registry remove retired images, but for those that something else needs: another branch may have built the
    /// very same one.
    private func forgetImages(_ status: inout RepositoryStatus, of repository: Repository) {
        guard !status.retiredImages.isEmpty else { return }
        let gone = collector.collect(unneeded(status.retiredImages, by: repository), of: repository.key)
        status.retiredImages.removeAll { gone.contains($0) }
    }

    /// The images that no Function runs and no other Repository keeps; a Repository on its way out needs none of its own.
    private func unneeded(_ images: [String], by repository: Repository) -> [String] {
        let uid = repository.metadata.uid
        let isGoing = repository.metadata.isBeingDeleted
        var needed: Set<String> = []
        for function in functions.list(namespace: nil)
        where !isGoing || function.metadata.controllerReference?.uid != uid {
            needed.insert(function.spec.image)
        }
        for other in repositories.list(namespace: nil) where other.metadata.uid != uid {
            needed.formUnion(ImageRetention.needed(by: other.status))
        }
        return images.filter { !needed.contains($0) }
    }

    /// What one pass found out so far.
    struct Pass {
        let repository: Repository
        var outlook: RepositoryOutlook
        private(set) var requeueAfter: Duration?

        init(_ repository: Repository) {
            self.repository = repository
            outlook = RepositoryOutlook(repository)
        }

        mutating func requeue(after delay: Duration) { requeueAfter = min(requeueAfter ?? delay, delay) }

        /// A push that was not acted on yet.
        var isPushNew: Bool {
            repository.requestMark != nil && repository.requestMark != repository.status?.lastHandledRequest
        }

        /// A manual request that was not acted on yet.
        var isManual: Bool { repository.reconcileMark != repository.status?.lastHandledReconcileAt }

        var isGenerationNew: Bool { repository.status?.observedGeneration != repository.metadata.generation }

        /// Whether anything is asked for that the status does not know of.
        var isFresh: Bool { isPushNew || isManual || isGenerationNew }
    }
}
