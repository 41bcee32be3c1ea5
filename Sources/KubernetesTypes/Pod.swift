/// A group of containers on one node.
///
/// Source: Kubernetes API, `core/v1` Pod.
public struct Pod: KubernetesResource, Hashable {
    /// `pods`, core group.
    public static let descriptor = ResourceDescriptor(version: "v1", kind: "Pod", plural: "pods")

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// What should run.
    public var spec: PodSpec?
    /// What does run.
    public var status: PodStatus?

    /// Makes a pod.
    public init(metadata: ObjectMeta, spec: PodSpec? = nil, status: PodStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    /// Whether the pod's `Ready` condition is true.
    public var isReady: Bool { status?.conditions.contains { $0.type == "Ready" && $0.status == .true } ?? false }
}

/// What the kubelet and the scheduler say of a pod.
///
/// Source: Kubernetes API, `core/v1` PodStatus.
public struct PodStatus: Codable, Hashable, Sendable {
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    @OmitEmpty public var phase: String
    /// Why the pod is in this state, such as `Evicted`.
    @OmitEmpty public var reason: String
    /// The same for people.
    @OmitEmpty public var message: String
    /// The pod's address.
    @OmitEmpty public var podIP: String
    /// Aspects such as `PodScheduled`, `Initialized`, `ContainersReady` and `Ready`.
    @OmitEmpty public var conditions: [Condition]
    /// The state of each init container.
    @OmitEmpty public var initContainerStatuses: [ContainerStatus]
    /// The state of each container.
    @OmitEmpty public var containerStatuses: [ContainerStatus]

    /// Makes a status.
    public init(phase: String = "", reason: String = "", message: String = "") {
        self.phase = phase
        self.reason = reason
        self.message = message
        podIP = ""
        conditions = []
        initContainerStatuses = []
        containerStatuses = []
    }
}

/// What the kubelet says of one container.
///
/// Source: Kubernetes API, `core/v1` ContainerStatus.
public struct ContainerStatus: Codable, Hashable, Sendable {
    /// The container's name.
    public var name: String
    /// Whether it passes its readiness probe.
    public var ready: Bool
    /// Whether it passed its startup probe.
    public var started: Bool?
    /// How often it was restarted.
    public var restartCount: Int32?
    /// The image it runs, as resolved by the runtime.
    @OmitEmpty public var image: String
    /// The image's identity, with digest.
    @OmitEmpty public var imageID: String
    /// What it does now.
    public var state: ContainerState?
    /// How it ended last.
    public var lastState: ContainerState?

    /// Makes a status.
    public init(
        name: String, ready: Bool = false, restartCount: Int32? = nil, state: ContainerState? = nil,
        lastState: ContainerState? = nil
    ) {
        self.name = name
        self.ready = ready
        self.restartCount = restartCount
        image = ""
        imageID = ""
        self.state = state
        self.lastState = lastState
    }
}

/// What a container does: exactly one is set.
public struct ContainerState: Codable, Hashable, Sendable {
    /// It has not started.
    public var waiting: ContainerStateWaiting?
    /// It runs.
    public var running: ContainerStateRunning?
    /// It ended.
    public var terminated: ContainerStateTerminated?

    /// A container that has not started.
    public init(waiting: ContainerStateWaiting) {
        self.waiting = waiting
    }

    /// A container that runs.
    public init(running: ContainerStateRunning) {
        self.running = running
    }

    /// A container that ended.
    public init(terminated: ContainerStateTerminated) {
        self.terminated = terminated
    }
}

/// Why a container has not started.
public struct ContainerStateWaiting: Codable, Hashable, Sendable {
    /// Such as `ContainerCreating`, `ImagePullBackOff`, `CrashLoopBackOff` or `CreateContainerConfigError`.
    @OmitEmpty public var reason: String
    /// The same for people; holds the registry's answer when an image cannot be pulled.
    @OmitEmpty public var message: String

    /// Makes a state.
    public init(reason: String, message: String = "") {
        self.reason = reason
        self.message = message
    }
}

/// Since when a container runs.
public struct ContainerStateRunning: Codable, Hashable, Sendable {
    /// When it started.
    public var startedAt: Time?

    /// Makes a state.
    public init(startedAt: Time? = nil) {
        self.startedAt = startedAt
    }
}

/// How a container ended.
public struct ContainerStateTerminated: Codable, Hashable, Sendable {
    /// The first process's exit code.
    public var exitCode: Int32
    /// The signal that ended it, if one did.
    public var signal: Int32?
    /// Such as `Completed`, `Error` or `OOMKilled`.
    @OmitEmpty public var reason: String
    /// What the container left in its termination message.
    @OmitEmpty public var message: String
    /// When it started.
    public var startedAt: Time?
    /// When it ended.
    public var finishedAt: Time?

    /// Makes a state.
    public init(exitCode: Int32, signal: Int32? = nil, reason: String = "", message: String = "") {
        self.exitCode = exitCode
        self.signal = signal
        self.reason = reason
        self.message = message
    }
}
