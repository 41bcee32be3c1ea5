public import CRDs

/// One function of a stack file or a `funko.yml`, with everything that Farebox acts on.
public struct StackFunction: Sendable, Hashable {
    /// Its name inside its owner: a DNS label.
    public var name: String
    /// How it is built: `dockerfile` or the name of a runtime; empty when nothing is built.
    public var runtime: String
    /// The folder with its code, from the repository's root; empty for the root itself.
    public var handler: String
    /// The image's name as written, of which the last part goes into the pushed name; with ``skipsBuild`` what runs.
    public var image: String
    /// The program that the runtime's watchdog starts; the runtime's own when nil.
    public var process: String?
    /// Arguments for the Dockerfile.
    public var buildArguments: [String: String] = [:]
    /// Choices among those the runtime offers.
    public var buildOptions: [String] = []
    /// Files and folders of the repository that go beside the handler's, from the repository's root.
    public var extraPaths: [String] = []
    /// Whether the image is there already and only has to run.
    public var skipsBuild = false
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
    /// How far the number of replicas may go.
    public var scale: FunctionScale?
    /// How to see that it works.
    public var health: FunctionHealth?
    /// How calls of it are tried again that nobody waits for.
    public var async: FunctionAsync?
    /// The port it listens on; the usual one when nil.
    public var port: Int32?
    /// Where its author wants to be paid.
    public var paymentPointer: String?
    /// Whether the root file system is read-only; the cluster's default when nil.
    public var readOnlyRootFilesystem: Bool?

    /// Makes a function.
    public init(name: String, runtime: String, handler: String, image: String) {
        self.name = name
        self.runtime = runtime
        self.handler = handler
        self.image = image
    }

    /// The variable by which a watchdog learns what to start.
    public static let processVariable = "fprocess"
    /// The annotation that names where a function's author wants to be paid.
    public static let paymentPointerAnnotation = "interledger.org/payment-pointer"

    /// What a Function object of it says.
    ///
    /// - Parameters:
    ///   - owner: Its owner: secrets belong to owners, so their names begin with the owner's; nil for a function that
    ///     somebody deploys by hand, who names Secrets as they are.
    ///   - image: The image, pinned by digest.
    ///   - source: Where it came from.
    public func specification(owner: OwnerName?, image: String, source: FunctionSource) -> FunctionSpec {
        var spec = FunctionSpec(image: image)
        spec.source = source
        spec.environment = environment
        if let process { spec.environment[Self.processVariable] = process }
        spec.secrets = secrets.map { secret in owner.map { $0.lowercased + "-" + secret } ?? secret }
        spec.resources = resources
        spec.labels = labels
        spec.annotations = annotations
        spec.readOnlyRootFilesystem = readOnlyRootFilesystem
        spec.scale = scale
        spec.health = health
        spec.async = async
        spec.port = port
        spec.payment = paymentPointer.map { FunctionPayment(paymentPointer: $0) }
        return spec
    }
}
