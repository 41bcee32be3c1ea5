/// Pods that run to their end.
///
/// Source: Kubernetes API, `batch/v1` Job.
public struct Job: KubernetesResource, Hashable {
    /// `jobs.batch`, v1.
    public static let descriptor = ResourceDescriptor(group: "batch", version: "v1", kind: "Job", plural: "jobs")

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// What should run.
    public var spec: JobSpec
    /// What did.
    public var status: JobStatus?

    /// Makes a Job.
    public init(metadata: ObjectMeta, spec: JobSpec, status: JobStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// What a Job should run.
public struct JobSpec: Codable, Hashable, Sendable {
    /// How many pods run at once; the server's default is 1.
    public var parallelism: Int32?
    /// How many pods must succeed; the server's default is 1.
    public var completions: Int32?
    /// Failures after which the Job fails; the server's default is 6.
    public var backoffLimit: Int32?
    /// Seconds after which the Job fails, whatever its pods do.
    public var activeDeadlineSeconds: Int64?
    /// Seconds after its end at which the Job is deleted; needs Kubernetes 1.23 or the feature gate.
    public var ttlSecondsAfterFinished: Int32?
    /// The pods.
    public var template: PodTemplateSpec

    /// Makes a specification.
    public init(template: PodTemplateSpec) {
        self.template = template
    }
}

/// What became of a Job.
public struct JobStatus: Codable, Hashable, Sendable {
    /// Pods that run.
    public var active: Int32?
    /// Pods that succeeded.
    public var succeeded: Int32?
    /// Pods that failed.
    public var failed: Int32?
    /// When the Job began.
    public var startTime: Time?
    /// When the Job succeeded.
    public var completionTime: Time?
    /// `Complete` and `Failed`.
    @OmitEmpty public var conditions: [Condition]

    /// Makes a status in which nothing happened.
    public init() {
        conditions = []
    }
}
