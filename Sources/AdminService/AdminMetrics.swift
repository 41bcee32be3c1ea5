import HTTP
import Telemetry

/// What the REST API counts; no label holds the name of a function.
struct AdminMetrics: Sendable {
    let requests: CounterFamily
    let refused: CounterFamily

    init(_ registry: MetricsRegistry) {
        requests = registry.counter(
            "farebox_admin_requests_total", "Requests to OpenFaaS' REST API, by route and status.",
            labels: ["route", "code"])
        refused = registry.counter(
            "farebox_admin_refused_total", "Requests of callers who were not let in, by reason.", labels: ["reason"])
    }

    func count(_ route: AdminRoute?, _ status: HTTPStatus) {
        requests.labels(route?.label ?? "other", String(status.code)).increment()
    }
}
