import CRDs
import Timing
import YAML

/// OpenFaaS' labels about the number of replicas: `com.openfaas.scale.min`, `max`, `zero`, `zero-duration` and `target`.
struct ScaleLabels {
    /// A label that does nothing, and why.
    struct Note {
        let name: String
        let location: YAMLLocation
        let reason: String
    }

    /// The labels' mapping.
    let fields: AuthorFields
    let labels: [String: String]
    private(set) var ignored: [Note] = []

    init(fields: AuthorFields, labels: [String: String]) {
        self.fields = fields
        self.labels = labels
    }

    private static let prefix = "com.openfaas.scale."

    /// Whether a label is about scaling.
    static func isOne(_ key: String) -> Bool { key.hasPrefix(prefix) }

    /// What the labels say; nil when they say nothing.
    ///
    /// - Throws: ``BuildFailure`` with `StackInvalid` for values that mean nothing.
    mutating func scale(replicasMaximum: Int32) throws(BuildFailure) -> FunctionScale? {
        var scale = FunctionScale()
        scale.min = try number("min", in: 0...replicasMaximum)
        scale.max = try number("max", in: 1...replicasMaximum)
        let goesToZero = try goesToZero()
        if goesToZero == true {
            // OpenFaaS' least number is 1, and going to zero is apart from it; here 0 is the least number.
            if (scale.min ?? 1) <= 1 {
                scale.min = 0
            } else {
                note("zero", "com.openfaas.scale.min keeps \(scale.min ?? 1) replicas running")
            }
        }
        if let text = value("zero-duration") {
            guard let duration = Duration(goStyle: text), FunctionLimits.idleAfter.contains(duration) else {
                throw invalid("zero-duration", "must be a span of time from 10s to 168h, such as 15m")
            }
            if goesToZero == true, scale.min == 0 {
                scale.idleAfter = text
            } else {
                note("zero-duration", "com.openfaas.scale.zero is not true")
            }
        }
        let kind = value("type")
        if kind == nil || kind == "capacity" {
            scale.targetConcurrency = try number("target", in: 1...10_000)
        } else if value("target") != nil {
            note("target", "only scaling of type capacity is known")
        }
        for key in labels.keys.sorted() where Self.isOne(key) {
            let name = String(key.dropFirst(Self.prefix.count))
            guard !["min", "max", "zero", "zero-duration", "target"].contains(name) else { continue }
            if name != "type" || kind != "capacity" { note(name, "nothing acts on it") }
        }
        return scale == FunctionScale() ? nil : scale
    }

    private func value(_ name: String) -> String? { labels[Self.prefix + name] }

    private func goesToZero() throws(BuildFailure) -> Bool? {
        switch value("zero")?.lowercased() {
        case nil: nil
        case "true", "1", "t": true
        case "false", "0", "f": false
        default: throw invalid("zero", "must be true or false")
        }
    }

    private func number(_ name: String, in range: ClosedRange<Int32>) throws(BuildFailure) -> Int32? {
        guard let text = value(name) else { return nil }
        guard let number = Int32(text), range.contains(number) else {
            throw invalid(name, "must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private mutating func note(_ name: String, _ reason: String) {
        let key = Self.prefix + name
        ignored.append(Note(name: fields.name(key), location: fields.location(key), reason: reason))
    }

    private func invalid(_ name: String, _ message: String) -> BuildFailure {
        fields.invalid(Self.prefix + name, "\(fields.name(Self.prefix + name)) \(message)")
    }
}
