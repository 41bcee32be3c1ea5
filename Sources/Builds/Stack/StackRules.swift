public import KubernetesTypes

/// What a stack file may set, as the cluster's configuration has it.
public struct StackRules: Sendable, Hashable {
    /// Keys of labels that functions may have; a `*` at the end stands for any rest.
    public var allowedLabels: [String]
    /// Keys of annotations that functions may have; a `*` at the end stands for any rest.
    public var allowedAnnotations: [String]
    /// The runtimes there are, beside ``dockerfileRuntime``.
    public var runtimes: [String] = []
    /// Whether functions may bring a Dockerfile of their own.
    public var allowsDockerfile = true
    /// Images that functions with `skip_build` may name; a `*` at the end stands for any rest.
    public var allowedImages: [String] = []
    /// The greatest CPU request and limit; none when nil.
    public var cpuMaximum: Quantity?
    /// The greatest memory request and limit; none when nil.
    public var memoryMaximum: Quantity?
    /// The greatest number of replicas that a function may ask for.
    public var replicasMaximum: Int32 = 1000
    /// A commit may hold this many functions.
    public var functionsMaximum = 50
    /// A stack file, a `funko.yml` or a `secrets.yml` may not be larger.
    public var fileBytesMaximum = 256 << 10
    /// The functions of a commit may name this many environment files together.
    public var environmentFilesMaximum = 50

    /// Makes rules.
    public init(
        allowedLabels: [String] = [],
        allowedAnnotations: [String] = [
            "topic", "schedule", "com.openfaas.health.*", "com.openfaas.ready.*", "interledger.org/payment-pointer",
        ]
    ) {
        self.allowedLabels = allowedLabels
        self.allowedAnnotations = allowedAnnotations
    }

    /// The runtime of functions with a Dockerfile of their own, in any case of letters.
    public static let dockerfileRuntime = "dockerfile"

    /// What `lang` may be, for a message.
    var knownRuntimes: String {
        let known = (allowsDockerfile ? [Self.dockerfileRuntime] : []) + runtimes.sorted()
        return known.isEmpty ? "none" : known.joined(separator: ", ")
    }

    /// Whether functions may have a label of this key.
    public func allowsLabel(_ key: String) -> Bool { allowedLabels.contains { Self.matches(key, $0) } }

    /// Whether functions may have an annotation of this key.
    public func allowsAnnotation(_ key: String) -> Bool { allowedAnnotations.contains { Self.matches(key, $0) } }

    func allowsImage(_ image: String) -> Bool { allowedImages.contains { Self.matches(image, $0) } }

    private static func matches(_ text: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? text.hasPrefix(pattern.dropLast()) : text == pattern
    }
}
