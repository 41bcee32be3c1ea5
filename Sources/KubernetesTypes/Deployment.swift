/// Pods of one template, kept at a number and exchanged gradually.
///
/// Source: Kubernetes API, `apps/v1` Deployment.
public struct Deployment: KubernetesResource, Hashable {
    /// `deployments.apps`, v1.
    public static let descriptor = ResourceDescriptor(
        group: "apps", version: "v1", kind: "Deployment", plural: "deployments")

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// What should be.
    public var spec: DeploymentSpec
    /// What is.
    public var status: DeploymentStatus?

    /// Makes a Deployment.
    public init(metadata: ObjectMeta, spec: DeploymentSpec, status: DeploymentStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// What a Deployment should be.
public struct DeploymentSpec: Codable, Hashable, Sendable {
    /// How many pods; the server's default is 1.
    public var replicas: Int32?
    /// Which pods belong to it; cannot be changed later.
    public var selector: LabelSelector
    /// The pods.
    public var template: PodTemplateSpec
    /// How old pods give way to new ones.
    public var strategy: DeploymentStrategy?
    /// How many old versions are kept for a roll-back.
    public var revisionHistoryLimit: Int32?
    /// Seconds without progress after which `Progressing` becomes false.
    public var progressDeadlineSeconds: Int32?
    /// Seconds a pod must be ready before it counts as available.
    public var minReadySeconds: Int32?

    /// Makes a specification.
    public init(replicas: Int32?, selector: LabelSelector, template: PodTemplateSpec) {
        self.replicas = replicas
        self.selector = selector
        self.template = template
    }
}

/// How old pods give way to new ones.
public struct DeploymentStrategy: Codable, Hashable, Sendable {
    /// `RollingUpdate` or `Recreate`.
    public var type: String
    /// Limits of a rolling update.
    public var rollingUpdate: RollingUpdate?

    /// Makes a rolling update.
    public static func rollingUpdate(maxUnavailable: IntOrString, maxSurge: IntOrString) -> DeploymentStrategy {
        DeploymentStrategy(
            type: "RollingUpdate",
            rollingUpdate: RollingUpdate(maxUnavailable: maxUnavailable, maxSurge: maxSurge))
    }

    /// How far a rolling update may leave the wanted number of pods.
    public struct RollingUpdate: Codable, Hashable, Sendable {
        /// Pods fewer than wanted.
        public var maxUnavailable: IntOrString?
        /// Pods more than wanted.
        public var maxSurge: IntOrString?
    }
}

/// What a Deployment is.
public struct DeploymentStatus: Codable, Hashable, Sendable {
    /// The generation the rest was computed from.
    public var observedGeneration: Int64?
    /// Pods there are, old and new, without those that end.
    public var replicas: Int32?
    /// Pods of the newest template.
    public var updatedReplicas: Int32?
    /// Pods that are ready.
    public var readyReplicas: Int32?
    /// Pods that have been ready for long enough.
    public var availableReplicas: Int32?
    /// Pods still missing.
    public var unavailableReplicas: Int32?
    /// `Available`, `Progressing` and `ReplicaFailure`.
    @OmitEmpty public var conditions: [Condition]

    /// Makes a status in which nothing is observed.
    public init() {
        conditions = []
    }
}
