import Synchronization

/// All series of one metric name, told apart by the values of its labels.
///
/// Their number is bounded, so that no caller can fill the memory by making up label values: beyond the bound, further
/// values share one series whose labels are all `other`.
public final class MetricFamily<Metric: AnyObject & Sendable>: Sendable {
    /// The longest label value in bytes; what is longer is cut.
    static var labelValueBytesMaximum: Int { 256 }

    let name: String
    let help: String
    let labelNames: [String]
    let seriesMaximum: Int
    private let make: @Sendable () -> Metric
    private let series = Mutex<[[String]: Metric]>([:])

    init(
        name: String, help: String, labelNames: [String], seriesMaximum: Int, make: @escaping @Sendable () -> Metric
    ) {
        self.name = name
        self.help = help
        self.labelNames = labelNames
        self.seriesMaximum = seriesMaximum
        self.make = make
    }

    /// The series with these label values, made at the first call.
    ///
    /// Keep it: this takes a lock.
    ///
    /// - Parameter values: As many as the family has labels, in their order.
    /// - Returns: The series; the shared one when the family is full.
    public func labels(_ values: String...) -> Metric {
        precondition(values.count == labelNames.count, "\(name) has \(labelNames.count) labels")
        let values = values.map(Self.cut)
        return series.withLock { series in
            if let existing = series[values] { return existing }
            let key = series.count < seriesMaximum ? values : labelNames.map { _ in "other" }
            if let existing = series[key] { return existing }
            let metric = make()
            series[key] = metric
            return metric
        }
    }

    /// Forgets the series with these label values, when what they name is gone.
    ///
    /// Whoever still holds the series may go on counting, but it is no longer shown.
    ///
    /// - Parameter values: As many as the family has labels, in their order.
    public func remove(_ values: String...) {
        precondition(values.count == labelNames.count, "\(name) has \(labelNames.count) labels")
        let values = values.map(Self.cut)
        series.withLock { $0[values] = nil }
    }

    /// All series in the order of their label values.
    func sortedSeries() -> [(labelValues: [String], metric: Metric)] {
        series.withLock { series in series.map { ($0.key, $0.value) } }
            .sorted { $0.0.lexicographicallyPrecedes($1.0) }
    }

    private static func cut(_ value: String) -> String {
        guard value.utf8.count > labelValueBytesMaximum else { return value }
        return String(decoding: value.utf8.prefix(labelValueBytesMaximum), as: UTF8.self)
    }
}

/// The series of a counter.
public typealias CounterFamily = MetricFamily<Counter>

/// The series of a gauge.
public typealias GaugeFamily = MetricFamily<Gauge>

/// The series of a histogram.
public typealias HistogramFamily = MetricFamily<Histogram>
