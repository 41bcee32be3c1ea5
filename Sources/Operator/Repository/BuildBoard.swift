import Builds
import CRDs
import ControllerRuntime
import KubernetesTypes
import Timing

/// The builds of the cluster, as the informers see them now.
struct BuildBoard: Sendable {
    let jobs: Informer<Job>
    let pods: Informer<Pod>

    private static let byRepository = "repository"
    private static let byJob = "job"
    /// The label that the Job controller puts on its pods.
    private static let jobLabel = "job-name"

    init(_ informers: SharedInformers, namespace: String) {
        let scope = InformerScope(
            namespace: namespace,
            labelSelector: LabelSelector(matchLabels: [
                FareboxLabel.managedBy: FareboxLabel.managedByFarebox, FareboxLabel.component: BuildJob.component,
            ]).queryValue)
        jobs = informers.informer(Job.self, scope: scope)
        pods = informers.informer(Pod.self, scope: scope)
        jobs.addIndex(Self.byRepository) { [$0.metadata.labels[BuildJob.repositoryUIDLabel] ?? ""] }
        pods.addIndex(Self.byJob) { [$0.metadata.labels[Self.jobLabel] ?? ""] }
    }

    /// All builds of a Repository that are not on their way out.
    func builds(of uid: String) -> [ObservedBuild] {
        jobs.objects(index: Self.byRepository, value: uid).filter { !$0.metadata.isBeingDeleted }.map(observed)
    }

    /// What runs and what has ended, of all Repositories.
    var present: BuildQueue.Present {
        var present = BuildQueue.Present()
        for job in jobs.list(namespace: nil) where !job.metadata.isBeingDeleted {
            let build = observed(job)
            if build.outcome.isFinished {
                present.ended.insert(job.metadata.name)
            } else {
                present.running.append(
                    BuildQueue.Running(
                        job: job.metadata.name,
                        repositoryUID: job.metadata.labels[BuildJob.repositoryUIDLabel] ?? "",
                        owner: build.owner.lowercased))
            }
        }
        return present
    }

    private func observed(_ job: Job) -> ObservedBuild {
        let pods = pods.objects(index: Self.byJob, value: job.metadata.name)
            .filter { pod in pod.metadata.ownerReferences.contains { $0.uid == job.metadata.uid } }
        return ObservedBuild(job: job, pod: pods.max { Self.age($0) < Self.age($1) })
    }

    private static func age(_ pod: Pod) -> Time { pod.metadata.creationTimestamp ?? Time(.earliest) }

    /// The Repository that a build's pod belongs to.
    func repository(of pod: Pod) -> [ObjectKey] {
        guard let owner = pod.metadata.ownerReferences.first(where: { $0.kind == Job.descriptor.kind }) else {
            return []
        }
        let job = jobs.get(ObjectKey(namespace: pod.metadata.namespace, name: owner.name))
        return job.map { Self.repository(of: $0.metadata) } ?? []
    }

    /// The Repository that a Job belongs to.
    static func repository(of metadata: ObjectMeta) -> [ObjectKey] {
        guard let text = metadata.annotations[BuildJob.repositoryAnnotation] else { return [] }
        let parts = text.split(separator: "/")
        return parts.count == 2 ? [ObjectKey(namespace: String(parts[0]), name: String(parts[1]))] : []
    }
}

/// One build Job with its pod.
struct ObservedBuild: Sendable {
    let job: Job
    let pod: Pod?
    let outcome: BuildOutcome

    init(job: Job, pod: Pod?) {
        self.job = job
        self.pod = pod
        outcome = BuildOutcome(job: job, pod: pod)
    }

    var owner: OwnerName { OwnerName(job.metadata.annotations[FareboxAnnotation.owner] ?? "") }
    var function: String { job.metadata.labels[FareboxLabel.function] ?? "" }
    var commit: String { job.metadata.annotations[BuildJob.commitAnnotation] ?? "" }
    var inputsDigest: String { job.metadata.annotations[BuildJob.inputsAnnotation] ?? "" }
    var attempt: Int { job.metadata.annotations[BuildJob.attemptAnnotation].flatMap { Int($0) } ?? 1 }

    /// What was pushed.
    var image: ImageReference? {
        job.metadata.annotations[BuildJob.imageAnnotation].flatMap { try? ImageReference(parsing: $0) }
    }

    /// When the build ended, as far as anybody wrote it down.
    var finishedAt: Time? {
        guard outcome.isFinished else { return nil }
        let container = pod?.status?.containerStatuses.first { $0.name == BuildJob.containerName }
        return container?.state?.terminated?.finishedAt ?? job.status?.completionTime
            ?? job.status?.conditions.compactMap(\.lastTransitionTime).max() ?? job.metadata.creationTimestamp
    }

    /// Whether this build makes what is wanted: the same inputs, to the same place.
    func makes(_ function: PreparedFunction, inputsDigest: String) -> Bool {
        self.inputsDigest == inputsDigest && image?.name == function.image.name
            && self.function == LabelValue.sanitised(function.stack.name)
    }
}
