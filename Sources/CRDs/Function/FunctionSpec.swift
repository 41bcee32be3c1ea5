public import KubernetesTypes

/// What a function should run, and how.
public struct FunctionSpec: Codable, Hashable, Sendable {
    /// The image to run.
    public var image: String
    /// What the image was built from.
    public var source: FunctionSource?
    /// The port the function listens on.
    public var port: Int32?
    /// Plain environment variables.
    @OmitEmpty public var environment: [String: String]
    /// Names of Secrets whose keys the function sees as files.
    @OmitEmpty public var secrets: [String]
    /// What each replica asks for and may use at most.
    public var resources: FunctionResources?
    /// How many replicas should run now.
    public var replicas: Int32?
    /// How far the number of replicas may go.
    public var scale: FunctionScale?
    /// The sandbox; the cluster's default when absent.
    public var runtimeClassName: String?
    /// What the function may connect to.
    public var egress: Egress?
    /// How to see that a replica works.
    public var health: FunctionHealth?
    /// How long a call may take, such as `30s`.
    public var timeout: String?
    /// How many calls may run at once.
    public var maxInflight: Int32?
    /// How many calls one replica may have at once.
    public var maxInflightPerReplica: Int32?
    /// How calls are made that nobody waits for.
    public var async: FunctionAsync?
    /// Whether the root file system cannot be written.
    public var readOnlyRootFilesystem: Bool?
    /// Whether no call is let through and no replica runs, for now.
    public var suspend: Bool?
    /// Domains of the function's own, beside its owner's host.
    @OmitEmpty public var domains: [String]
    /// What a call costs.
    public var payment: FunctionPayment?
    /// Labels for the pods.
    @OmitEmpty public var labels: [String: String]
    /// Annotations for the pods.
    @OmitEmpty public var annotations: [String: String]

    /// Makes a specification with an image and nothing else.
    public init(image: String) {
        self.image = image
        environment = [:]
        secrets = []
        domains = []
        labels = [:]
        annotations = [:]
    }

    /// The port when ``port`` is absent.
    public static let portDefault: Int32 = 8080
    /// The number of replicas when ``replicas`` is absent.
    public static let replicasDefault: Int32 = 1

    enum CodingKeys: String, CodingKey, CaseIterable {
        case image, source, port, environment, secrets, resources, replicas, scale, runtimeClassName, egress, health
        case timeout, maxInflight, maxInflightPerReplica, async, readOnlyRootFilesystem, suspend, domains, payment,
            labels,
            annotations
    }
}

/// What an image was built from.
public struct FunctionSource: Codable, Hashable, Sendable {
    /// The Repository object in the same namespace.
    public var repository: String?
    /// The commit.
    public var commit: String?
    /// The folder with the function's code.
    public var handler: String?
    /// What turned the folder into an image.
    public var runtime: String?

    /// Makes a source.
    public init(
        repository: String? = nil, commit: String? = nil, handler: String? = nil, runtime: String? = nil
    ) {
        self.repository = repository
        self.commit = commit
        self.handler = handler
        self.runtime = runtime
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case repository, commit, handler, runtime
    }
}

/// What each replica asks for and may use at most.
public struct FunctionResources: Codable, Hashable, Sendable {
    /// What the scheduler sets aside.
    public var requests: FunctionResourceAmounts?
    /// What a replica never exceeds.
    public var limits: FunctionResourceAmounts?

    /// Makes resources.
    public init(requests: FunctionResourceAmounts? = nil, limits: FunctionResourceAmounts? = nil) {
        self.requests = requests
        self.limits = limits
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case requests, limits
    }
}

/// Amounts of processor time and memory.
public struct FunctionResourceAmounts: Codable, Hashable, Sendable {
    /// Processors: `1` is one, `250m` a quarter of one.
    public var cpu: Quantity?
    /// Bytes of memory, such as `128Mi`.
    public var memory: Quantity?

    /// Makes amounts.
    public init(cpu: Quantity? = nil, memory: Quantity? = nil) {
        self.cpu = cpu
        self.memory = memory
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case cpu, memory
    }
}

/// How far the number of replicas may go.
public struct FunctionScale: Codable, Hashable, Sendable {
    /// The least number of replicas.
    public var min: Int32?
    /// The greatest number of replicas.
    public var max: Int32?
    /// Calls at once that one replica should have.
    public var targetConcurrency: Int32?
    /// How long without a call until the function goes to zero.
    public var idleAfter: String?
    /// How long fewer replicas must have been enough before some are taken away.
    public var downAfter: String?
    /// Whether browsers are shown a page while the function starts.
    public var waitingPage: Bool?

    /// Makes a range.
    public init(
        min: Int32? = nil, max: Int32? = nil, targetConcurrency: Int32? = nil, idleAfter: String? = nil,
        downAfter: String? = nil, waitingPage: Bool? = nil
    ) {
        self.min = min
        self.max = max
        self.targetConcurrency = targetConcurrency
        self.idleAfter = idleAfter
        self.downAfter = downAfter
        self.waitingPage = waitingPage
    }

    /// The least number of replicas when ``min`` is absent.
    public static let minDefault: Int32 = 1
    /// The greatest number of replicas that Farebox scales to when ``max`` is absent; OpenFaaS' default.
    public static let maxDefault: Int32 = 20
    /// The time when ``downAfter`` is absent.
    public static let downAfterDefault = Duration.seconds(60)

    enum CodingKeys: String, CodingKey, CaseIterable {
        case min, max, targetConcurrency, idleAfter, downAfter, waitingPage
    }
}

/// How to see that a replica works.
public struct FunctionHealth: Codable, Hashable, Sendable {
    /// The path that answers 200 to 399 when the replica works.
    public var path: String?
    /// The path that answers 200 to 399 while the replica can take calls; ``path`` when absent.
    public var readyPath: String?
    /// How long after its start a replica is asked first.
    public var initialDelay: String?
    /// How long an answer may take.
    public var timeout: String?
    /// How long a replica may take to start.
    public var startTimeout: String?

    /// Makes a check.
    public init(
        path: String? = nil, readyPath: String? = nil, initialDelay: String? = nil, timeout: String? = nil,
        startTimeout: String? = nil
    ) {
        self.path = path
        self.readyPath = readyPath
        self.initialDelay = initialDelay
        self.timeout = timeout
        self.startTimeout = startTimeout
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case path, readyPath, initialDelay, timeout, startTimeout
    }
}
