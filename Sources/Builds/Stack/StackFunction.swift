public import CRDs

/// One function of a stack file, with everything that Farebox acts on.
public struct StackFunction: Sendable, Hashable {
    /// Its name inside its owner: a DNS label.
    public var name: String
    /// How it is built; so far always `dockerfile`.
    public var runtime: String
    /// The folder with its code, from the repository's root; empty for the root itself.
    public var handler: String
    /// The image's name as written; its last part becomes part of the pushed name.
    public var image: String
    /// The program that the runtime's watchdog starts; the runtime's own when nil.
    public var process: String?
    /// Arguments for the Dockerfile.
    public var buildArguments: [String: String] = [:]
    /// Choices among those the runtime offers.
    public var buildOptions: [String] = []
    /// Files and folders of the repository that go beside the handler's, from the repository's root.
    public var extraPaths: [String] = []
    /// Options for the templates of a FaaSO runtime.
    public var options: [String: RuntimeOption] = [:]
    /// Plain variables.
    public var environment: [String: String] = [:]
    /// Secrets as the stack names them: without the owner in front.
    public var secrets: [String] = []
    /// Labels for the pods, as far as they are allowed.
    public var labels: [String: String] = [:]
    /// Annotations for the pods, as far as they are allowed.
    public var annotations: [String: String] = [:]
    /// Requests and limits.
    public var resources: FunctionResources?
    /// How to see that it works.
    public var health: FunctionHealth?
    /// The port it listens on; the usual one when nil.
    public var port: Int32?
    /// Whether the root file system is read-only; the cluster's default when nil.
    public var readOnlyRootFilesystem: Bool?

    /// Makes a function.
    public init(name: String, runtime: String, handler: String, image: String) {
        self.name = name
        self.runtime = runtime
        self.handler = handler
        self.image = image
    }

    /// The annotation with the path that tells whether a function works.
    public static let healthPathAnnotation = "com.openfaas.health.http.path"
    /// The annotation with the wait before that is asked first.
    public static let healthDelayAnnotation = "com.openfaas.health.http.initialDelay"

    /// What a Function object of it says.
    ///
    /// - Parameters:
    ///   - owner: Its owner: secrets belong to owners, so their names begin with the owner's.
    ///   - image: The image, pinned by digest.
    ///   - source: Where it came from.
    public func specification(owner: OwnerName, image: String, source: FunctionSource) -> FunctionSpec {
        var spec = FunctionSpec(image: image)
        spec.source = source
        spec.environment = environment
        if let process { spec.environment["fprocess"] = process }
        spec.secrets = secrets.map { owner.lowercased + "-" + $0 }
        spec.resources = resources
        spec.labels = labels
        spec.annotations = annotations
        spec.readOnlyRootFilesystem = readOnlyRootFilesystem
        spec.health = health
        spec.port = port
        if annotations[Self.healthPathAnnotation] != nil || annotations[Self.healthDelayAnnotation] != nil {
            spec.health = FunctionHealth(
                path: annotations[Self.healthPathAnnotation], initialDelay: annotations[Self.healthDelayAnnotation])
        }
        return spec
    }
}
