public import Audit
import Builds
import CRDs
public import ControllerRuntime
public import HTTP
public import KubernetesClient
import KubernetesTypes
import Telemetry

/// The controller that turns commits into Functions.
public enum RepositoryController {
    /// The field manager of everything it writes.
    public static let fieldManager = "farebox-repository"
    /// The finalizer that keeps a Repository until its builds in the other namespace are gone.
    static let finalizer = "farebox.dev/repository"

    /// Adds the controller, and the informers it needs, to a manager.
    ///
    /// - Parameters:
    ///   - manager: Runs it, in the one process that leads.
    ///   - api: For writing, for Secrets by name and for logs.
    ///   - configuration: Must be free of problems (`validate()`).
    ///   - functions: The network and the allow-lists that functions have; builds share the network's resolver.
    ///   - client: For the registry and the artifact store, which are in the cluster: private addresses must be allowed.
    ///   - recorder: Tells of what happens; nil tells nothing.
    ///   - audit: Is told of builds and of functions that come and go; nil is told nothing.
    ///   - namespace: Leaves Repositories of other namespaces alone; nil takes care of all.
    /// - Returns: The controller, for tests and metrics.
    @discardableResult
    public static func install(
        in manager: Manager, api: any KubernetesAPI, configuration: RepositoryClusterConfiguration,
        functions: FunctionClusterConfiguration, client: HTTPClient, recorder: EventRecorder? = nil,
        audit: AuditLog? = nil, namespace: String? = nil
    ) -> Controller {
        let artifacts = ArtifactAccess(
            api: api, namespace: configuration.systemNamespace, client: client,
            baseURL: configuration.builder.artifactsURL)
        let rules = configuration.stackRules(functions)
        let hosts = GitHostAccess(configuration: configuration, functions: functions, api: api, client: client)
        let registry = RegistryClient(client: client, configuration: configuration.registryClientConfiguration)
        let runtimeMaps = manager.informers.informer(
            ConfigMap.self,
            scope: InformerScope(namespace: configuration.systemNamespace, labelSelector: RuntimeConfigMap.label))
        let runtimes = RuntimeCatalogSource(
            origins: RuntimeOrigin.all(
                configuration, registry: registry,
                logins: RegistryLogins(api: api, secret: configuration.registry.credentials))
        ) { runtimeMaps.list() }
        let preparation = SourcePreparation(
            configuration: configuration, rules: rules, artifacts: artifacts, runtimes: runtimes,
            credentials: hosts.credentials, metrics: RepositoryMetrics(manager.metrics))
        let office = BuildOffice(
            configuration: configuration, network: functions.network, api: api, artifacts: artifacts,
            registry: registry, metrics: RepositoryMetrics(manager.metrics))
        BuildNamespace.install(in: manager, office: office, password: configuration.registry.credentials)
        return install(
            in: manager, api: api, configuration: configuration, functions: functions, preparation: preparation,
            artifacts: artifacts, client: client, registry: registry, runtimeMaps: runtimeMaps, recorder: recorder,
            audit: audit, namespace: namespace,
            reporter: hosts.reporter(metrics: manager.metrics))
    }

    /// The same with parts that a test can replace.
    static func install(
        in manager: Manager, api: any KubernetesAPI, configuration: RepositoryClusterConfiguration,
        functions: FunctionClusterConfiguration, preparation: any SourcePreparing, artifacts: ArtifactAccess,
        client: HTTPClient, registry: RegistryClient, runtimeMaps: Informer<ConfigMap>? = nil,
        recorder: EventRecorder?, audit: AuditLog? = nil, namespace: String?,
        polls: RepositoryReconciler.Polls = .init(), reporter: StatusReporter? = nil
    ) -> Controller {
        let metrics = RepositoryMetrics(manager.metrics)
        let scope = InformerScope(namespace: namespace)
        let repositories = manager.informers.informer(Repository.self, scope: scope)
        let children = manager.informers.informer(Function.self, scope: scope)
        let board = BuildBoard(manager.informers, namespace: configuration.buildsNamespace)
        let loader = SourceLoader(
            preparation: preparation, concurrency: configuration.git.concurrency, metrics: metrics,
            backoff: polls.sourceBackoff)
        let office = BuildOffice(
            configuration: configuration, network: functions.network, api: api, artifacts: artifacts,
            registry: registry, metrics: metrics)
        let collector = ImageCollector(
            registry: registry, logins: RegistryLogins(api: api, secret: configuration.registry.credentials),
            naming: configuration.naming)
        let writer = ChildWriter(api: api, fieldManager: fieldManager)
        let queue = BuildQueue(limits: configuration.builder.queueLimits)
        children.addIndex(RepositoryReconciler.byController) { [$0.metadata.controllerReference?.uid ?? ""] }
        let keeper = logKeeper(
            api: api, logs: configuration.logs, office: office, artifacts: artifacts, client: client, audit: audit,
            metrics: metrics, hurryLimit: polls.logHurry)
        let reconciler = RepositoryReconciler(
            repositories: repositories, functions: children, board: board, loader: loader, office: office,
            queue: queue, keeper: keeper, functionSwitch: FunctionSwitch(api: api),
            environments: Environments(repositories: repositories, writer: writer, recorder: recorder),
            sealedSecrets: SealedSecrets(api: api, fieldManager: fieldManager),
            retention: ImageRetention(keeps: configuration.registry.keepsImages), collector: collector,
            writer: writer, statusWriter: StatusWriter(api: api),
            finalizer: Finalizer(name: finalizer, api: api), recorder: recorder, audit: audit,
            metrics: metrics, reporter: reporter, polls: polls)
        let controller = Controller(
            name: "repository", root: repositories, reconciler: reconciler, metrics: manager.metrics)
        controller.owns(children)
        controller.owns(repositories)
        // A build that ends makes room for whoever waits.
        let next: @Sendable () -> [ObjectKey] = {
            queue.waitingCount > 0 ? queue.next(present: board.present) : []
        }
        controller.watches(board.jobs) { BuildBoard.repository(of: $0.metadata) + next() }
        controller.watches(board.pods) { board.repository(of: $0) + next() }
        loader.notify { controller.enqueue($0) }
        keeper.notify { controller.enqueue($0) }
        collector.notify { controller.enqueue($0) }
        runtimeMaps?.addHandler { _ in
            for repository in repositories.list() where repository.lacksRuntime {
                loader.doubt(uid: repository.metadata.uid)
                controller.enqueue(repository.key)
            }
        }
        if let reporter {
            reporter.notify { controller.enqueue($0) }
            repositories.addHandler { reporter.follow($0) }
            manager.addRunnable("commit statuses", needsLeadership: true) { await reporter.run() }
        }
        manager.add(controller)
        manager.addRunnable("repository sources", needsLeadership: true) { await loader.run() }
        manager.addRunnable("retired images", needsLeadership: true) { await collector.run() }
        manager.addRunnable("build logs", needsLeadership: true) { await keeper.run() }
        manager.addRunnable("artifact key", needsLeadership: true) { await makeKey(artifacts) }
        return controller
    }

    private static func logKeeper(
        api: any KubernetesAPI, logs: LogsConfiguration, office: BuildOffice, artifacts: ArtifactAccess,
        client: HTTPClient, audit: AuditLog?, metrics: RepositoryMetrics, hurryLimit: Duration
    ) -> BuildLogKeeper {
        BuildLogKeeper(
            BuildLogKeeper.Surroundings(
                api: api, configuration: logs, masker: { await office.masker(for: $0) },
                store: { log, bytes in
                    let tokens = try await artifacts.tokens().logs
                    try await LogClient(client: client, address: logs.address, tokens: tokens).store(log, bytes)
                },
                delete: { try await office.delete($0) },
                ended: { RepositoryAudit(log: audit, repository: $1).ended($0) }),
            metrics: metrics, hurryLimit: hurryLimit)
    }

    /// The builder's pod waits for this Secret: make it at the start, not at the first build.
    private static func makeKey(_ artifacts: ArtifactAccess) async {
        let logger = Logger(label: "repository")
        while !Task.isCancelled {
            do {
                _ = try await artifacts.store()
                return
            } catch {
                logger.warning("The artifact store's key cannot be read or made", ["error": "\(error)"])
                try? await Task.sleep(for: .seconds(5))
            }
        }
    }
}
