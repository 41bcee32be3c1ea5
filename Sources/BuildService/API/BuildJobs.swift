import Builds
import CRDs
import ControllerRuntime
import KubernetesClient
import KubernetesTypes
import Timing

/// The Jobs of this API in the cluster: the same Jobs as those of pushes, under a name of their own.
struct BuildJobs: Sendable {
    let api: any KubernetesAPI
    let configuration: BuildConfiguration
    let tokens: ArtifactTokens

    /// What stands where Jobs of pushes have their Repository's uid.
    static let origin = "builder-api"
    /// What Job names begin with.
    static let namePrefix = "api"
    /// The label with the build's id.
    static let idLabel = FareboxLabel.group + "/build-id"
    /// The annotation with the ``BuildTask``.
    static let taskAnnotation = FareboxLabel.group + "/build-task"
    private static let fieldManager = "farebox-builder"
    private static let pageLimit = 500
    /// The label that the Job controller puts on its pods.
    private static let jobLabel = "job-name"

    /// The build of a task.
    func build(_ task: BuildTask, attempt: Int) -> BuildJob {
        let image = task.order.image
        var request = BuildJob.Request(
            repository: ObjectKey(namespace: "", name: Self.namePrefix), repositoryUID: Self.origin, owner: "",
            function: image.repository.split(separator: "/").last.map(String.init) ?? "", commit: "",
            inputsDigest: task.id, contextDigest: task.contextDigest, image: image, arguments: task.order.arguments,
            attempt: attempt)
        request.platforms = task.order.platforms
        request.pushes = task.order.pushes
        request.secretNames = task.secretNames
        request.labels = [Self.idLabel: task.id]
        if !task.secretNames.isEmpty { request.labels[BuildSecretMemory.label] = "true" }
        request.annotations = [Self.taskAnnotation: task.annotation]
        return BuildJob(request, configuration: configuration)
    }

    /// The Jobs of this API, or of one build, newest last.
    func all(id: String? = nil) async throws -> [Job] {
        var labels = [BuildJob.repositoryUIDLabel: Self.origin]
        labels[Self.idLabel] = id
        return try await list(Job.self, labels).filter { !$0.metadata.isBeingDeleted }
            .sorted { (Self.attempt($0), $0.metadata.name) < (Self.attempt($1), $1.metadata.name) }
    }

    /// How many builds run, those of pushes among them.
    func runningCount() async throws -> Int {
        try await list(
            Job.self,
            [FareboxLabel.managedBy: FareboxLabel.managedByFarebox, FareboxLabel.component: BuildJob.component]
        ).count { !$0.metadata.isBeingDeleted && !Self.isFinished($0) }
    }

    /// The pods of this API's builds.
    func pods() async throws -> [Pod] {
        try await list(Pod.self, [BuildJob.repositoryUIDLabel: Self.origin])
    }

    /// The newest pod of a Job; nil when there is none.
    func pod(of job: Job) async throws -> Pod? {
        Self.pod(of: job, among: try await list(Pod.self, [Self.jobLabel: job.metadata.name]))
    }

    /// The newest of these pods that is the Job's.
    static func pod(of job: Job, among pods: [Pod]) -> Pod? {
        pods.filter { pod in pod.metadata.ownerReferences.contains { $0.uid == job.metadata.uid } }
            .max {
                ($0.metadata.creationTimestamp ?? Time(.earliest)) < ($1.metadata.creationTimestamp ?? Time(.earliest))
            }
    }

    /// A Job by its key; nil when it is gone.
    func job(_ key: ObjectKey) async throws -> Job? {
        do {
            return try await api.get(Job.self, key)
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    /// Makes the Job and its Secret.
    func start(_ task: BuildTask, attempt: Int) async throws -> Job {
        let build = build(task, attempt: attempt)
        var job: Job
        do {
            job = try await api.create(build.job)
        } catch let error as KubernetesError where error.isAlreadyExists {
            job = try await api.get(Job.self, ObjectKey(namespace: configuration.namespace, name: build.name))
        }
        try await equip(job, task)
        return job
    }

    /// Makes sure that a Job has its Secret, without which its pod does not start.
    func equip(_ job: Job, _ task: BuildTask) async throws {
        let build = build(task, attempt: Self.attempt(job))
        let secret = build.secret(
            contextToken: tokens.read(digest: task.contextDigest), jobUID: job.metadata.uid, values: task.secrets)
        _ = try await api.apply(secret, as: Self.fieldManager)
    }

    /// The values of a build's secrets, from its Secret in the cluster; nil when that is not there, or not whole.
    func secrets(of job: Job, _ task: BuildTask) async throws -> [String: [UInt8]]? {
        do {
            let secret = try await api.get(Secret.self, job.key)
            guard secret.metadata.ownerReferences.contains(where: { $0.uid == job.metadata.uid }) else { return nil }
            return BuildJob.values(of: task.secretNames, in: secret)
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    /// Deletes a Job with its pod and Secret; one that is gone already is no error.
    func delete(_ job: Job) async throws {
        let options = DeleteOptions(uid: job.metadata.uid, propagation: .background)
        do {
            try await api.delete(Job.self, job.key, options: options)
        } catch let error as KubernetesError where error.isNotFound || error.isConflict {
            // Gone, or another one by now.
        }
    }

    /// Whether a Job has come to its end.
    static func isFinished(_ job: Job) -> Bool {
        job.status?.conditions.contains { ["Complete", "Failed"].contains($0.type) && $0.status == .true } ?? false
    }

    /// How often the build was tried, this Job included.
    static func attempt(_ job: Job) -> Int {
        job.metadata.annotations[BuildJob.attemptAnnotation].flatMap { Int($0) } ?? 1
    }

    /// When a finished Job ended, as far as anybody wrote it down.
    static func endedAt(_ job: Job) -> Time? {
        job.status?.completionTime ?? job.status?.conditions.compactMap(\.lastTransitionTime).max()
            ?? job.metadata.creationTimestamp
    }

    private func list<Resource: KubernetesResource>(
        _ type: Resource.Type, _ labels: [String: String]
    ) async throws -> [Resource] {
        var options = ListOptions(
            labelSelector: LabelSelector(matchLabels: labels).queryValue, limit: Self.pageLimit)
        var items: [Resource] = []
        repeat {
            let page = try await api.list(type, namespace: configuration.namespace, options: options)
            items += page.items
            options.continueToken = page.metadata.continue
        } while options.continueToken?.isEmpty == false
        return items
    }
}
