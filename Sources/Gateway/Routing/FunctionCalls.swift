import Glibc
import HTTP
import Synchronization
import Telemetry

/// The calls of one function: how many are under way, and what became of the others.
final class FunctionCalls: Sendable {
    private let inFlight = Atomic<Int>(0)
    let label: String
    private let metrics: GatewayMetrics
    /// Made with the first call: most of many functions sleep, and a histogram is a kilobyte.
    private let seconds = AtomicLazyReference<Histogram>()
    private let past = Mutex(Past())
    private let newest = Mutex<Route?>(nil)

    private struct Past {
        /// Found once per status, since finding a counter by its labels takes longer than everything else here.
        var counters: [(status: Int, counter: Counter)] = []
        /// Made with the first call.
        var history: CallHistory?
    }

    /// Starts to count for the function with this label, `<name>.<namespace>`.
    init(label: String, metrics: GatewayMetrics) {
        self.label = label
        self.metrics = metrics
    }

    /// Calls under way.
    var underWay: Int { inFlight.load(ordering: .relaxed) }

    /// The way to the function as it is now, for calls that began when it was another.
    var route: Route? {
        get { newest.withLock { $0 } }
        set { newest.withLock { $0 = newValue } }
    }

    /// Admits one call unless `maximum` are under way; an admitted one ends with `ended`.
    func begin(maximum: Int?) -> Bool {
        let before = inFlight.add(1, ordering: .relaxed).oldValue
        if let maximum, before >= maximum {
            inFlight.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    /// Counts an admitted call that is over.
    func ended(_ outcome: ProxyOutcome) {
        inFlight.subtract(1, ordering: .relaxed)
        count(status: outcome.status)
        histogram.observe(Double(outcome.nanoseconds) / 1e9)
        if outcome.waitedNanoseconds > 0 {
            metrics.coldQueue.observe(Double(outcome.waitedNanoseconds) / 1e9)
            if outcome.firstByteNanoseconds > 0 {
                metrics.coldFirstByte.observe(Double(outcome.firstByteNanoseconds) / 1e9)
            }
        }
        if outcome.attempts > 1 {
            metrics.retries.increment(by: UInt64(outcome.attempts - 1))
        }
        if outcome.ejections > 0 {
            metrics.ejections.increment(by: UInt64(outcome.ejections))
        }
        switch outcome.cause {
        case .answered: break
        case .noEndpoint: metrics.noEndpoint.increment()
        case .allBusy: metrics.tooMany.increment()
        case .connectFailed: metrics.connectFailed.increment()
        case .upstreamFailed: metrics.upstreamFailed.increment()
        case .timedOut: metrics.timedOut.increment()
        case .clientLeft: metrics.clientLeft.increment()
        }
    }

    /// Counts a call that was answered without the function.
    func count(status: Int) {
        let minute = Self.minute
        let found = past.withLock { past in
            var history = past.history.take() ?? CallHistory()
            history.count(status: status, minute: minute)
            past.history = history
            return counter(status, &past)
        }
        found.increment()
    }

    /// All calls, and those of the last minutes; nil when there was none.
    func counts(ofLast minutes: Int) -> (total: CallHistory.Counts, recent: CallHistory.Counts)? {
        past.withLock { past in
            past.history.map { ($0.total, $0.counts(ofLast: minutes, minute: Self.minute)) }
        }
    }

    /// Minutes since the machine started, by a clock that takes no system call and is right to some milliseconds.
    private static var minute: UInt32 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        // Not 0, which is the number of a minute without any call.
        return UInt32(truncatingIfNeeded: time.tv_sec / 60 + 1)
    }

    private var histogram: Histogram {
        seconds.load() ?? seconds.storeIfNil(metrics.seconds.labels(label))
    }

    private func counter(_ status: Int, _ past: inout Past) -> Counter {
        for entry in past.counters where entry.status == status {
            return entry.counter
        }
        let counter = metrics.invocations.labels(label, "\(status)")
        past.counters.append((status, counter))
        return counter
    }

    /// Forgets the function's series; a scrape would carry them for ever otherwise.
    func retire() {
        route = nil
        metrics.seconds.remove(label)
        past.withLock { past in
            for entry in past.counters {
                metrics.invocations.remove(label, "\(entry.status)")
            }
            past = Past()
        }
    }
}
