import Builds
import CRDs
import ControllerRuntime
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Synchronization
import Telemetry
import Testing
import Timing

@testable import Operator

/// A namespace on an API server with the Repository controller at work, and a test that plays builders and functions.
final class Workshop: Sendable {
    let api: any KubernetesAPI
    let controllerAPI: RecordingAPI
    let namespace: String
    let buildsNamespace: String
    let source: StubSource
    let registry: StubRegistry
    let logs: StubLogs
    private let backend: Backend
    private let buildsMaximum: Int
    private let keepsImages: Int
    /// The Git host that is told how commits do; nil when nobody is.
    private let teller: StubTeller?
    private let running = Mutex<Task<Void, any Error>?>(nil)

    static let digest = "sha256:" + String(repeating: "0123456789abcdef", count: 4)
    static let otherDigest = "sha256:" + String(repeating: "fedcba9876543210", count: 4)

    init(
        on backend: Backend, buildsMaximum: Int = 10, keepsImages: Int = 5, teller: StubTeller? = nil,
        fault: RecordingAPI.Fault? = nil
    ) async throws {
        self.backend = backend
        self.teller = teller
        self.buildsMaximum = buildsMaximum
        self.keepsImages = keepsImages
        api = try await backend.api()
        controllerAPI = RecordingAPI(api, fault: fault)
        namespace = try await backend.namespace(api)
        buildsNamespace = try await backend.namespace(api)
        registry = try StubRegistry()
        logs = try StubLogs()
        source = StubSource(naming: ImageNaming(push: registry.name))
        start()
    }

    deinit {
        running.withLock { $0?.cancel() }
    }

    /// Starts the controller; a second start plays a process that knows nothing but the cluster.
    func start() {
        var managing = ManagerConfiguration()
        managing.handlesSignals = false
        managing.healthAddress = nil
        // Its end is the end of the process, with all tests in it.
        managing.gracePeriod = .seconds(600)
        let manager = Manager(api: controllerAPI, configuration: managing, metrics: MetricsRegistry())
        var configuration = RepositoryClusterConfiguration()
        configuration.registry.push = registry.name
        configuration.registry.insecure = [registry.name]
        configuration.builder.image = "builder"
        configuration.builder.buildsMaximum = buildsMaximum
        configuration.registry.keepsImages = keepsImages
        configuration.logs.url = logs.url
        configuration.logs.ownNamespace = namespace
        configuration.systemNamespace = namespace
        configuration.buildsNamespace = buildsNamespace
        let client = HTTPClient()
        let artifacts = ArtifactAccess(
            api: controllerAPI, namespace: namespace, client: client, baseURL: "http://builder.test")
        var polls = RepositoryReconciler.Polls()
        polls.obstacle = .milliseconds(50)
        polls.collection = .milliseconds(50)
        polls.registry = .milliseconds(50)
        polls.buildBackoff = Backoff(base: .milliseconds(1), ceiling: .milliseconds(10))
        polls.sourceBackoff = Backoff(base: .milliseconds(10), ceiling: .milliseconds(50))
        polls.attemptsMaximum = 3
        polls.podPatience = .milliseconds(500)
        // Longer than storing a log takes on a busy machine.
        polls.logHurry = .seconds(300)
        _ = RepositoryController.install(
            in: manager, api: controllerAPI, configuration: configuration, functions: FunctionClusterConfiguration(),
            preparation: source, artifacts: artifacts, client: client,
            registry: RegistryClient(client: client, configuration: configuration.registryClientConfiguration),
            recorder: nil, namespace: namespace, polls: polls,
            reporter: teller.map { StatusReporter(telling: $0, metrics: manager.metrics) })
        running.withLock { $0 = Task { try await manager.run() } }
    }

    /// Stops the controller; it may be in the midst of anything.
    func kill() async throws {
        let task = running.withLock { $0 }
        task?.cancel()
        try await task?.value
    }

    func end() async throws {
        try await kill()
        await registry.stop()
        await logs.stop()
        try await backend.cleanUp(api, namespace: namespace)
        try await backend.cleanUp(api, namespace: buildsNamespace)
    }

    // MARK: - What people do

    /// A commit's name, made of one digit.
    static func commit(_ digit: Character) -> String { String(repeating: digit, count: 40) }

    @discardableResult
    func makeRepository(
        _ name: String = "shop", owner: String = "alice", interval: String = "0s", pushed commit: String? = nil
    ) async throws -> Repository {
        var spec = RepositorySpec(url: "https://git.example.com/\(owner)/shop.git")
        spec.branch = "main"
        if teller != nil {
            spec.provider = .gitHub
            spec.credentialsSecret = "git"
        }
        spec.interval = interval
        var metadata = ObjectMeta(name: name, namespace: namespace)
        if let commit { metadata.annotations = Self.push(commit) }
        return try await api.create(Repository(metadata: metadata, spec: spec))
    }

    /// What the webhook notes on a Repository.
    private static func push(_ commit: String) -> [String: String] {
        [
            FareboxAnnotation.requestedCommit: commit,
            FareboxAnnotation.requestedAt: Timestamp.now.rfc3339(.nanoseconds),
            FareboxAnnotation.delivery: "d-\(UInt32.random(in: .min ... .max))",
        ]
    }

    func push(_ commit: String, to name: String = "shop", with more: [String: String] = [:]) async throws {
        try await annotate(Self.push(commit).merging(more) { _, more in more }, name)
    }

    func annotate(_ annotations: [String: String], _ name: String = "shop") async throws {
        try await patch(
            Repository.self, name, ["metadata": ["annotations": JSONValue(annotations.mapValues { .string($0) })]])
    }

    func patch<Resource: KubernetesResource>(_ type: Resource.Type, _ name: String, _ change: JSONValue) async throws {
        _ = try await api.patch(type, key(name), .merge(change))
    }

    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: namespace, name: name) }

    // MARK: - What the cluster does

    /// The Jobs of a Repository, by function and attempt, as `cart#1`.
    func jobs(of repository: String = "shop") async throws -> [String: Job] {
        var result: [String: Job] = [:]
        for job in try await api.list(Job.self, namespace: buildsNamespace).items
        where job.metadata.labels[FareboxLabel.repository] == repository {
            let function = job.metadata.labels[FareboxLabel.function] ?? "?"
            let attempt = job.metadata.annotations[BuildJob.attemptAnnotation] ?? "?"
            result["\(function)#\(attempt)"] = job
        }
        return result
    }

    /// Waits until the log of each build is stored, the last thing that is done about one.
    func logsAreStored() async throws {
        try await eventually("the logs are stored") {
            try await api.list(Job.self, namespace: buildsNamespace).items.allSatisfy {
                $0.metadata.annotations[BuildLogKeeper.annotation] != nil
            }
        }
    }

    /// Waits for a build of a function and ends it: with an image, or as the status says.
    func playBuild(
        of function: String, in repository: String = "shop", attempt: Int = 1, commit: String? = nil,
        phase: String = "Succeeded", digest: String = Workshop.digest,
        terminated: ContainerStateTerminated? = nil
    ) async throws {
        var found: Job?
        try await eventually("a build of \(function)") {
            found = try await jobs(of: repository)["\(function)#\(attempt)"]
            guard let found else { return false }
            return commit == nil || found.metadata.annotations[BuildJob.commitAnnotation] == commit
        }
        try await end(try #require(found), phase: phase, digest: digest, terminated: terminated)
    }

    private func end(
        _ job: Job, phase: String = "Succeeded", digest: String = Workshop.digest,
        terminated: ContainerStateTerminated? = nil
    ) async throws {
        var spec = PodSpec(containers: [Container(name: BuildJob.containerName, image: "x")])
        spec.automountServiceAccountToken = false
        spec.terminationGracePeriodSeconds = 0
        let pod = ObjectKey(namespace: buildsNamespace, name: job.metadata.name + "-pod")
        var labels = job.metadata.labels
        labels["job-name"] = job.metadata.name
        _ = try await api.create(
            Pod(
                metadata: ObjectMeta(
                    name: pod.name, namespace: pod.namespace, labels: labels,
                    ownerReferences: [OwnerReference(controller: job)]),
                spec: spec))
        let good = ContainerStateTerminated(
            exitCode: 0, reason: "Completed", message: #"{"containerimage.digest":"\#(digest)"}"#)
        var status = PodStatus(phase: phase)
        status.containerStatuses = [
            ContainerStatus(
                name: BuildJob.containerName, restartCount: 0, state: ContainerState(terminated: terminated ?? good))
        ]
        var value = try JSONWriter().value(of: status)
        // The API server wants these two; the kubelet always says them.
        if var first = value["containerStatuses"]?[0] {
            first["image"] = "x"
            first["imageID"] = "x"
            value["containerStatuses"] = .array([first])
        }
        _ = try await api.patch(Pod.self, pod, .merge(["status": value]), subresource: "status")
    }

    /// Plays the Function controller: the Function is ready, or stalled for a reason.
    func playFunction(_ name: String, stalled reason: String? = nil) async throws {
        try await eventually("a Function \(name)") { try await get(Function.self, name) != nil }
        let function = try #require(try await get(Function.self, name))
        let generation = function.metadata.generation
        var conditions = Conditions(observed: [], generation: generation, now: .now)
        if let reason {
            conditions.setStalled(reason: reason, message: "it crashes")
        } else {
            conditions.setReady(reason: "Available", message: "")
        }
        var status = FunctionStatus()
        status.observedGeneration = generation
        status.conditions = conditions.list
        _ = try await api.patch(
            Function.self, key(name), .merge(["status": try JSONWriter().value(of: status)]), subresource: "status")
    }

    /// Builds and rolls out functions that are ready at once.
    func playAll(
        _ functions: [String], commit: String, in repository: String = "shop", owner: String = "alice"
    ) async throws {
        for function in functions { try await playBuild(of: function, in: repository, commit: commit) }
        try await playFunctions(functions, commit: commit, owner: owner)
    }

    func playFunctions(_ functions: [String], commit: String, owner: String = "alice") async throws {
        for function in functions {
            let name = "\(owner)-\(function)"
            try await eventually("\(name) at \(commit.prefix(3))") {
                try await get(Function.self, name)?.spec.source?.commit == commit
            }
            try await playFunction(name)
        }
    }

    /// Plays every builder and every function that can go on, once.
    func playWhatIsThere() async throws {
        for job in try await api.list(Job.self, namespace: buildsNamespace).items {
            let pod = ObjectKey(namespace: buildsNamespace, name: job.metadata.name + "-pod")
            do {
                _ = try await api.get(Pod.self, pod)
            } catch let error as KubernetesError where error.isNotFound {
                try await end(job)
            }
        }
        for function in try await api.list(Function.self, namespace: namespace).items
        where function.status?.observedGeneration != function.metadata.generation {
            try await playFunction(function.metadata.name)
        }
    }

    // MARK: - Looking

    func get<Resource: KubernetesResource>(_ type: Resource.Type, _ name: String) async throws -> Resource? {
        do {
            return try await api.get(type, key(name))
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    /// How many builds have not come to an end.
    func unfinishedBuilds() async throws -> Int {
        let ended = Set(try await api.list(Pod.self, namespace: buildsNamespace).items.map(\.metadata.name))
        return try await api.list(Job.self, namespace: buildsNamespace).items
            .filter { !ended.contains($0.metadata.name + "-pod") }.count
    }

    /// How many builds have what they need.
    func secretCount() async throws -> Int {
        try await api.list(Secret.self, namespace: buildsNamespace).items
            .filter { $0.metadata.labels[BuildJob.repositoryUIDLabel] != nil }.count
    }

    func functionNames() async throws -> [String] {
        try await api.list(Function.self, namespace: namespace).items.map(\.metadata.name).sorted()
    }

    /// Waits until a Repository is as `condition` wants it.
    @discardableResult
    func eventually(
        _ name: String = "shop", within limit: Duration = .seconds(300),
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: (Repository) -> Bool
    ) async throws -> Repository {
        var last: Repository?
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if let repository = try await get(Repository.self, name) {
                if condition(repository) { return repository }
                last = repository
            }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
        Issue.record("not within \(limit): \(String(describing: last?.status))", sourceLocation: sourceLocation)
        throw DeadlineExceeded(limit: limit)
    }

    func eventually(
        within limit: Duration = .seconds(300), _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
        Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
        throw DeadlineExceeded(limit: limit)
    }
}

extension Repository {
    func condition(_ type: String) -> Condition? {
        status?.conditions.first { $0.type == type && $0.observedGeneration == metadata.generation }
    }

    /// Whether the newest commit runs.
    func runs(_ commit: String) -> Bool {
        condition("Ready")?.status == .true && status?.observedCommit == commit && status?.deployedCommit == commit
    }

    /// The reason why it stands still.
    var stalledReason: String? { condition("Stalled")?.reason }

    func function(_ name: String) -> RepositoryFunction? { status?.functions.first { $0.name == name } }
}
