import Synchronization

/// All metrics of a process, and their text for Prometheus.
///
/// Asking for a name again gives the same family. Names and labels are constants of our code, so a malformed one, or one
/// name with two shapes, stops the program.
public final class MetricsRegistry: Sendable {
    /// What `Content-Type` to send ``render()`` with.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private let families = Mutex<[String: RegisteredFamily]>([:])

    /// Makes an empty registry.
    public init() {}

    /// The counter with this name.
    ///
    /// - Parameters:
    ///   - name: Ends in `_total`, by Prometheus's rules.
    ///   - help: One sentence for people.
    ///   - labels: Names of its labels; none by default.
    ///   - seriesMaximum: How many series it may have before further ones are counted together.
    /// - Returns: Its family.
    public func counter(
        _ name: String, _ help: String, labels: [String] = [], seriesMaximum: Int = 2000
    ) -> CounterFamily {
        family(name, help, labels, seriesMaximum, wrap: RegisteredFamily.counter) {
            Counter()
        } unwrap: {
            if case .counter(let family) = $0 { family } else { nil }
        }
    }

    /// The gauge with this name.
    ///
    /// - Parameters:
    ///   - name: Ends in its unit.
    ///   - help: One sentence for people.
    ///   - labels: Names of its labels; none by default.
    ///   - seriesMaximum: How many series it may have before further ones share one.
    /// - Returns: Its family.
    public func gauge(
        _ name: String, _ help: String, labels: [String] = [], seriesMaximum: Int = 2000
    ) -> GaugeFamily {
        family(name, help, labels, seriesMaximum, wrap: RegisteredFamily.gauge) {
            Gauge()
        } unwrap: {
            if case .gauge(let family) = $0 { family } else { nil }
        }
    }

    /// The histogram with this name.
    ///
    /// - Parameters:
    ///   - name: Ends in its unit.
    ///   - help: One sentence for people.
    ///   - labels: Names of its labels; none by default, never `le`.
    ///   - buckets: Upper bounds in ascending order, without infinity.
    ///   - seriesMaximum: How many series it may have before further ones are counted together.
    /// - Returns: Its family.
    public func histogram(
        _ name: String, _ help: String, labels: [String] = [], buckets: [Double] = Histogram.requestSeconds,
        seriesMaximum: Int = 500
    ) -> HistogramFamily {
        precondition(zip(buckets, buckets.dropFirst()).allSatisfy { $0 < $1 }, "buckets of \(name) must ascend")
        precondition(buckets.allSatisfy(\.isFinite) && !labels.contains("le"), "infinity and le are the registry's")
        return family(name, help, labels, seriesMaximum, wrap: RegisteredFamily.histogram) {
            Histogram(upperBounds: buckets)
        } unwrap: {
            if case .histogram(let family) = $0 { family } else { nil }
        }
    }

    /// Shows a number that something else keeps, read at each ``render()``.
    ///
    /// - Parameters:
    ///   - name: The metric's name; a second registration replaces the first.
    ///   - help: One sentence for people.
    ///   - isCounter: Whether the number only grows.
    ///   - read: Gives the number, or nil to leave it out this time. Runs on the thread that renders.
    public func observe(
        _ name: String, _ help: String, isCounter: Bool = false, read: @escaping @Sendable () -> Double?
    ) {
        Self.check(name, [])
        families.withLock { $0[name] = .reading(help: help, isCounter: isCounter, read: read) }
    }

    /// Shows numbers that something else keeps, one for each value of a label, read at each ``render()``.
    ///
    /// For what is many and seldom looked at: no series takes memory or time between two looks.
    ///
    /// - Parameters:
    ///   - name: The metric's name; a second registration replaces the first.
    ///   - help: One sentence for people.
    ///   - label: The name of the label.
    ///   - read: Gives the numbers by the label's values. Runs on the thread that renders.
    public func observe(
        _ name: String, _ help: String, label: String, read: @escaping @Sendable () -> [String: Double]
    ) {
        Self.check(name, [label])
        families.withLock { $0[name] = .readings(help: help, label: label, read: read) }
    }

    /// All metrics in Prometheus's text format 0.0.4, sorted by name and labels.
    ///
    /// - Returns: The text in UTF-8, to be sent as ``contentType``.
    public func render() -> [UInt8] {
        let families = families.withLock { $0 }.sorted { $0.key < $1.key }
        var text = MetricsText()
        for (name, family) in families { text.append(family, named: name) }
        return text.bytes
    }

    private func family<Metric>(
        _ name: String, _ help: String, _ labels: [String], _ seriesMaximum: Int,
        wrap: (MetricFamily<Metric>) -> RegisteredFamily, make: @escaping @Sendable () -> Metric,
        unwrap: (RegisteredFamily) -> MetricFamily<Metric>?
    ) -> MetricFamily<Metric> {
        Self.check(name, labels)
        return families.withLock { families in
            if let registered = families[name] {
                let existing = unwrap(registered)
                precondition(existing?.labelNames == labels, "\(name) is registered with another shape")
                if let existing { return existing }
            }
            let family = MetricFamily(
                name: name, help: help, labelNames: labels, seriesMaximum: seriesMaximum, make: make)
            families[name] = wrap(family)
            return family
        }
    }

    private static func check(_ name: String, _ labels: [String]) {
        precondition(isName(name, allowingColon: true), "\(name) is no metric name")
        for label in labels {
            precondition(isName(label, allowingColon: false) && !label.hasPrefix("__"), "\(label) is no label name")
        }
    }

    private static func isName(_ name: String, allowingColon: Bool) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { unit in
            switch unit {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: unit == UInt8(ascii: ":") && allowingColon
            }
        }
    }
}

/// A family of any kind.
enum RegisteredFamily: Sendable {
    case counter(CounterFamily)
    case gauge(GaugeFamily)
    case histogram(HistogramFamily)
    case reading(help: String, isCounter: Bool, read: @Sendable () -> Double?)
    case readings(help: String, label: String, read: @Sendable () -> [String: Double])
}
