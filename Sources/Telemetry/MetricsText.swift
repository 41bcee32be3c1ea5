/// Prometheus's text format 0.0.4 while it grows (prometheus.io, "Exposition formats").
struct MetricsText {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ family: RegisteredFamily, named name: String) {
        switch family {
        case .counter(let family):
            head(name, family.help, "counter")
            for (values, counter) in family.sortedSeries() {
                sample(name, family.labelNames, values, String(counter.value))
            }
        case .gauge(let family):
            head(name, family.help, "gauge")
            for (values, gauge) in family.sortedSeries() {
                sample(name, family.labelNames, values, Self.number(gauge.value))
            }
        case .histogram(let family):
            head(name, family.help, "histogram")
            for (values, histogram) in family.sortedSeries() { append(histogram, of: family, values) }
        case .reading(let help, let isCounter, let read):
            guard let value = read() else { return }
            head(name, help, isCounter ? "counter" : "gauge")
            sample(name, [], [], Self.number(value))
        case .readings(let help, let label, let read):
            head(name, help, "gauge")
            for (value, number) in read().sorted(by: { $0.key < $1.key }) {
                sample(name, [label], [value], Self.number(number))
            }
        }
    }

    private mutating func append(_ histogram: Histogram, of family: HistogramFamily, _ values: [String]) {
        let counts = histogram.cumulativeCounts
        let bounds = histogram.upperBounds + [.infinity]
        for (bound, count) in zip(bounds, counts) {
            sample(
                family.name + "_bucket", family.labelNames + ["le"], values + [Self.number(bound)], String(count))
        }
        sample(family.name + "_sum", family.labelNames, values, Self.number(histogram.sum))
        sample(family.name + "_count", family.labelNames, values, String(counts.last ?? 0))
    }

    private mutating func head(_ name: String, _ help: String, _ type: String) {
        append("# HELP \(name) ")
        append(help, escapingQuotes: false)
        append("\n# TYPE \(name) \(type)\n")
    }

    private mutating func sample(_ name: String, _ labels: [String], _ values: [String], _ number: String) {
        append(name)
        for (index, (label, value)) in zip(labels, values).enumerated() {
            append(index == 0 ? "{" : ",")
            append(label)
            append("=\"")
            append(value, escapingQuotes: true)
            append("\"")
        }
        append(labels.isEmpty ? " " : "} ")
        append(number)
        append("\n")
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func append(_ text: String, escapingQuotes: Bool) {
        for unit in text.utf8 {
            switch unit {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\"") where escapingQuotes: append("\\\"")
            default: bytes.append(unit)
            }
        }
    }

    /// A number as Prometheus writes it: `1`, `0.25`, `1e+20`, `+Inf`, `NaN`.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if abs(value) < 1e15, let whole = Int64(exactly: value) { return String(whole) }
        return value.description
    }
}
