import ControllerRuntime
import KubernetesTypes
import Synchronization
import Telemetry

/// Takes the time of each part of a pod's start, as the cluster's watches tell of it.
///
/// What pods themselves say of it is in whole seconds, and does not tell the pull of an image from the start of a container.
struct PodStarts {
    /// A part of a pod's start.
    enum Phase: String, CaseIterable {
        /// From the pod's creation until it has a node.
        case schedule
        /// From then until the node has its image.
        case pull
        /// From then until its container runs.
        case start
        /// From then until it takes calls.
        case ready
    }

    /// How long a part took.
    struct Part: Equatable {
        let phase: Phase
        let duration: Duration
    }

    private struct Start {
        /// The part that is under way.
        var phase = Phase.schedule
        var since: ContinuousClock.Instant
    }

    private var starts: [String: Start] = [:]

    /// Pods whose start is under way.
    var count: Int { starts.count }

    /// A pod was made just now.
    mutating func created(_ pod: Pod, now: ContinuousClock.Instant) -> [Part] {
        starts[pod.metadata.uid] = Start(since: now)
        return changed(pod, now: now)
    }

    /// A pod changed; one whose making was not seen is left out.
    ///
    /// - Returns: The parts that are over with it. Parts that were told in one take no time.
    mutating func changed(_ pod: Pod, now: ContinuousClock.Instant) -> [Part] {
        if pod.isReady { return reached(nil, pod.metadata.uid, now: now) }
        let status = pod.status
        if status?.containerStatuses.contains(where: { $0.state?.running != nil }) ?? false {
            return reached(.ready, pod.metadata.uid, now: now)
        }
        if status?.conditions.contains(where: { $0.type == "PodScheduled" && $0.status == .true }) ?? false {
            return reached(.pull, pod.metadata.uid, now: now)
        }
        return []
    }

    /// The node has the image of the pod with this uid.
    mutating func pulled(_ uid: String, now: ContinuousClock.Instant) -> [Part] { reached(.start, uid, now: now) }

    /// A pod is gone.
    mutating func removed(_ pod: Pod) {
        starts[pod.metadata.uid] = nil
    }

    /// Ends the parts before `phase`; all of them for nil.
    private mutating func reached(_ phase: Phase?, _ uid: String, now: ContinuousClock.Instant) -> [Part] {
        guard let start = starts[uid] else { return [] }
        let all = Phase.allCases
        let first = all.firstIndex(of: start.phase) ?? 0
        let end = phase.flatMap(all.firstIndex) ?? all.endIndex
        guard first < end else { return [] }
        let over = all[first..<end]
        starts[uid] = phase.map { Start(phase: $0, since: now) }
        return over.enumerated().map { index, phase in
            Part(phase: phase, duration: index == 0 ? now - start.since : .zero)
        }
    }

    /// Watches the functions' pods and writes the times into a histogram.
    ///
    /// - Parameters:
    ///   - pods: The functions' pods.
    ///   - namespace: Where they are; everywhere for nil.
    ///   - manager: Runs the watches, and has the metrics.
    static func measure(_ pods: Informer<Pod>, in namespace: String?, by manager: Manager) {
        let seconds = manager.metrics.histogram(
            "farebox_function_start_seconds", "Time of each part of the start of a function's pod.", labels: ["phase"],
            buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300])
        let starts = Mutex(PodStarts())
        let observe = { @Sendable (parts: [Part]) in
            for part in parts {
                seconds.labels(part.phase.rawValue).observe(part.duration)
            }
        }
        pods.addHandler { event in
            switch event {
            case .added(_, isInitial: true): break
            case .added(let pod, isInitial: false): observe(starts.withLock { $0.created(pod, now: .now) })
            case .updated(_, let pod): observe(starts.withLock { $0.changed(pod, now: .now) })
            case .deleted(let pod, _): starts.withLock { $0.removed(pod) }
            }
        }
        let pulls = InformerScope(namespace: namespace, fieldSelector: "reason=Pulled,regarding.kind=Pod")
        manager.informers.follow(Event.self, scope: pulls) { change in
            guard case .stored(let event) = change, let uid = event.regarding?.uid else { return }
            observe(starts.withLock { $0.pulled(uid, now: .now) })
        }
    }
}
