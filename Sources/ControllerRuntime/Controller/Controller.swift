public import KubernetesTypes
import Synchronization
public import Telemetry
import Timing

/// Runs a reconciler for each object of one kind whenever something that concerns it may have changed.
///
/// It has one root kind; further informers map their objects to keys of it. Changes are remembered from the moment the
/// informers run; workers begin with ``run()``, so a standby is warm when it starts to lead.
public final class Controller: Sendable {
    /// The name in logs and metrics.
    public let name: String

    /// Keys seen in a list rather than in a change have this priority; changes have 0 and go first.
    static let resyncPriority = -100

    /// Requeue intervals are stretched by up to this share, so that many objects do not come back together.
    static let requeueJitter = Jitter(0.1)

    let queue = WorkQueue()
    private let root: ResourceDescriptor
    private let reconciler: any Reconciler
    private let configuration: ControllerConfiguration
    private let metrics: ControllerMetrics
    private let logger: Logger
    private let informers = Mutex<[any RunningInformer]>([])

    /// Makes a controller.
    ///
    /// - Parameters:
    ///   - name: For logs and metrics, such as `function`; unique in the process.
    ///   - root: The objects to reconcile.
    ///   - predicate: Which of their changes matter.
    ///   - metrics: Where its metrics go.
    public init<Root: KubernetesResource>(
        name: String, root: Informer<Root>, predicate: Predicate<Root> = .any, reconciler: any Reconciler,
        configuration: ControllerConfiguration = ControllerConfiguration(), metrics: MetricsRegistry,
        logger: Logger? = nil
    ) {
        precondition(configuration.concurrency > 0, "a controller needs a worker")
        self.name = name
        self.root = root.descriptor
        self.reconciler = reconciler
        self.configuration = configuration
        self.metrics = ControllerMetrics(
            registry: metrics, controller: name, concurrency: configuration.concurrency, queue: queue)
        self.logger = (logger ?? Logger(label: "controller")).with(["controller": name])
        watches(root, predicate: predicate) { [$0.key] }
    }

    /// Reconciles what an object of another kind maps to, whenever it changes.
    ///
    /// The state before and the state after are both mapped, so that whoever lost the object is reconciled too.
    ///
    /// - Parameter map: Keys of the root kind; it runs on the informer's task and must not block.
    public func watches<Resource: KubernetesResource>(
        _ informer: Informer<Resource>, predicate: Predicate<Resource> = .any,
        map: @escaping @Sendable (Resource) -> [ObjectKey]
    ) {
        informers.withLock { $0.append(informer) }
        let queue = queue
        informer.addHandler { event in
            guard predicate(event) else {
                return
            }
            let priority = event.isResync ? Self.resyncPriority : 0
            var keys = map(event.object)
            if let old = event.old, !event.isResync {
                // A key added twice could be taken by a worker in between, and then run twice.
                keys += map(old).filter { !keys.contains($0) }
            }
            for key in keys {
                queue.add(key, priority: priority)
            }
        }
    }

    /// Reconciles the root object that controls a child, whenever the child changes.
    ///
    /// The controller owner reference tells which: its group and kind must be the root's.
    public func owns<Child: KubernetesResource>(_ informer: Informer<Child>, predicate: Predicate<Child> = .any) {
        let root = root
        watches(informer, predicate: predicate) { child in
            guard let owner = child.metadata.controllerReference, owner.kind == root.kind, owner.group == root.group
            else {
                return []
            }
            return [ObjectKey(namespace: root.isNamespaced ? child.metadata.namespace : "", name: owner.name)]
        }
    }

    /// Reconciles an object soon, or after a time.
    public func enqueue(_ key: ObjectKey, after delay: Duration = .zero) {
        queue.add(key, after: delay)
    }

    /// Reconciles until the calling task is cancelled; to be called once.
    ///
    /// It returns after the reconciles under way have ended; cancellation reaches them too.
    ///
    /// - Throws: ``InformersNotSynced``.
    public func run() async throws {
        defer { queue.shutDown() }
        do {
            try await waitForSync()
        } catch is CancellationError {
            return
        }
        logger.info("workers start", ["workers": configuration.concurrency])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<configuration.concurrency {
                group.addTask { await self.work() }
            }
        }
    }

    /// Brings the metrics that are read from the queue up to date.
    func refreshMetrics() {
        metrics.refresh()
    }

    private func waitForSync() async throws {
        let informers = informers.withLock { $0 }
        do {
            try await withDeadline(configuration.syncTimeout) {
                for informer in informers {
                    try await informer.waitForSync()
                }
            }
        } catch is DeadlineExceeded {
            let missing = informers.filter { !$0.hasSynced }.map(\.name).sorted()
            throw InformersNotSynced(resources: missing, limit: configuration.syncTimeout)
        }
    }

    // MARK: - Workers

    private func work() async {
        while let item = await queue.next() {
            metrics.started(waited: item.waited)
            let start = ContinuousClock.now
            let result = await reconcile(item.key)
            metrics.finished(took: start.duration(to: .now), result: result)
            settle(item, result)
            metrics.worked(queue.done(item))
        }
    }

    private func reconcile(_ key: ObjectKey) async -> Result<ReconcileOutcome, any Error> {
        do {
            guard let timeout = configuration.reconcileTimeout else {
                return .success(try await reconciler.reconcile(key))
            }
            let reconciler = reconciler
            return .success(try await withDeadline(timeout) { try await reconciler.reconcile(key) })
        } catch {
            return .failure(error)
        }
    }

    /// Decides when the key is due again.
    private func settle(_ item: WorkQueue.Item, _ result: Result<ReconcileOutcome, any Error>) {
        let key = item.key
        switch result {
        case .success(.done):
            queue.forget(item)
        case .success(.requeue(let delay)):
            queue.forget(item)
            queue.add(key, after: Self.requeueJitter.lengthened(delay), priority: item.priority)
        case .failure(let error as TerminalError):
            queue.forget(item)
            logger.error("reconcile failed for good", fields(key, error))
        case .failure(let error):
            // A process that ends leaves the rest to the next one.
            guard !Task.isCancelled else {
                return
            }
            let failures = queue.recordFailure(of: key)
            let delay = configuration.backoff.delay(afterFailures: failures)
            metrics.retried()
            queue.add(key, after: delay, priority: item.priority)
            // Somebody else was faster: the usual way of things.
            let level: LogLevel = error.isConflict ? .debug : .error
            logger.log(
                level, "reconcile failed",
                fields(key, error).merging(["failures": failures, "retryAfter": delay.goStyle]))
        }
    }

    private func fields(_ key: ObjectKey, _ error: any Error) -> LogFields {
        ["namespace": key.namespace, "name": key.name, "error": "\(error)"]
    }
}
