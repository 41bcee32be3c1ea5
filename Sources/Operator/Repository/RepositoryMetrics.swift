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
    }

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
