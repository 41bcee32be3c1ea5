import Builds
import CRDs
import Telemetry

/// What the Repository controller counts.
///
/// No label holds the name of a tenant's object.
struct RepositoryMetrics: Sendable {
    private let fetches: CounterFamily
    private let fetchSeconds: Histogram
    private let looks: CounterFamily
    private let builds: CounterFamily
    private let buildSeconds: Histogram
    private let logs: CounterFamily
    private let stages: HistogramFamily

    init(_ registry: MetricsRegistry) {
        fetches = registry.counter(
            "farebox_source_fetches_total", "Commits fetched and taken apart, by result.", labels: ["result"])
        fetchSeconds = registry.histogram(
            "farebox_source_fetch_seconds", "Time to fetch a commit and store its contexts.",
            buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
        ).labels()
        looks = registry.counter("farebox_branch_looks_total", "Looks at branches, by result.", labels: ["result"])
        builds = registry.counter("farebox_builds_total", "Finished builds, by result.", labels: ["result"])
        buildSeconds = registry.histogram(
            "farebox_build_seconds", "Time of a build from its Job's creation to its end.",
            buckets: [1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 900]
        ).labels()
        logs = registry.counter(
            "farebox_build_logs_total", "Logs of builds that ended, by what became of them.", labels: ["result"])
        stages = registry.histogram(
            "farebox_stage_seconds", "Time of each stage from a push to a running function.", labels: ["stage"],
            buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900])
    }

    /// A part of the way from a push to a running function.
    enum Stage: String {
        /// A build waits for its turn.
        case queue
        /// A commit is fetched.
        case checkout
        /// Its contexts are made and stored.
        case context
        /// A build's pod comes up.
        case start
        /// A build runs, and pushes.
        case build
        /// The registry says that it has the image.
        case confirm
        /// The Function becomes ready.
        case rollout
    }

    /// How long a stage took; nil counts nothing.
    func stage(_ stage: Stage, took: Duration?) {
        if let took { stages.labels(stage.rawValue).observe(took) }
    }

    /// What became of a log: `stored`, `none` when there was none, `given up`.
    func logKept(_ result: String) { logs.labels(result).increment() }

    func fetched(_ result: Result<PreparedSource, BuildFailure>, took: Duration) {
        fetchSeconds.observe(took)
        switch result {
        case .success: fetches.labels("success").increment()
        case .failure(let failure): fetches.labels(failure.reason.rawValue).increment()
        }
    }

    func looked(_ head: SourceLoader.Head) {
        switch head {
        case .unknown: break
        case .commit: looks.labels("success").increment()
        case .failed(let failure): looks.labels(failure.reason.rawValue).increment()
        }
    }

    func built(_ result: String, took: Duration?) {
        builds.labels(result).increment()
        if let took { buildSeconds.observe(took) }
    }
}
