/// What a stack file may set, as the cluster's configuration has it.
public struct StackRules: Sendable, Hashable {
    /// Keys of labels that functions may have; a `*` at the end stands for any rest.
    public var allowedLabels: [String]
    /// Keys of annotations that functions may have; a `*` at the end stands for any rest.
    public var allowedAnnotations: [String]
    /// A stack may hold this many functions.
    public var functionsMaximum = 50
    /// A stack file may not be larger.
    public var fileBytesMaximum = 256 << 10

    /// Makes rules.
    public init(
        allowedLabels: [String] = [],
        allowedAnnotations: [String] = [
            "topic", "schedule", StackFunction.healthPathAnnotation, StackFunction.healthDelayAnnotation,
            "interledger.org/payment-pointer",
        ]
    ) {
        self.allowedLabels = allowedLabels
        self.allowedAnnotations = allowedAnnotations
    }

    func allowsLabel(_ key: String) -> Bool { allowedLabels.contains { Self.matches(key, $0) } }

    func allowsAnnotation(_ key: String) -> Bool { allowedAnnotations.contains { Self.matches(key, $0) } }

    private static func matches(_ key: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? key.hasPrefix(pattern.dropLast()) : key == pattern
    }
}
