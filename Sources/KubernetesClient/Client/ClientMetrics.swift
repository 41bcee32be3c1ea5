import Telemetry

/// What a client counts, under client-go's names so that dashboards carry over.
struct ClientMetrics: Sendable {
    private let requests: CounterFamily?
    private let retries: CounterFamily?
    private let reloadFailures: Counter?
    private let host: String

    init(_ registry: MetricsRegistry?, host: String) {
        self.host = host
        requests = registry?.counter(
            "rest_client_requests_total", "Requests to the API server, by status code, method and host.",
            labels: ["code", "method", "host"])
        retries = registry?.counter(
            "rest_client_request_retries_total", "Requests to the API server that were sent again.",
            labels: ["code", "verb", "host"])
        reloadFailures = registry?.counter(
            "rest_client_certificate_reload_failures_total", "Changed certificate files that could not be used."
        ).labels()
    }

    /// Counts one try and what came of it.
    func count(method: String, code: String) {
        requests?.labels(code, method, host).increment()
    }

    /// Counts a try that is made because of what came of the one before.
    func countRetry(verb: String, code: String) {
        retries?.labels(code, verb, host).increment()
    }

    /// Counts certificate files that could not be used.
    func countReloadFailure() {
        reloadFailures?.increment()
    }
}
