import KubernetesClient
import Synchronization
import Telemetry
import Timing

/// The metrics of one controller and its queue, under the names that controller-runtime and client-go use.
final class ControllerMetrics: Sendable {
    /// Upper bounds of `controller_runtime_reconcile_time_seconds`, as in controller-runtime.
    static let reconcileSeconds: [Double] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
        1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
    ]

    /// Upper bounds of the queue's durations: 10 ns × 10ⁿ, 12 of them, as in client-go.
    static let queueSeconds: [Double] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000]

    private let succeeded: Counter
    private let failed: Counter
    private let requeuedAfter: Counter
    private let errors: Counter
    private let terminalErrors: Counter
    private let timeouts: Counter
    private let active: Gauge
    private let seconds: Histogram

    private let controller: String
    private let queue: WorkQueue
    private let depth: GaugeFamily
    private let adds: Counter
    private let retries: Counter
    private let waitSeconds: Histogram
    private let workSeconds: Histogram
    private let unfinished: Gauge
    private let longest: Gauge
    private let addsShown = Mutex<UInt64>(0)

    init(registry: MetricsRegistry, controller: String, concurrency: Int, queue: WorkQueue) {
        self.controller = controller
        self.queue = queue
        func counter(_ name: String, _ help: String) -> Counter {
            registry.counter("controller_runtime_" + name, help, labels: ["controller"]).labels(controller)
        }
        let results = registry.counter(
            "controller_runtime_reconcile_total", "Reconciles by result.", labels: ["controller", "result"])
        succeeded = results.labels(controller, "success")
        failed = results.labels(controller, "error")
        requeuedAfter = results.labels(controller, "requeue_after")
        _ = results.labels(controller, "requeue")
        errors = counter("reconcile_errors_total", "Reconciles that failed.")
        terminalErrors = counter("terminal_reconcile_errors_total", "Reconciles that failed for good.")
        _ = counter("reconcile_panics_total", "Always 0: a trap ends the process.")
        timeouts = counter("reconcile_timeouts_total", "Reconciles that took too long.")
        registry.gauge(
            "controller_runtime_max_concurrent_reconciles", "Reconciles that may run at once.", labels: ["controller"]
        ).labels(controller).set(concurrency)
        active = registry.gauge(
            "controller_runtime_active_workers", "Reconciles that run now.", labels: ["controller"]
        ).labels(controller)
        seconds = registry.histogram(
            "controller_runtime_reconcile_time_seconds", "Time of a reconcile.", labels: ["controller"],
            buckets: Self.reconcileSeconds
        ).labels(controller)

        let labels = ["name", "controller"]
        depth = registry.gauge(
            "workqueue_depth", "Keys that are ready.", labels: labels + ["priority"], seriesMaximum: 25 * 20)
        adds = registry.counter("workqueue_adds_total", "Keys that became wanted.", labels: labels)
            .labels(controller, controller)
        retries = registry.counter("workqueue_retries_total", "Keys put back after a failure.", labels: labels)
            .labels(controller, controller)
        waitSeconds = registry.histogram(
            "workqueue_queue_duration_seconds", "Time a key was ready before a worker took it.", labels: labels,
            buckets: Self.queueSeconds
        ).labels(controller, controller)
        workSeconds = registry.histogram(
            "workqueue_work_duration_seconds", "Time a worker held a key.", labels: labels, buckets: Self.queueSeconds
        ).labels(controller, controller)
        unfinished = registry.gauge(
            "workqueue_unfinished_work_seconds", "Sum of the times keys have been held so far.", labels: labels
        ).labels(controller, controller)
        longest = registry.gauge(
            "workqueue_longest_running_processor_seconds", "Longest time a key has been held so far.", labels: labels
        ).labels(controller, controller)
    }

    func started(waited: Duration) {
        active.increment()
        waitSeconds.observe(waited)
    }

    func finished(took: Duration, result: Result<ReconcileOutcome, any Error>) {
        active.decrement()
        seconds.observe(took)
        switch result {
        case .success(.done): succeeded.increment()
        case .success(.requeue): requeuedAfter.increment()
        case .failure(let error):
            failed.increment()
            errors.increment()
            if error is TerminalError {
                terminalErrors.increment()
            }
            if error is DeadlineExceeded {
                timeouts.increment()
            }
        }
    }

    func retried() {
        retries.increment()
    }

    func worked(_ duration: Duration) {
        workSeconds.observe(duration)
    }

    /// Reads the queue; to be called before the metrics are shown.
    func refresh() {
        let snapshot = queue.snapshot()
        for (priority, count) in snapshot.depths {
            depth.labels(controller, controller, String(priority)).set(count)
        }
        let new = addsShown.withLock { shown in
            defer { shown = snapshot.added }
            return snapshot.added &- shown
        }
        adds.increment(by: new)
        unfinished.set(snapshot.held.reduce(.zero, +) / .seconds(1))
        longest.set((snapshot.held.max() ?? .zero) / .seconds(1))
    }
}

extension Error {
    /// Whether somebody changed the object in the meantime.
    var isConflict: Bool { self is StaleObject || (self as? KubernetesError)?.isConflict == true }
}
