import Builds
import KubernetesClient
import KubernetesTypes
import Synchronization
import Telemetry
import Timing

/// Knows all builds of this API: those that wait, those that run, and for a while those that ended.
///
/// What is in the cluster is the truth: at its start the desk finds the Jobs of an earlier process and takes them over.
/// Builds that only waited are gone then, and are sent again by their clients.
final class BuildDesk: Sendable {
    private struct State {
        var builds: [String: OngoingBuild] = [:]
        var admission: BuildAdmission
        /// When the builds that ended did so.
        var ended: [String: ContinuousClock.Instant] = [:]
    }

    private let state: Mutex<State>
    private let shepherd: BuildShepherd
    private let rules: BuildOrder.Rules
    private let retention: Duration
    private let memory: BuildSecretMemory
    private let metrics: BuildAPIMetrics
    private let work: AsyncStream<OngoingBuild>
    private let workers: AsyncStream<OngoingBuild>.Continuation
    /// Whether the Jobs of an earlier process were looked for.
    let isReady = Observed(false)
    /// Whether the process is about to end: whoever follows a build is told so.
    let isClosing = Observed(false)
    private let logger = Logger(label: "builder-api")

    private static let tidyInterval = Duration.seconds(60)
    private static let adoptionInterval = Duration.seconds(2)
    /// Of builds that ended not more are remembered.
    private static let endedMaximum = 2000

    init(
        shepherd: BuildShepherd, rules: BuildOrder.Rules, admission: BuildAdmission, retention: Duration,
        memory: BuildSecretMemory, metrics: BuildAPIMetrics
    ) {
        self.shepherd = shepherd
        self.rules = rules
        self.retention = retention
        self.memory = memory
        self.metrics = metrics
        state = Mutex(State(admission: admission))
        (work, workers) = AsyncStream.makeStream()
    }

    /// The most builds at once.
    var inflightMaximum: Int { state.withLock { $0.admission.inflightMaximum } }

    /// Whether the next build would be turned away.
    var isFull: Bool { state.withLock { $0.admission.isFull } }

    /// The build of an id.
    func find(_ id: String) -> OngoingBuild? { state.withLock { $0.builds[id] } }

    /// Takes a build in, or finds the one that is under way.
    ///
    /// - Returns: nil when there is no room.
    func submit(_ task: BuildTask) -> OngoingBuild? {
        let build: OngoingBuild? = state.withLock { state in
            if let present = state.builds[task.id], !present.stage.value.isFinished {
                // One of an earlier process may run, whose secrets are known again with this.
                memory.remember(task)
                return present
            }
            let stage: OngoingBuild.Stage
            switch state.admission.enter(task.id) {
            case .begin: stage = .starting
            case .wait(let before): stage = .queued(before: before)
            case .full: return nil
            }
            memory.remember(task)
            let build = OngoingBuild(task, stage: stage)
            state.builds[task.id] = build
            state.ended[task.id] = nil
            // Bounded by the places there are.
            workers.yield(build)
            return build
        }
        measure()
        return build
    }

    /// Works until the calling task is cancelled; builds go on in the cluster.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.tidyForEver() }
            for await build in work { group.addTask { await self.shepherd(build) } }
        }
    }

    private func shepherd(_ build: OngoingBuild) async {
        do {
            _ = try await build.stage.wait { if case .queued = $0 { false } else { true } }
            let (result, pod) = try await shepherd.run(build)
            logger.info(
                "A build ended",
                [
                    "build": build.id, "image": result.image, "success": result.isSuccess,
                    "seconds": result.duration.inSeconds,
                ])
            metrics.ended(result)
            end(build, result, pod)
        } catch {
            // This process ends; the Job does not.
        }
    }

    private func end(_ build: OngoingBuild, _ result: BuildResult, _ pod: Pod?) {
        let (begun, waiting) = state.withLock { state in
            let next = state.admission.leave(build.id)
            state.ended[build.id] = .now
            forget(&state)
            return (next.compactMap { state.builds[$0] }, state.admission.queue.map { state.builds[$0] })
        }
        build.stage.set(.finished(result, pod))
        for build in begun { build.stage.set(.starting) }
        for (place, build) in waiting.enumerated() {
            // It may have had its turn by now.
            build?.stage.change { if case .queued = $0 { .queued(before: place) } else { nil } }
        }
        measure()
    }

    private func forget(_ state: inout State) {
        let oldest = ContinuousClock.now - retention
        var doomed = state.ended.filter { $0.value < oldest }.map(\.key)
        let excess = state.ended.count - doomed.count - Self.endedMaximum
        if excess > 0 { doomed += state.ended.sorted { $0.value < $1.value }.prefix(doomed.count + excess).map(\.key) }
        for id in doomed {
            state.ended[id] = nil
            state.builds[id] = nil
            memory.forget(id)
        }
    }

    private func measure() {
        let (inflight, waiting) = state.withLock { ($0.admission.inflight.count, $0.admission.queue.count) }
        metrics.present(inflight: inflight, waiting: waiting)
    }

    // MARK: - The cluster

    private func tidyForEver() async {
        while !Task.isCancelled, !isReady.value {
            do {
                try await adopt()
                isReady.set(true)
            } catch {
                logger.warning("The builds of an earlier process cannot be looked for", ["error": "\(error)"])
                // The API server is away: nothing tells when it is back.
                try? await Task.sleep(for: Self.adoptionInterval)
            }
        }
        while !Task.isCancelled {
            // Nothing tells when a Job grows old, so it is looked for once in a while.
            try? await Task.sleep(for: Self.tidyInterval)
            do {
                try await tidy()
            } catch {
                logger.warning("Old builds cannot be deleted", ["error": "\(error)"])
            }
        }
    }

    /// Takes the Jobs of an earlier process over.
    private func adopt() async throws {
        let jobs = try await shepherd.jobs.all()
        let pods = try await shepherd.jobs.pods()
        for job in jobs {
            let id = job.metadata.labels[BuildJobs.idLabel] ?? ""
            guard
                var task = BuildTask(
                    id: id, annotation: job.metadata.annotations[BuildJobs.taskAnnotation] ?? "", rules: rules)
            else { continue }
            if !task.isWhole, let secrets = await secrets(of: job, task) {
                task.secrets = secrets
                memory.remember(task)
            }
            let since = job.metadata.creationTimestamp?.timestamp ?? .now
            let pod = BuildJobs.pod(of: job, among: pods)
            guard BuildJobs.isFinished(job), let outcome = BuildShepherd.outcome(job, pod, task) else {
                takeOver(OngoingBuild(task, since: since, isAdopted: true, stage: .starting))
                continue
            }
            let duration = (BuildJobs.endedAt(job)?.timestamp ?? .now) - since
            let masked: BuildResult.Outcome
            if case .failure(let reason) = outcome {
                masked = .failure(await shepherd.shown(reason, of: pod))
            } else {
                masked = outcome
            }
            let result = BuildResult(image: task.order.requestedImage, outcome: masked, duration: duration)
            state.withLock { state in
                guard state.builds[id]?.stage.value.isFinished ?? true else { return }
                state.builds[id] = OngoingBuild(task, since: since, stage: .finished(result, pod))
                state.ended[id] = .now
            }
        }
        measure()
    }

    /// What an earlier process put into the Secret of a build; `nil` where there is none or it cannot be read.
    private func secrets(of job: Job, _ task: BuildTask) async -> [String: [UInt8]]? {
        do {
            return try await shepherd.jobs.secrets(of: job, task)
        } catch {
            logger.warning(
                "The secrets of a build cannot be read, so its log is not shown",
                ["build": "\(task.id)", "error": "\(error)"])
            return nil
        }
    }

    private func takeOver(_ build: OngoingBuild) {
        let isNew: Bool = state.withLock { state in
            guard state.builds[build.id]?.stage.value.isFinished ?? true else { return false }
            state.builds[build.id] = build
            state.ended[build.id] = nil
            state.admission.adopt(build.id)
            workers.yield(build)
            return true
        }
        if isNew { logger.info("A build of an earlier process goes on", ["build": build.id]) }
    }

    /// Deletes Jobs that ended long ago, with their pods and Secrets.
    private func tidy() async throws {
        for job in try await shepherd.jobs.all() where BuildJobs.isFinished(job) {
            let ended = BuildJobs.endedAt(job)?.timestamp ?? .now
            guard Timestamp.now - ended > retention else { continue }
            try await shepherd.jobs.delete(job)
        }
        state.withLock { forget(&$0) }
    }
}
