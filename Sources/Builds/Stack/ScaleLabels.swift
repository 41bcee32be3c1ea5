public import CRDs
import Timing

/// OpenFaaS' labels about the number of replicas: `com.openfaas.scale.min`, `max`, `zero`, `zero-duration`, `target`,
/// `target-proportion` and `down.window`.
public struct ScaleLabels: Sendable {
    /// A label that does nothing, and why.
    public struct Note: Sendable, Hashable {
        /// The label's key.
        public let key: String
        /// Why, in a few words.
        public let reason: String
    }

    /// A label whose value means nothing.
    public struct Invalid: Error, Sendable, Hashable {
        /// The label's key.
        public let key: String
        /// What it must be, to be read behind the key.
        public let message: String
    }

    let labels: [String: String]
    /// The labels that do nothing; complete when ``scale(replicasMaximum:)`` has read them.
    public private(set) var ignored: [Note] = []

    /// Reads these labels, among which there may be any others.
    public init(_ labels: [String: String]) { self.labels = labels }

    private static let prefix = "com.openfaas.scale."

    /// Whether a label is about scaling.
    public static func isOne(_ key: String) -> Bool { key.hasPrefix(prefix) }

    /// What the labels say; nil when they say nothing.
    ///
    /// - Parameter replicasMaximum: The greatest number that may be asked for.
    /// - Throws: ``Invalid`` for values that mean nothing.
    public mutating func scale(replicasMaximum: Int32) throws(Invalid) -> FunctionScale? {
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
        try readIdleTime(goesToZero == true && scale.min == 0, into: &scale)
        try readTarget(into: &scale)
        if scale.targetConcurrency != nil, scale.max == nil, replicasMaximum < FunctionScale.maxDefault {
            scale.max = replicasMaximum
        }
        for key in labels.keys.sorted() where Self.isOne(key) {
            let name = String(key.dropFirst(Self.prefix.count))
            guard !Self.known.contains(name) else { continue }
            if name != "type" || value("type") != "capacity" { note(name, "nothing acts on it") }
        }
        return scale == FunctionScale() ? nil : scale
    }

    /// The labels by which ``scale(replicasMaximum:)`` reads this; a waiting page has none.
    public static func labels(of scale: FunctionScale) -> [String: String] {
        var values: [String: String] = [:]
        if let idleAfter = scale.idleAfter {
            values["zero"] = "true"
            values["zero-duration"] = idleAfter
        } else {
            values["min"] = scale.min.map { "\($0)" }
        }
        values["max"] = scale.max.map { "\($0)" }
        if let target = scale.targetConcurrency {
            values["type"] = "capacity"
            values["target"] = "\(target)"
            values["target-proportion"] = "1"
            values["down.window"] = scale.downAfter
        }
        return Dictionary(uniqueKeysWithValues: values.map { (prefix + $0.key, $0.value) })
    }

    private static let known: Set = [
        "min", "max", "zero", "zero-duration", "target", "target-proportion", "down.window",
    ]

    /// OpenFaaS' time without a call.
    private static let idleAfterDefault = "15m"

    /// Reads after which time without a call the function goes to zero.
    private mutating func readIdleTime(_ goesToZero: Bool, into scale: inout FunctionScale) throws(Invalid) {
        if let text = value("zero-duration") {
            guard Duration(goStyle: text).map(FunctionLimits.idleAfter.contains) == true else {
                throw invalid("zero-duration", "must be a span of time from 10s to 168h, such as 15m")
            }
            if !goesToZero { note("zero-duration", "com.openfaas.scale.zero is not true") }
        }
        if goesToZero { scale.idleAfter = value("zero-duration") ?? Self.idleAfterDefault }
    }

    /// Reads how many calls at once a replica should have, and how slowly some are taken away.
    ///
    /// OpenFaaS scales to a share of its target, 0.9 where none is named.
    private mutating func readTarget(into scale: inout FunctionScale) throws(Invalid) {
        let target = try number("target", in: 1...10_000)
        let proportion = try proportion()
        let window = value("down.window")
        if let window, Duration(goStyle: window).map(FunctionLimits.downAfter.contains) != true {
            throw invalid("down.window", "must be a span of time up to 1h, such as 5m")
        }
        let kind = value("type")
        guard let target, kind == nil || kind == "capacity" else {
            if target != nil { note("target", "only scaling of type capacity is known") }
            for name in ["target-proportion", "down.window"] where value(name) != nil {
                note(name, "no com.openfaas.scale.target of type capacity is set")
            }
            return
        }
        scale.targetConcurrency = max(1, Int32((Double(target) * proportion).rounded(.down)))
        scale.downAfter = window
    }

    private func proportion() throws(Invalid) -> Double {
        guard let text = value("target-proportion") else { return 0.9 }
        guard let proportion = Double(text), proportion > 0, proportion <= 1 else {
            throw invalid("target-proportion", "must be a number above 0 and up to 1, such as 0.9")
        }
        return proportion
    }

    private func value(_ name: String) -> String? { labels[Self.prefix + name] }

    private func goesToZero() throws(Invalid) -> Bool? {
        switch value("zero")?.lowercased() {
        case nil: nil
        case "true", "1", "t": true
        case "false", "0", "f": false
        default: throw invalid("zero", "must be true or false")
        }
    }

    private func number(_ name: String, in range: ClosedRange<Int32>) throws(Invalid) -> Int32? {
        guard let text = value(name) else { return nil }
        guard let number = Int32(text), range.contains(number) else {
            throw invalid(name, "must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private mutating func note(_ name: String, _ reason: String) {
        ignored.append(Note(key: Self.prefix + name, reason: reason))
    }

    private func invalid(_ name: String, _ message: String) -> Invalid {
        Invalid(key: Self.prefix + name, message: message)
    }
}
