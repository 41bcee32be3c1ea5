import Glibc
import HTTP
public import KubernetesClient
import Synchronization
public import Telemetry

/// Starts the parts of a process in order, leads or stands by, and stops them in reverse.
///
/// Start: health and metrics, informers, parts that need no leadership, election, then controllers and the other parts that
/// need it. Stop: those first; then the lease is given back, since nothing acts under it any more and the successor should
/// not wait for our idle connections; then the other parts, informers, health. A lost lease or a second signal
/// ends the process at once: another one may act already.
public final class Manager: Sendable {
    /// A part of the process that runs until it is cancelled.
    struct Runnable: Sendable {
        let name: String
        let needsLeadership: Bool
        let run: @Sendable () async throws -> Void
    }

    /// The informers that controllers share.
    public let informers: SharedInformers

    /// What `/healthz` checks: only what a restart of this process would cure, never the API server.
    public let liveness = HealthChecks(name: "healthz")

    /// What `/readyz` checks: that the informers hold their collections, and what is added.
    public let readiness = HealthChecks(name: "readyz")

    /// Where metrics go.
    public let metrics: MetricsRegistry

    private let leaseAPI: any KubernetesAPI
    private let configuration: ManagerConfiguration
    private let logger: Logger
    private let terminate: @Sendable (Int32) -> Void
    private let runnables = Mutex<[Runnable]>([])
    private let refreshers = MetricsRefreshers()
    private let leading = Gate()
    private let server: HTTPServer?

    /// Makes a manager.
    ///
    /// - Parameters:
    ///   - api: For the informers.
    ///   - leaseAPI: For the lease: better a client of its own with the election's request timeout.
    ///   - metrics: Where metrics go.
    public convenience init(
        api: any KubernetesAPI, leaseAPI: (any KubernetesAPI)? = nil, configuration: ManagerConfiguration,
        metrics: MetricsRegistry
    ) {
        self.init(
            api: api, leaseAPI: leaseAPI, configuration: configuration, metrics: metrics,
            terminate: { _exit($0) })
    }

    /// - Parameter terminate: Ends the process at once; a test records the call instead.
    init(
        api: any KubernetesAPI, leaseAPI: (any KubernetesAPI)? = nil, configuration: ManagerConfiguration,
        metrics: MetricsRegistry, limits: ReflectorLimits = ReflectorLimits(),
        terminate: @escaping @Sendable (Int32) -> Void
    ) {
        self.informers = SharedInformers(api: api, limits: limits)
        self.leaseAPI = leaseAPI ?? api
        self.configuration = configuration
        self.metrics = metrics
        self.logger = Logger(label: "manager")
        self.terminate = terminate
        liveness.add("ping") { true }
        let informers = informers
        readiness.add("informers") { informers.unsynced.isEmpty }
        let (liveness, readiness) = (liveness, readiness)
        let refreshers = refreshers
        server = configuration.healthAddress.map { address in
            var serving = HTTPServerConfiguration()
            serving.address = address
            serving.port = configuration.healthPort
            serving.name = "health"
            serving.connectionsMaximum = Self.connectionsMaximum
            return HTTPServer(
                configuration: serving,
                handler: HealthHandler(checks: [liveness, readiness]) {
                    refreshers.all.forEach { $0() }
                    return metrics.render()
                })
        }
    }

    /// The kubelet and a few scrapers: more connections than this are a mistake of somebody's.
    private static let connectionsMaximum = 256

    /// How long answers under way may take when everything else has stopped.
    private static let serverGrace = Duration.seconds(1)

    /// Whether this process leads; always so without an election.
    public var isLeader: Bool { leading.isOpen }

    /// Adds a controller; it works while this process leads.
    public func add(_ controller: Controller) {
        addRunnable("controller \(controller.name)", needsLeadership: true) { try await controller.run() }
        refreshers.add { controller.refreshMetrics() }
    }

    /// Adds a recorder of events.
    public func add(_ recorder: EventRecorder) {
        addRunnable("events", needsLeadership: false) { await recorder.run() }
    }

    /// Adds a part of the process; only before ``run()``.
    ///
    /// - Parameters:
    ///   - name: For logs and errors.
    ///   - needsLeadership: Whether it must run in one process only.
    ///   - run: Runs until it is cancelled. An error ends the process; to return is fine.
    public func addRunnable(
        _ name: String, needsLeadership: Bool, _ run: @escaping @Sendable () async throws -> Void
    ) {
        runnables.withLock { $0.append(Runnable(name: name, needsLeadership: needsLeadership, run: run)) }
    }

    /// Adds something that is brought up to date before metrics are shown.
    public func addMetricsRefresher(_ refresh: @escaping @Sendable () -> Void) {
        refreshers.add(refresh)
    }

    /// Runs everything until a signal comes or the calling task is cancelled; to be called once.
    ///
    /// - Throws: ``ManagerError``; the process should then end with a code other than 0.
    public func run() async throws {
        if let violation = configuration.leaderElection?.violation {
            throw ManagerError.configuration(violation)
        }
        do {
            try server?.start()
        } catch {
            throw ManagerError.failed("health server", error)
        }
        let elector = configuration.leaderElection.map {
            LeaderElector(api: leaseAPI, configuration: $0, metrics: metrics, logger: logger)
        }
        let lifecycle = ManagerLifecycle(
            runnables: runnables.withLock { $0 }, informers: informers, elector: elector, leading: leading,
            gracePeriod: configuration.gracePeriod, logger: logger, terminate: terminate)
        let report = lifecycle.report
        let registration =
            configuration.handlesSignals ? SignalWatcher.shared.listen { report(.signal($0)) } : nil
        let running = Task {
            var lifecycle = lifecycle
            try await lifecycle.run()
        }
        let result = await withTaskCancellationHandler {
            await running.result
        } onCancel: {
            report(.cancelled)
        }
        await server?.shutdown(grace: Self.serverGrace)
        if let registration {
            SignalWatcher.shared.ignore(registration)
        }
        try result.get()
    }

    /// The port that health checks and metrics are served on, once ``run()`` has begun.
    public var healthPort: UInt16? { server?.port }
}

/// What brings metrics up to date before they are shown.
private final class MetricsRefreshers: Sendable {
    private let refreshers = Mutex<[@Sendable () -> Void]>([])

    var all: [@Sendable () -> Void] { refreshers.withLock { $0 } }

    func add(_ refresh: @escaping @Sendable () -> Void) {
        refreshers.withLock { $0.append(refresh) }
    }
}
