import Telemetry

/// What the gateway tells Prometheus.
///
/// The first two have the names and labels of OpenFaaS's gateway, as has `gateway_service_count`, which is read from the routes.
final class GatewayMetrics: Sendable {
    /// Functions times the few status codes each answers with; further ones are counted together.
    private static let seriesMaximum = 50_000

    /// `gateway_function_invocation_total{function_name="<name>.<namespace>",code}`.
    let invocations: CounterFamily
    /// `gateway_functions_seconds{function_name}`: from a call's head to the end of its answer.
    let seconds: HistogramFamily
    /// Requests that named no function, by why.
    let unrouted: CounterFamily
    let noHost: Counter
    let plain: Counter
    let unknown: Counter
    let closed: Counter
    let tooMany: Counter
    let queueFull: Counter
    let notAwake: Counter
    let page: Counter
    let unpaid: Counter
    let paymentsAway: Counter
    /// Connections tried beyond the first of each call.
    let retries: Counter
    /// How often an address was passed over for a while, because it failed several calls in a row.
    let ejections: Counter
    let noEndpoint: Counter
    let connectFailed: Counter
    let upstreamFailed: Counter
    let timedOut: Counter
    let clientLeft: Counter
    /// Calls that wait for a function to start.
    let waiting: Gauge
    /// Sleeping functions that a replica was asked for, and how often that failed.
    let woken: Counter
    let wakingFailed: Counter
    /// What calls of sleeping functions waited for.
    let coldQueue: Histogram
    let coldScale: Histogram
    let coldReady: Histogram
    let coldFirstByte: Histogram
    /// Routes in the table now.
    let routes: Gauge
    /// Changes of the table.
    let routeUpdates: Counter
    /// How long a change of the table took.
    let routeUpdateSeconds: Histogram

    init(_ registry: MetricsRegistry) {
        invocations = registry.counter(
            "gateway_function_invocation_total", "Calls of functions by status code.",
            labels: ["function_name", "code"], seriesMaximum: Self.seriesMaximum)
        seconds = registry.histogram(
            "gateway_functions_seconds", "Time of a function's calls in seconds, until the answer's end.",
            labels: ["function_name"], buckets: Histogram.requestSeconds,
            seriesMaximum: Self.seriesMaximum)
        unrouted = registry.counter(
            "farebox_gateway_refused_total", "Requests answered by the gateway itself, by reason.", labels: ["reason"])
        noHost = unrouted.labels("no_host")
        plain = unrouted.labels("plain")
        unknown = unrouted.labels("unknown_function")
        closed = unrouted.labels("closed")
        tooMany = unrouted.labels("too_many_in_flight")
        queueFull = unrouted.labels("queue_full")
        notAwake = unrouted.labels("not_awake_in_time")
        page = unrouted.labels("waiting_page")
        unpaid = unrouted.labels("unpaid")
        paymentsAway = unrouted.labels("payments_unavailable")
        let failures = registry.counter(
            "farebox_gateway_failures_total", "Calls that ended without the function's whole answer, by cause.",
            labels: ["cause"])
        noEndpoint = failures.labels("no_endpoint")
        connectFailed = failures.labels("connect")
        upstreamFailed = failures.labels("upstream")
        timedOut = failures.labels("timeout")
        clientLeft = failures.labels("client")
        retries = registry.counter(
            "farebox_gateway_retries_total", "Connections tried beyond the first of each call.", labels: []
        ).labels()
        ejections = registry.counter(
            "farebox_gateway_ejections_total", "Addresses passed over for a while after failures in a row.", labels: []
        ).labels()
        waiting = registry.gauge(
            "farebox_gateway_waiting", "Calls that wait for a function to start.", labels: []
        ).labels()
        let wakes = registry.counter(
            "farebox_gateway_wakes_total", "Sleeping functions that a replica was asked for, by outcome.",
            labels: ["outcome"])
        woken = wakes.labels("asked")
        wakingFailed = wakes.labels("failed")
        let cold = registry.histogram(
            "farebox_gateway_cold_seconds",
            "Time of calls that woke a function: queue and first_byte of each call, scale and ready of each start.",
            labels: ["phase"], buckets: Histogram.requestSeconds)
        coldQueue = cold.labels("queue")
        coldScale = cold.labels("scale")
        coldReady = cold.labels("ready")
        coldFirstByte = cold.labels("first_byte")
        routes = registry.gauge("farebox_gateway_routes", "Functions that have a route.", labels: []).labels()
        routeUpdates = registry.counter(
            "farebox_gateway_route_updates_total", "Changes of the table of routes.", labels: []
        ).labels()
        routeUpdateSeconds = registry.histogram(
            "farebox_gateway_route_update_seconds", "Time of a change of the table of routes in seconds.",
            buckets: [0.000_01, 0.000_1, 0.001, 0.01, 0.1]
        ).labels()
    }
}
