import CRDs
import KubernetesTypes
import Timing

/// What the pods of a function say about why it does not run.
struct PodDiagnosis {
    /// The trouble of the newest pod that has one.
    private(set) var trouble: FunctionTrouble?
    /// What a replica that starts is slow at.
    private(set) var hint: String?
    /// When to look again, if time alone can change what there is to say of a start.
    private(set) var recheckAfter: Duration?

    /// How long a program may run without becoming ready until ``hint`` says so.
    static let hintAfter = Duration.seconds(10)

    /// Looks at the pods of the wanted rendering.
    ///
    /// - Parameters:
    ///   - pods: The function's pods; those of another rendering, and those that are going, say nothing about the wanted one.
    ///   - templateHash: The wanted rendering.
    ///   - startLimit: How long a program may run without becoming ready until that counts as trouble.
    ///   - previous: The trouble that was reported last.
    init(of pods: [Pod], templateHash: String, startLimit: Duration, previous: FunctionTrouble?, now: Time) {
        let current =
            pods
            .filter { $0.metadata.annotations[FunctionChildren.templateHash] == templateHash }
            .filter { !$0.metadata.isBeingDeleted && !$0.isReady }
            .sorted { Self.isNewer($0, $1) }
        for pod in current {
            if let rest = Self.restOfPullGrace(of: pod, previous: previous, now: now) {
                lookAgain(after: rest)
                continue
            }
            if let trouble = Self.trouble(of: pod, previous: previous) {
                self.trouble = trouble
                return
            }
            guard let running = Self.runningTime(of: pod, now: now) else { continue }
            guard running < startLimit else {
                trouble = Self.unready
                return
            }
            let next = running < Self.hintAfter ? min(Self.hintAfter, startLimit) : startLimit
            if running >= Self.hintAfter { hint = "the program runs, and has not passed its health check yet" }
            // One second more than needed: times of the API are cut to seconds.
            lookAgain(after: next - running + .seconds(1))
        }
    }

    private mutating func lookAgain(after duration: Duration) {
        recheckAfter = min(recheckAfter ?? duration, duration)
    }

    /// How long a new pod may be refused its image for want of a password until that counts as trouble.
    static let pullGrace = Duration.seconds(25)

    /// What registries and containerd say to who has no password, in parts.
    private static let refusals = ["401", "403", "authoriz", "denied", "auth cred"]

    /// What is left of ``pullGrace``, or `nil` when the pod's state is to be taken as it is.
    ///
    /// A kubelet may not read a pod's Secrets before the API server has noticed that the pod is on its node. It waits
    /// a second for that, then pulls without them, is refused, and tries again after ten.
    private static func restOfPullGrace(of pod: Pod, previous: FunctionTrouble?, now: Time) -> Duration? {
        guard let waiting = pod.status?.containerStatuses.first?.state?.waiting,
            let created = pod.metadata.creationTimestamp, previous?.reason != .imagePullFailed
        else { return nil }
        switch waiting.reason {
        case "ErrImagePull" where refusals.contains(where: waiting.message.contains): break
        case "ImagePullBackOff": break  // it no longer says why
        default: return nil
        }
        let age = Duration.seconds(max(0, now.timestamp.secondsSinceEpoch - created.timestamp.secondsSinceEpoch))
        return age < pullGrace ? pullGrace - age + .seconds(1) : nil
    }

    private static let unready = FunctionTrouble(
        .probeFailing,
        """
        the program runs and does not pass its health check; it must listen on spec.port on all addresses, and answer \
        spec.health.path with 200 to 399 if that is set
        """)

    private static func isNewer(_ left: Pod, _ right: Pod) -> Bool {
        guard let leftTime = left.metadata.creationTimestamp, let rightTime = right.metadata.creationTimestamp,
            leftTime != rightTime
        else { return left.metadata.name > right.metadata.name }
        return leftTime > rightTime
    }

    private static func runningTime(of pod: Pod, now: Time) -> Duration? {
        guard let status = pod.status?.containerStatuses.first, let running = status.state?.running,
            let since = running.startedAt
        else { return nil }
        return .seconds(max(0, now.timestamp.secondsSinceEpoch - since.timestamp.secondsSinceEpoch))
    }

    private static func trouble(of pod: Pod, previous: FunctionTrouble?) -> FunctionTrouble? {
        guard let status = pod.status else { return nil }
        if status.phase == "Failed" {
            let said = [status.reason, status.message].filter { !$0.isEmpty }.joined(separator: ": ")
            return FunctionTrouble(
                .evicted,
                """
                the node ended a replica (\(said.isEmpty ? "no reason given" : said)); it must write less to /tmp and its \
                log, or use less memory
                """)
        }
        if let scheduled = status.conditions.condition("PodScheduled"), scheduled.status == .false,
            scheduled.reason == "Unschedulable"
        {
            return FunctionTrouble(
                .unschedulable,
                "no node takes a replica: \(scheduled.message); lower spec.resources.requests, or add nodes")
        }
        guard let container = status.containerStatuses.first else { return nil }
        return trouble(of: container, previous: previous)
    }

    private static func trouble(of container: ContainerStatus, previous: FunctionTrouble?) -> FunctionTrouble? {
        if let waiting = container.state?.waiting {
            switch waiting.reason {
            case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable",
                "ImageInspectError":
                return imageTrouble(container.image, waiting, previous: previous)
            case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
                return FunctionTrouble(
                    .containerConfigError, "the node cannot make the container: \(waiting.reason): \(waiting.message)")
            default: break
            }
        }
        // Also while it runs again after an end: until it is ready, the end is what there is to say.
        guard let ended = container.state?.terminated ?? container.lastState?.terminated else { return nil }
        return crash(ended, previous: previous)
    }

    /// How a program ends that a node ended: killed, by SIGTERM, or well because it heeded that.
    private static let endsOfKilled: Set<Int32> = [137, 143, 0]

    private static func imageTrouble(
        _ image: String, _ waiting: ContainerStateWaiting, previous: FunctionTrouble?
    ) -> FunctionTrouble {
        let beginning = "a node cannot pull \(image): "
        // While the kubelet waits for its next try it no longer says why the last one failed: keep that answer.
        if waiting.reason == "ImagePullBackOff", let previous, previous.reason == .imagePullFailed,
            previous.message.hasPrefix(beginning)
        {
            return previous
        }
        let answer = waiting.message.isEmpty ? waiting.reason : waiting.message
        return FunctionTrouble(
            .imagePullFailed,
            "\(beginning)\(answer); check spec.image and that the registry lets this cluster pull it")
    }

    private static func crash(_ ended: ContainerStateTerminated, previous: FunctionTrouble?) -> FunctionTrouble {
        let said = ended.message.trimmed.isEmpty ? "" : "; its last words: \(ended.message.trimmed.suffix(bytes: 1024))"
        if ended.reason == "OOMKilled" {
            return FunctionTrouble(
                .outOfMemory,
                "the program used more memory than its limit and was ended; raise spec.resources.limits.memory\(said)")
        }
        // What did not pass its check in time is ended for that.
        if previous?.reason == .probeFailing, endsOfKilled.contains(ended.exitCode) { return unready }
        let how =
            if let signal = ended.signal, signal != 0 {
                "was ended by signal \(signal)"
            } else if ended.exitCode == 137 {
                "was ended by SIGKILL (exit code 137), for lack of memory or by a failing health check,"
            } else {
                "ended with exit code \(ended.exitCode)\(ended.exitCode == 0 ? ": a function must keep running" : "")"
            }
        return FunctionTrouble(.crashLoop, "the program \(how) and is started again and again\(said)")
    }
}

extension String {
    /// The text without white space at both ends.
    fileprivate var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }

    /// The longest end of at most `maximum` UTF-8 bytes: the last lines of a log say most.
    fileprivate func suffix(bytes maximum: Int) -> String {
        guard utf8.count > maximum else { return self }
        var start = utf8.index(endIndex, offsetBy: -maximum)
        // A cut inside a character moves to the next one.
        while start < endIndex, start.samePosition(in: self) == nil { start = utf8.index(after: start) }
        return "…" + self[start...]
    }
}
