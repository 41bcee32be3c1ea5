import CRDs
import JSON
public import KubernetesTypes

/// How far a build is, judged from its Job, its pod and the end of its log.
public enum BuildOutcome: Sendable, Hashable {
    /// Nothing runs yet; the failure says what it waits for when that is not ordinary.
    case waiting(BuildFailure?)
    /// The pod runs.
    case running
    /// The image is pushed; its digest as `sha256:<hex>`.
    case succeeded(digest: String)
    /// It ended without an image. The message is one line, without the log.
    case failed(BuildFailure)

    /// Judges a build.
    ///
    /// - Parameters:
    ///   - job: The Job as last seen.
    ///   - pod: Its pod; nil when there is none (yet, or any more).
    ///   - log: The end of the pod's log when it is known; without it, the termination message tells, which is the end
    ///     of the log for failed builds.
    public init(job: Job, pod: Pod?, log: String? = nil) {
        guard let pod else {
            self = Self.withoutPod(job)
            return
        }
        let state = pod.status?.containerStatuses.first { $0.name == BuildJob.containerName }?.state
        switch pod.status?.phase {
        case "Succeeded": self = Self.result(of: state?.terminated)
        case "Failed": self = .failed(Self.failure(of: pod, terminated: state?.terminated, log: log))
        case "Running": self = state?.terminated == nil ? .running : .waiting(nil)
        default: self = .waiting(Self.obstacle(pod, state?.waiting))
        }
    }

    /// Whether nothing more will happen.
    public var isFinished: Bool {
        switch self {
        case .waiting, .running: false
        case .succeeded, .failed: true
        }
    }

    private static func withoutPod(_ job: Job) -> BuildOutcome {
        func condition(_ type: String) -> Condition? {
            job.status?.conditions.first { $0.type == type && $0.status == .true }
        }
        if let failed = condition("Failed") {
            if failed.reason == "DeadlineExceeded" { return .failed(timeout) }
            return .failed(BuildFailure(.evicted, "the build's pod is gone, and its result with it; it is built again"))
        }
        if condition("Complete") != nil {
            return .failed(BuildFailure(.evicted, "the build's result was lost with its pod; it is built again"))
        }
        return .waiting(nil)
    }

    private static var timeout: BuildFailure {
        BuildFailure(
            .timeout,
            "the build took longer than allowed; make it faster or raise spec.build.timeout, up to what the "
                + "cluster allows")
    }

    /// The termination message of a good build is BuildKit's metadata file.
    private static func result(of terminated: ContainerStateTerminated?) -> BuildOutcome {
        let reader = JSONReader(limits: JSONReader.Limits(bytesMaximum: 64 << 10, depthMaximum: 16))
        guard let message = terminated?.message, let metadata = try? reader.parse(message),
            let digest = metadata["containerimage.digest"]?.stringValue, ImageReference.isDigest(digest)
        else {
            return .failed(BuildFailure(.builderFailed, "the builder ended well but reported no image digest"))
        }
        return .succeeded(digest: digest)
    }

    private static func failure(
        of pod: Pod, terminated: ContainerStateTerminated?, log: String?
    ) -> BuildFailure {
        switch pod.status?.reason {
        case "DeadlineExceeded": return timeout
        case "Evicted":
            return BuildFailure(.evicted, "the node evicted the build: \(pod.status?.message.prefix(200) ?? "")")
        case "NodeLost", "NodeShutdown", "Shutdown", "Terminated", "Preempting":
            return BuildFailure(.evicted, "the build's node went away; it is built again")
        default: break
        }
        guard let terminated else {
            return BuildFailure(.evicted, "the build's pod failed without a word; it is built again")
        }
        switch terminated.reason {
        case "OOMKilled":
            return BuildFailure(.outOfMemory, "the build needed more memory than a build may have")
        case "ContainerCannotRun", "StartError", "CreateContainerError":
            return BuildFailure(.builderFailed, "the builder cannot start: \(terminated.message.prefix(300))")
        default: break
        }
        let text = [log, terminated.message].compactMap { $0 }.joined(separator: "\n")
        return BuildLog.failure(in: text, exitCode: terminated.exitCode)
    }

    /// What keeps a pod from starting, when it is more than a moment's wait.
    private static func obstacle(_ pod: Pod, _ waiting: ContainerStateWaiting?) -> BuildFailure? {
        switch waiting?.reason {
        case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
            let image = pod.spec?.containers.first?.image ?? "the builder image"
            return BuildFailure(
                .builderFailed,
                "the builder image \(image) cannot be pulled: \(waiting?.message.prefix(300) ?? ""); check builder.image"
            )
        case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
            return BuildFailure(.builderFailed, "the builder cannot start: \(waiting?.message.prefix(300) ?? "")")
        default: break
        }
        let scheduled = pod.status?.conditions.first { $0.type == "PodScheduled" }
        guard let scheduled, scheduled.status == .false else { return nil }
        return BuildFailure(.builderFailed, "no node has room for the build: \(scheduled.message.prefix(300))")
    }
}
