public import KubernetesTypes

/// Adds up what all gateways report, round after round, as a value.
///
/// It remembers one report of each gateway: the mean number of calls at once is what the sum of their times grew by. A
/// gateway that is new, or started anew, counts with the calls that are under way.
public struct LoadBook: Sendable {
    private struct Page {
        let uptimeSeconds: Double
        let busySeconds: [ObjectKey: Double]
    }

    private var pages: [String: Page] = [:]

    /// Makes a book in which nothing is written.
    public init() {}

    /// Takes the reports of one round.
    ///
    /// - Parameters:
    ///   - reports: One of each gateway that answered.
    ///   - isComplete: Whether every gateway did, and there is one at least.
    public mutating func take(_ reports: [LoadReport], isComplete: Bool) -> LoadTotals {
        var totals = LoadTotals(isComplete: isComplete && !reports.isEmpty)
        var written: [String: Page] = [:]
        for report in reports {
            let before = pages[report.gateway]
            let elapsed = before.map { report.uptimeSeconds - $0.uptimeSeconds } ?? 0
            var busy: [ObjectKey: Double] = [:]
            for load in report.functions {
                busy[load.key] = load.busySeconds
                let grown = load.busySeconds - (before?.busySeconds[load.key] ?? 0)
                let mean = elapsed > 0 ? max(0, grown) / elapsed : Double(max(0, load.inFlight))
                totals.add(load, mean: mean)
            }
            written[report.gateway] = Page(uptimeSeconds: report.uptimeSeconds, busySeconds: busy)
            totals.addUptime(report.uptimeSeconds)
        }
        pages = written
        return totals
    }
}

/// The load of all functions during one round, all gateways together.
public struct LoadTotals: Sendable {
    /// Whether all gateways were heard: what they have not told is nothing then.
    public let isComplete: Bool
    private var samples: [ObjectKey: LoadSample] = [:]
    /// Of all gateways' the shortest: nobody knows what was before.
    private var uptime: Duration?

    init(isComplete: Bool) {
        self.isComplete = isComplete
    }

    /// The load of one function.
    public subscript(key: ObjectKey) -> LoadSample {
        var sample = samples[key] ?? LoadSample(concurrency: 0, inFlight: 0, idle: uptime, isComplete: false)
        // A gateway that lists no call of it has had none as long as it runs.
        sample.idle = [sample.idle, uptime].compactMap { $0 }.min()
        sample.isComplete = isComplete
        return sample
    }

    mutating func add(_ load: FunctionLoad, mean: Double) {
        var sample = samples[load.key] ?? LoadSample(concurrency: 0, inFlight: 0, idle: nil, isComplete: false)
        sample.concurrency += mean
        let (sum, overflow) = sample.inFlight.addingReportingOverflow(max(0, load.inFlight))
        sample.inFlight = overflow ? .max : sum
        let idle = Self.duration(load.idleSeconds)
        sample.idle = sample.idle.map { min($0, idle) } ?? idle
        samples[load.key] = sample
    }

    mutating func addUptime(_ seconds: Double) {
        let given = Self.duration(seconds)
        uptime = uptime.map { min($0, given) } ?? given
    }

    /// What another process says may be any number.
    private static func duration(_ seconds: Double) -> Duration {
        .seconds(min(max(seconds.isNaN ? 0 : seconds, 0), 1e9))
    }
}

/// The load of one function during one round.
public struct LoadSample: Sendable, Equatable {
    /// The mean number of calls at once.
    public var concurrency: Double
    /// Calls under way at the end.
    public var inFlight: Int
    /// How long no call has been under way anywhere; `nil` when no gateway was heard.
    public var idle: Duration?
    /// Whether all gateways were heard.
    public var isComplete: Bool

    /// Makes a sample.
    public init(concurrency: Double, inFlight: Int, idle: Duration?, isComplete: Bool) {
        self.concurrency = concurrency
        self.inFlight = inFlight
        self.idle = idle
        self.isComplete = isComplete
    }
}
