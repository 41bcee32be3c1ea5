public import CRDs
import Timing

/// OpenFaaS' annotations about trying again calls that nobody waits for.
public enum RetryAnnotations {
    static let attempts = "com.openfaas.retry.attempts"
    static let statuses = "com.openfaas.retry.codes"
    static let minimum = "com.openfaas.retry.min_wait"
    static let maximum = "com.openfaas.retry.max_wait"

    /// An annotation whose value means nothing.
    public struct Invalid: Error, Sendable, Hashable {
        /// The annotation's key.
        public let key: String
        /// What it must be, to be read behind the key.
        public let message: String
    }

    /// Whether an annotation becomes a field of the Function.
    public static func isOne(_ key: String) -> Bool { [attempts, statuses, minimum, maximum].contains(key) }

    /// The annotations by which ``calls(_:)`` reads this; how many run at once has none.
    public static func annotations(of calls: FunctionAsync) -> [String: String] {
        var annotations: [String: String] = [:]
        annotations[attempts] = calls.attempts.map { "\($0)" }
        annotations[statuses] = calls.retryStatuses.map { $0.map { "\($0)" }.joined(separator: ",") }
        annotations[minimum] = calls.retryMinimum
        annotations[maximum] = calls.retryMaximum
        return annotations
    }

    /// How calls are tried again; nil when no annotation says anything about it.
    ///
    /// - Throws: ``Invalid`` for a number that is none; bounds are the Function's rules.
    public static func calls(_ annotations: [String: String]) throws(Invalid) -> FunctionAsync? {
        guard annotations.keys.contains(where: isOne) else { return nil }
        var calls = FunctionAsync(retryMinimum: annotations[minimum], retryMaximum: annotations[maximum])
        if let text = annotations[attempts] {
            guard let number = Int32(text) else { throw Invalid(key: attempts, message: "must be a whole number") }
            calls.attempts = number
        }
        if let text = annotations[statuses] {
            let words = text.split(separator: ",").map { $0.trimmingPrefix { $0 == " " }.prefix { $0 != " " } }
            let numbers = words.compactMap { Int32($0) }
            guard numbers.count == words.count, !numbers.isEmpty else {
                throw Invalid(key: statuses, message: "must be statuses with commas between, such as 429,503")
            }
            calls.retryStatuses = Set(numbers).sorted()
        }
        return calls
    }
}
