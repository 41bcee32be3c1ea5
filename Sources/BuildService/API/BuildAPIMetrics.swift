import HTTP
import Telemetry

/// What the Function Builder API counts.
struct BuildAPIMetrics: Sendable {
    private let requests: CounterFamily
    private let builds: CounterFamily
    private let inflight: Gauge
    private let waiting: Gauge
    private let seconds: Histogram

    init(_ registry: MetricsRegistry) {
        requests = registry.counter(
            "farebox_builder_requests_total", "Requests to the Function Builder API.", labels: ["path", "code"])
        builds = registry.counter(
            "farebox_builder_builds_total", "Builds of the Function Builder API that ended.", labels: ["result"])
        inflight = registry.gauge("farebox_builder_inflight", "Builds under way.").labels()
        waiting = registry.gauge("farebox_builder_waiting", "Builds that wait for their turn.").labels()
        seconds = registry.histogram(
            "farebox_builder_build_seconds", "From a request to the end of its build.",
            buckets: [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800]
        ).labels()
    }

    func count(_ path: String, _ status: HTTPStatus) {
        requests.labels(path, String(status.code)).increment()
    }

    func ended(_ result: BuildResult) {
        builds.labels(result.isSuccess ? "success" : "failed").increment()
        seconds.observe(result.duration)
    }

    func present(inflight: Int, waiting: Int) {
        self.inflight.set(inflight)
        self.waiting.set(waiting)
    }
}
