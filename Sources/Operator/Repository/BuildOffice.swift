import Builds
import CRDs
import ControllerRuntime
import KubernetesClient
import KubernetesTypes
import Synchronization
import Telemetry

/// Starts builds, ends them, and reads what they leave.
final class BuildOffice: Sendable {
    private let configuration: RepositoryClusterConfiguration
    private let network: FunctionNetworkConfiguration
    private let api: any KubernetesAPI
    private let writer: ChildWriter
    private let artifacts: ArtifactAccess
    private let logins: RegistryLogins
    private let registry: RegistryClient
    private let metrics: RepositoryMetrics
    private let features = ServerFeatures()
    private let memory = Mutex(Memory())
    private let logger = Logger(label: "build")

    /// What need not be looked up again; all of it can be lost.
    private struct Memory {
        /// Jobs that were deleted: the informers may still show them for a moment.
        var deleted: Set<String> = []
        /// Jobs whose Secret is there.
        var equipped: Set<String> = []
        /// Images that the registry was seen to have.
        var confirmed: Set<String> = []
        /// Jobs whose end was counted.
        var counted: Set<String> = []
    }

    /// More than this are forgotten at once.
    private static let remembered = 10_000
    /// How much of a failed build's log is read: its last lines are shown.
    private static let logBytesMaximum = 64 << 10

    init(
        configuration: RepositoryClusterConfiguration, network: FunctionNetworkConfiguration, api: any KubernetesAPI,
        artifacts: ArtifactAccess, registry: RegistryClient, metrics: RepositoryMetrics
    ) {
        self.configuration = configuration
        self.network = network
        self.api = api
        self.artifacts = artifacts
        self.registry = registry
        self.metrics = metrics
        writer = ChildWriter(api: api, fieldManager: RepositoryController.fieldManager)
        logins = RegistryLogins(api: api, secret: configuration.registry.credentials)
    }

    /// Whether a Job was deleted by us, whatever the informer says.
    func hasDeleted(_ build: ObservedBuild) -> Bool {
        memory.withLock { $0.deleted.contains(build.job.metadata.uid) }
    }

    /// The name of the Job of a build.
    func jobName(of request: BuildJob.Request) -> String {
        BuildJob(request, configuration: configuration.buildConfiguration).name
    }

    /// The name without tag under which nodes pull an image.
    func pullName(of image: ImageReference) -> String { configuration.naming.pullName(of: image.name) }

    // MARK: - Start and end

    /// Starts a build, or finds the one that was started before.
    ///
    /// The fence and the registry's password stand before the Job does.
    /// - Returns: Whether the Job was made now.
    /// - Throws: ``BuildFailure`` for what the owner or the administrator can mend; `KubernetesError`; ``ChildError``.
    @discardableResult
    func start(_ request: BuildJob.Request) async throws -> Bool {
        let build = BuildJob(request, configuration: configuration.buildConfiguration)
        try await prepareNamespace()
        let job: Job
        var isNew = false
        do {
            job = try await api.create(build.job)
            isNew = true
            logger.info(
                "A build begins",
                [
                    "job": build.name, "repository": "\(request.repository)", "function": request.function,
                    "commit": request.commit, "image": "\(request.image)",
                ])
        } catch let error as KubernetesError where error.isAlreadyExists {
            job = try await api.get(Job.self, ObjectKey(namespace: configuration.buildsNamespace, name: build.name))
            guard !job.metadata.isBeingDeleted else { throw ChildIsGoing(child: "Job \(job.key)") }
        } catch let error as KubernetesError where error.isForbidden && "\(error)".contains("exceeded quota") {
            throw BuildFailure(
                .quotaExceeded, "the quota of namespace \(configuration.buildsNamespace) is used up: \(error)")
        }
        try await equip(job, build)
        return isNew
    }

    /// Makes sure that an unfinished build has its Secret.
    func equip(_ observed: ObservedBuild, _ request: BuildJob.Request) async throws {
        guard memory.withLock({ !$0.equipped.contains(observed.job.metadata.uid) }) else { return }
        try await equip(observed.job, BuildJob(request, configuration: configuration.buildConfiguration))
    }

    private func equip(_ job: Job, _ build: BuildJob) async throws {
        let token = try await artifacts.store().readToken(digest: build.request.contextDigest)
        let secret = build.secret(contextToken: token, jobUID: job.metadata.uid)
        try await writer.apply(secret, observed: nil, owner: job)
        remember { $0.equipped.insert(job.metadata.uid) }
    }

    /// The policy around all builds, and what they push with.
    func prepareNamespace() async throws {
        let policy = BuildNetworkPolicy(
            configuration: configuration, network: network,
            supportsPortRanges: try await features.supportsPortRanges(api)
        ).policy
        try await keep(policy)
        let config = try await logins.read().dockerConfig
        try await keep(
            BuildJob.registrySecret(dockerConfig: config, configuration: configuration.buildConfiguration))
    }

    /// Keeps an object of the builds' namespace as it should be; one that somebody else made is theirs, and is used.
    private func keep(_ object: some KubernetesResource) async throws {
        do {
            try await writer.apply(object, observed: nil)
        } catch let error as ChildError {
            logger.warning("An object that the administrator made is used as it is", ["object": "\(error)"])
        }
    }

    /// Deletes a build with its pod and Secret.
    func delete(_ build: ObservedBuild) async throws {
        try await writer.delete(build.job)
        remember { $0.deleted.insert(build.job.metadata.uid) }
    }

    /// Deletes every build of a Repository, whether the informers know it yet or not.
    func deleteAll(of uid: String) async throws {
        var options = ListOptions(
            labelSelector: LabelSelector(matchLabels: [BuildJob.repositoryUIDLabel: uid]).queryValue, limit: 500)
        repeat {
            let page = try await api.list(Job.self, namespace: configuration.buildsNamespace, options: options)
            for job in page.items { try await writer.delete(job) }
            options.continueToken = page.metadata.continue
        } while options.continueToken?.isEmpty == false
    }

    // MARK: - Results

    /// The image of a finished build as nodes pull it, once the registry is seen to have it.
    ///
    /// - Throws: ``BuildFailure``.
    func confirm(_ image: ImageReference, digest: String) async throws -> String {
        let pinned: ImageReference
        do {
            pinned = try image.pinned(to: digest)
        } catch {
            throw BuildFailure(.builderFailed, "the builder reported no usable digest: \(error)")
        }
        let name = pinned.description
        if memory.withLock({ $0.confirmed.contains(name) }) { return configuration.naming.pullName(of: name) }
        let begun = ContinuousClock.now
        do {
            _ = try await registry.digest(of: pinned, credentials: try await logins.read().credentials)
        } catch let error as RegistryError {
            throw error.failure
        }
        metrics.stage(.confirm, took: begun.duration(to: .now))
        remember { $0.confirmed.insert(name) }
        return configuration.naming.pullName(of: name)
    }

    /// Tells of a failed build what its author may see: the failure and the last lines of the log, masked.
    ///
    /// The lines are empty when the pod is gone.
    func account(
        of build: ObservedBuild, _ failure: BuildFailure, logBytesMaximum: Int
    ) async -> (failure: BuildFailure, log: String) {
        let masker = await masker(for: build)
        let masked = BuildFailure(failure.reason, masker.masked(failure.message))
        guard let pod = build.pod else { return (masked, "") }
        let message = pod.status?.containerStatuses.first?.state?.terminated?.message ?? ""
        let text = await log(of: pod) ?? message
        return (masked, BuildLog.tail(text, masker: masker, bytesMaximum: logBytesMaximum))
    }

    /// The end of a pod's log; nil when it cannot be read or is empty.
    private func log(of pod: Pod) async -> String? {
        let options = LogOptions(
            container: BuildJob.containerName, tailLines: BuildLog.tailLinesMaximum * 2,
            bytesMaximum: Self.logBytesMaximum)
        guard let stream = try? await api.logs(pod.key, options: options) else { return nil }
        defer { stream.cancel() }
        var bytes: [UInt8] = []
        while bytes.count < Self.logBytesMaximum, let piece = try? await stream.next() { bytes += piece }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// Hides the registry's passwords and the context's token.
    func masker(for build: ObservedBuild) async -> LogMasker {
        let store = try? await artifacts.store()
        return LogMasker(
            values: BuildSecrets.values(
                arguments: build.job.spec.template.spec.containers.first?.args ?? [],
                credentials: (try? await logins.read().credentials) ?? RegistryCredentials(),
                readToken: store.map { store in { store.readToken(digest: $0) } }))
    }

    /// Whether this is the first time that the end of a build is looked at.
    func countsFirstTime(_ build: ObservedBuild) -> Bool {
        memory.withLock { $0.counted.insert(build.job.metadata.uid).inserted }
    }

    private func remember(_ change: (inout Memory) -> Void) {
        memory.withLock { memory in
            if max(memory.deleted.count, memory.equipped.count, memory.confirmed.count, memory.counted.count)
                > Self.remembered
            {
                memory = Memory()
            }
            change(&memory)
        }
    }
}
