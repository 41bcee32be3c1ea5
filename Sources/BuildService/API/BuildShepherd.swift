import Builds
import CRDs
import KubernetesClient
import KubernetesTypes
import Telemetry
import Timing

/// Brings one build to its end: finds the Job that does it, or makes one, and watches over it.
struct BuildShepherd: Sendable {
    let jobs: BuildJobs
    /// The digest that the registry has an image's tag for; nil when it has none or cannot be asked.
    let registryDigest: @Sendable (ImageReference) async -> String?
    /// Whether a context is in the artifact store; it is marked as used.
    let hasContext: @Sendable (String) async -> Bool
    /// Hides the secrets of a pod's log.
    let masker: @Sendable (Pod) async throws -> LogMasker
    /// So many builds may run at once in all, those of pushes included.
    let buildsMaximum: Int
    var pace = Pace()
    private let logger = Logger(label: "builder-api")

    init(
        jobs: BuildJobs, registryDigest: @escaping @Sendable (ImageReference) async -> String?,
        hasContext: @escaping @Sendable (String) async -> Bool,
        masker: @escaping @Sendable (Pod) async throws -> LogMasker, buildsMaximum: Int
    ) {
        self.jobs = jobs
        self.registryDigest = registryDigest
        self.hasContext = hasContext
        self.masker = masker
        self.buildsMaximum = buildsMaximum
    }

    /// How often it looks, and for how long.
    struct Pace: Sendable {
        /// Between two looks at a Job.
        ///
        /// One Job for one build: a watch of its own would cost the API server more.
        var look = Duration.milliseconds(500)
        /// Between two looks whether other builds left room.
        var room = Duration.seconds(2)
        /// A pod that does not start within this time is given up.
        var startMaximum = Duration.seconds(600)
        /// The API server may be away for so many looks in a row.
        var failuresMaximum = 240
    }

    /// A build that was not at fault is tried so often.
    private static let attemptsMaximum = 3

    /// Builds.
    ///
    /// - Throws: `CancellationError` alone; then the Job goes on, and the next process finds it.
    func run(_ build: OngoingBuild) async throws -> (BuildResult, Pod?) {
        do {
            let found = try await jobs.all(id: build.id)
            if let job = found.last(where: { !BuildJobs.isFinished($0) }) {
                return try await adopt(job, build)
            }
            // It may have ended since it was found: then that is its end, and no reason to build again.
            if build.isAdopted, let job = found.last { return try await watch(job, build) }
            if let done = try await finished(found, build) { return done }
            return try await begin(build, attempt: (found.map(BuildJobs.attempt).max() ?? 0) + 1)
        } catch let error as KubernetesError {
            try Task.checkCancellation()
            logger.error("A build cannot be begun", ["build": build.id, "error": "\(error)"])
            return (Self.failed(build, "the build could not be begun: \(error)"), nil)
        }
    }

    /// What a finished Job made, if the registry still has it under this tag.
    private func finished(_ found: [Job], _ build: OngoingBuild) async throws -> (BuildResult, Pod?)? {
        guard let job = found.last, let pod = try await jobs.pod(of: job),
            case .success(let digest)? = Self.outcome(job, pod, build.task)
        else { return nil }
        if let digest, await registryDigest(build.task.order.image) != digest { return nil }
        return (Self.result(build, .success(digest: digest)), pod)
    }

    private func adopt(_ job: Job, _ build: OngoingBuild) async throws -> (BuildResult, Pod?) {
        guard build.task.isWhole else {
            let pod = try await jobs.pod(of: job)
            if let phase = pod?.status?.phase, phase != "Pending" { return try await watch(job, build) }
            // An earlier process ended between the Job and its Secret, and took the values with it: the pod would wait in vain.
            try await jobs.delete(job)
            logger.warning("A build of an earlier process has no secrets", ["job": job.metadata.name])
            var result = Self.failed(
                build, "the builder was restarted before the build had its secrets; send it again")
            result.isInterrupted = true
            return (result, nil)
        }
        try await jobs.equip(job, build.task)
        return try await watch(job, build)
    }

    private func begin(_ build: OngoingBuild, attempt: Int) async throws -> (BuildResult, Pod?) {
        while try await jobs.runningCount() >= buildsMaximum {
            // The operator's builds take places as well, and nothing here is told when one is free.
            try await Task.sleep(for: pace.room)
        }
        guard await hasContext(build.task.contextDigest) else {
            return (Self.failed(build, "the build waited for so long that its files are gone; send it again"), nil)
        }
        let job: Job
        do {
            job = try await jobs.start(build.task, attempt: attempt)
        } catch let error as KubernetesError where error.isForbidden && "\(error)".contains("exceeded quota") {
            return (Self.failed(build, "the quota of the namespace of builds is used up: \(error)"), nil)
        }
        logger.info(
            "A build begins",
            ["job": job.metadata.name, "build": build.id, "image": "\(build.task.order.image)", "attempt": attempt])
        return try await watch(job, build)
    }

    private func watch(_ job: Job, _ build: OngoingBuild) async throws -> (BuildResult, Pod?) {
        let begun = ContinuousClock.now
        var failures = 0
        var hasPod = false
        while true {
            do {
                var pod = try await jobs.pod(of: job)
                guard let now = pod == nil ? try await jobs.job(job.key) : job else {
                    return (
                        Self.failed(build, "somebody deleted the build's Job \(job.metadata.name); send it again"), nil
                    )
                }
                // It may have begun and ended since its pods were looked for: then its result is not lost, and nothing is built twice.
                if pod == nil, BuildJobs.isFinished(now) { pod = try await jobs.pod(of: job) }
                failures = 0
                if let pod, !hasPod {
                    hasPod = true
                    build.stage.set(.running(pod))
                }
                if let outcome = Self.outcome(now, pod, build.task) {
                    return try await end(outcome, now, pod, build)
                }
                let isStuck = pod?.status?.phase != "Running" && begun.duration(to: .now) > pace.startMaximum
                if isStuck { return try await giveUp(now, pod, build) }
            } catch let error as KubernetesError {
                failures += 1
                guard failures < pace.failuresMaximum else {
                    let reason = "the cluster cannot be asked any more, while the build goes on: \(error)"
                    return (Self.failed(build, reason), nil)
                }
            }
            // A Job is looked at now and then: a watch for each build would cost the API server more.
            try await Task.sleep(for: pace.look)
        }
    }

    private func end(
        _ outcome: BuildResult.Outcome, _ job: Job, _ pod: Pod?, _ build: OngoingBuild
    ) async throws -> (BuildResult, Pod?) {
        guard case .failure(let reason) = outcome else { return (Self.result(build, outcome), pod) }
        let attempt = BuildJobs.attempt(job)
        let mayHelp = [RepositoryReason.evicted, .contextFetchFailed].contains { reason.hasPrefix($0.rawValue + ":") }
        if mayHelp, build.task.isWhole, attempt < Self.attemptsMaximum {
            logger.warning("A build is tried again", ["job": job.metadata.name, "reason": reason])
            return try await begin(build, attempt: attempt + 1)
        }
        return (Self.failed(build, await shown(reason, of: pod)), pod)
    }

    /// A reason as clients may see it: it quotes the log.
    func shown(_ reason: String, of pod: Pod?) async -> String {
        guard let pod else { return reason }
        guard let masker = try? await masker(pod) else {
            return "the reason is not shown, since the secrets that it could hold are not known; send the build again"
        }
        return masker.masked(reason)
    }

    private func giveUp(_ job: Job, _ pod: Pod?, _ build: OngoingBuild) async throws -> (BuildResult, Pod?) {
        var reason = "the build's pod did not start within \(pace.startMaximum.goStyle)"
        if case .waiting(let obstacle?) = BuildOutcome(job: job, pod: pod) { reason += ": \(obstacle.message)" }
        try await jobs.delete(job)
        return (Self.failed(build, reason), nil)
    }

    /// How a Job ended; nil while it has not.
    static func outcome(_ job: Job, _ pod: Pod?, _ task: BuildTask) -> BuildResult.Outcome? {
        switch BuildOutcome(job: job, pod: pod) {
        case .waiting, .running: return nil
        case .succeeded(let digest): return .success(digest: task.order.pushes ? digest : nil)
        case .failed(let failure):
            // What is not pushed may have nothing to report.
            if !task.order.pushes, pod?.status?.phase == "Succeeded" { return .success(digest: nil) }
            return .failure(failure.description)
        }
    }

    static func result(_ build: OngoingBuild, _ outcome: BuildResult.Outcome) -> BuildResult {
        BuildResult(image: build.task.order.requestedImage, outcome: outcome, duration: build.age)
    }

    private static func failed(_ build: OngoingBuild, _ reason: String) -> BuildResult {
        result(build, .failure(reason))
    }
}
