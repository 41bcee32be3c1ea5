/// What a pod should run: the fields that Farebox renders or reads.
///
/// Source: Kubernetes API, `core/v1` PodSpec.
public struct PodSpec: Codable, Hashable, Sendable {
    /// Containers that run to their end, one after the other, before ``containers`` start.
    @OmitEmpty public var initContainers: [Container]
    /// The pod's containers.
    @OmitEmpty public var containers: [Container]
    /// Directories that the containers can mount.
    @OmitEmpty public var volumes: [Volume]
    /// The RuntimeClass that runs the pod.
    public var runtimeClassName: String?
    /// The ServiceAccount whose name the pod bears.
    public var serviceAccountName: String?
    /// Whether the account's token is mounted.
    public var automountServiceAccountToken: Bool?
    /// Whether each Service of the namespace becomes environment variables.
    public var enableServiceLinks: Bool?
    /// What holds for all containers.
    public var securityContext: PodSecurityContext?
    /// Secrets with registry credentials.
    @OmitEmpty public var imagePullSecrets: [LocalObjectReference]
    /// `Always`, `OnFailure` or `Never`.
    public var restartPolicy: String?
    /// Seconds between SIGTERM and SIGKILL.
    public var terminationGracePeriodSeconds: Int64?
    /// Seconds after which the pod fails.
    public var activeDeadlineSeconds: Int64?
    /// `ClusterFirst`, `Default`, `None` or `ClusterFirstWithHostNet`.
    public var dnsPolicy: String?
    /// Resolver settings, merged with those of the policy.
    public var dnsConfig: PodDNSConfig?
    /// Whether the pod shares the node's user namespace; false needs Kubernetes 1.33.
    public var hostUsers: Bool?
    /// How replicas spread over the cluster.
    @OmitEmpty public var topologySpreadConstraints: [TopologySpreadConstraint]
    /// Labels a node must have.
    @OmitEmpty public var nodeSelector: [String: String]
    /// Taints the pod stands.
    @OmitEmpty public var tolerations: [Toleration]
    /// The node that runs the pod; set by the scheduler.
    public var nodeName: String?

    /// Makes the specification of a pod with these containers.
    public init(containers: [Container]) {
        initContainers = []
        self.containers = containers
        volumes = []
        imagePullSecrets = []
        topologySpreadConstraints = []
        nodeSelector = [:]
        tolerations = []
    }
}

/// The name of an object in the same namespace.
public struct LocalObjectReference: Codable, Hashable, Sendable {
    /// The object's name.
    public var name: String

    /// Makes a reference.
    public init(name: String) {
        self.name = name
    }
}

/// Resolver settings of a pod.
public struct PodDNSConfig: Codable, Hashable, Sendable {
    /// Addresses of name servers; at most three.
    @OmitEmpty public var nameservers: [String]
    /// Search domains.
    @OmitEmpty public var searches: [String]
    /// Options as in resolv.conf, such as `ndots`.
    @OmitEmpty public var options: [PodDNSOption]

    /// Makes settings.
    public init(nameservers: [String] = [], searches: [String] = [], options: [PodDNSOption] = []) {
        self.nameservers = nameservers
        self.searches = searches
        self.options = options
    }
}

/// An option of resolv.conf.
public struct PodDNSOption: Codable, Hashable, Sendable {
    /// The option's name.
    public var name: String
    /// Its value, for options that have one.
    public var value: String?

    /// Makes an option.
    public init(name: String, value: String? = nil) {
        self.name = name
        self.value = value
    }
}

/// How pods of one kind spread over nodes or zones.
public struct TopologySpreadConstraint: Codable, Hashable, Sendable {
    /// By how many pods two places may differ.
    public var maxSkew: Int32
    /// The node label whose values are the places.
    public var topologyKey: String
    /// `DoNotSchedule` or `ScheduleAnyway`.
    public var whenUnsatisfiable: String
    /// The pods that count.
    public var labelSelector: LabelSelector

    /// Makes a constraint.
    public init(maxSkew: Int32, topologyKey: String, whenUnsatisfiable: String, labelSelector: LabelSelector) {
        self.maxSkew = maxSkew
        self.topologyKey = topologyKey
        self.whenUnsatisfiable = whenUnsatisfiable
        self.labelSelector = labelSelector
    }
}

/// A taint that a pod stands.
public struct Toleration: Codable, Hashable, Sendable {
    /// The taint's key; absent means every one.
    public var key: String?
    /// `Equal` or `Exists`.
    public var `operator`: String?
    /// The taint's value, for `Equal`.
    public var value: String?
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`; absent means every one.
    public var effect: String?

    /// Makes a toleration.
    public init(key: String? = nil, operator: String? = nil, value: String? = nil, effect: String? = nil) {
        self.key = key
        self.operator = `operator`
        self.value = value
        self.effect = effect
    }
}

/// A pod as a controller makes it.
public struct PodTemplateSpec: Codable, Hashable, Sendable {
    /// Labels and annotations of the pods.
    public var metadata: ObjectMeta
    /// What the pods run.
    public var spec: PodSpec

    /// Makes a template.
    public init(metadata: ObjectMeta = ObjectMeta(), spec: PodSpec) {
        self.metadata = metadata
        self.spec = spec
    }
}
