import HTTP
import Telemetry

/// What the payments process counts.
struct PaymentsMetrics: Sendable {
    private let requests: CounterFamily
    private let queries: CounterFamily
    private let querySeconds: Histogram
    private let wallets: CounterFamily
    private let walletSeconds: Histogram
    private let receipts: CounterFamily
    private let credited: CounterFamily
    private let leases: CounterFamily
    private let leasedCalls: Counter
    private let spentCalls: Counter
    private let expiredLeases: Counter

    init(_ registry: MetricsRegistry) {
        requests = registry.counter(
            "farebox_payments_requests_total", "Requests, by what was asked for and the status of the answer.",
            labels: ["endpoint", "code"])
        queries = registry.counter(
            "farebox_payments_spsp_queries_total", "SPSP queries, by what became of them.", labels: ["outcome"])
        querySeconds = registry.histogram(
            "farebox_payments_spsp_query_seconds", "Time to answer an SPSP query.", buckets: Histogram.requestSeconds
        ).labels()
        wallets = registry.counter(
            "farebox_payments_wallet_queries_total", "Queries to wallets, by what became of them.", labels: ["outcome"])
        walletSeconds = registry.histogram(
            "farebox_payments_wallet_query_seconds", "Time that wallets took.", buckets: Histogram.requestSeconds
        ).labels()
        receipts = registry.counter(
            "farebox_payments_receipts_total", "Receipts handed in, by what became of them.", labels: ["outcome"])
        credited = registry.counter(
            "farebox_payments_credited_units_total", "Money credited to functions, in units of the asset.",
            labels: ["asset"])
        leases = registry.counter(
            "farebox_payments_leases_total", "Leases of calls, by what became of them.", labels: ["outcome"])
        leasedCalls = registry.counter("farebox_payments_leased_calls_total", "Calls that were leased.").labels()
        spentCalls = registry.counter("farebox_payments_spent_calls_total", "Calls that leases reported as used.")
            .labels()
        expiredLeases = registry.counter(
            "farebox_payments_expired_leases_total", "Leases that ended unsettled and count as used."
        ).labels()
    }

    func request(_ endpoint: String, _ status: HTTPStatus) {
        requests.labels(endpoint, String(status.code)).increment()
    }

    func query(_ outcome: String, _ begun: ContinuousClock.Instant) {
        queries.labels(outcome).increment()
        querySeconds.observe(begun.duration(to: .now))
    }

    func wallet(_ outcome: String, _ begun: ContinuousClock.Instant) {
        wallets.labels(outcome).increment()
        walletSeconds.observe(begun.duration(to: .now))
    }

    func receipt(_ outcome: ReceiptOutcome) {
        switch outcome {
        case .credited(let credit):
            receipts.labels(credit.isCredited ? "credited" : "author").increment()
            if credit.isCredited { credited.labels("\(credit.connection.asset)").increment(by: credit.amount) }
        case .refused(let error): receipts.labels(error.contractText).increment()
        case .busy: receipts.labels("busy").increment()
        case .unavailable: receipts.labels("unavailable").increment()
        }
    }

    func leased(_ calls: UInt64) {
        leases.labels("leased").increment()
        leasedCalls.increment(by: calls)
    }

    func spent(_ calls: UInt64) { spentCalls.increment(by: calls) }

    func leaseRefused(_ outcome: String) { leases.labels(outcome).increment() }

    func expired(_ count: Int) { expiredLeases.increment(by: UInt64(clamping: count)) }
}
