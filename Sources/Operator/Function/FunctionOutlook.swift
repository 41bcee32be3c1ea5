import CRDs
import ControllerRuntime
import KubernetesTypes

/// All that one pass of the controller learnt about a Function; its status follows from it alone.
struct FunctionOutlook {
    /// The children as rendered.
    let children: FunctionChildren
    /// What keeps the wanted version from being rolled out; nil when nothing does.
    var obstacle: FunctionTrouble?
    /// Whether the obstacle goes away by waiting.
    var isWaiting = false
    /// The sandbox that was chosen.
    var sandbox: FunctionSandbox
    /// Whether the network policy stands as rendered.
    var isNetworkPolicyApplied = false
    /// The image to run; nil when it is not known.
    var image: PinnedImage?
    /// The Deployment that is wanted; nil when there is an obstacle.
    var wanted: Deployment?
    /// The Deployment that is there.
    var deployment: Deployment?
    /// The pods that are there.
    var pods: [Pod] = []

    /// Which of its domains lead to the function.
    var domains: DomainVerdict?

    /// The proofs of domains that stand.
    var domainProofs: [DomainProof] = []

    private var function: Function { children.function }

    /// The status, and when to look again even if nothing changes.
    func status(now: Time) -> (status: FunctionStatus, recheckAfter: Duration?) {
        var status = function.status ?? FunctionStatus()
        status.observedGeneration = function.metadata.generation
        status.url = FunctionURL.url(of: function, children.configuration)
        status.domains = domains?.served ?? []
        status.domainProofs = domainProofs
        status.selector = children.selectorText
        status.replicas = deployment?.status?.replicas ?? 0
        status.availableReplicas = available
        status.runtimeClassName = sandbox.runtimeClassName
        if let image { status.image = image.reference }
        if wanted != nil { status.commit = function.spec.source?.commit }
        var conditions = Conditions(
            observed: function.status?.conditions ?? [], generation: function.metadata.generation, now: now)
        let recheckAfter = setReady(&conditions, now: now)
        setAvailable(&conditions)
        setNetworkPolicyApplied(&conditions)
        setSandboxed(&conditions)
        setFunded(&conditions)
        setDomainsServed(&conditions)
        status.conditions = conditions.list
        return (status, recheckAfter)
    }

    // MARK: - Ready

    private var available: Int32 { deployment?.status?.availableReplicas ?? 0 }

    private func setReady(_ conditions: inout Conditions, now: Time) -> Duration? {
        if let obstacle {
            if isWaiting {
                conditions.setReconciling(ready: .false, reason: obstacle.reason.rawValue, message: obstacle.message)
            } else {
                conditions.setStalled(reason: obstacle.reason.rawValue, message: obstacle.message)
            }
            return nil
        }
        guard let wanted, let hash = wanted.spec.template.metadata.annotations[FunctionChildren.templateHash] else {
            conditions.setReconciling(ready: .false, reason: FunctionReason.pending.rawValue)
            return nil
        }
        let count = wanted.spec.replicas ?? 0
        guard isCurrent(hash: hash, replicas: count), let deployment else {
            conditions.setReconciling(
                ready: .false, reason: FunctionReason.rollingOut.rawValue, message: "the rollout begins")
            return nil
        }
        if isComplete(count) {
            setReady(&conditions, count: count)
            return nil
        }
        let diagnosis = PodDiagnosis(
            of: pods, templateHash: hash, startLimit: children.startLimit, previous: previousTrouble, now: now)
        if let trouble = diagnosis.trouble ?? FunctionTrouble(deployment) {
            conditions.setStalled(reason: trouble.reason.rawValue, message: trouble.message)
        } else {
            let updated = min(deployment.status?.updatedReplicas ?? 0, available)
            conditions.setReconciling(
                ready: .false, reason: FunctionReason.rollingOut.rawValue,
                message: "\(min(updated, count)) of \(count) replicas of the newest version take calls"
                    + (diagnosis.hint.map { "; " + $0 } ?? ""))
        }
        return diagnosis.recheckAfter
    }

    private func setReady(_ conditions: inout Conditions, count: Int32) {
        if function.spec.suspend == true {
            conditions.setReady(
                reason: FunctionReason.suspended.rawValue,
                message: "spec.suspend is set: no call is let through and no replica runs")
        } else if count == 0 {
            conditions.setReady(
                reason: FunctionReason.scaledToZero.rawValue,
                message: function.canSleep
                    ? "no replica is wanted until somebody calls"
                    : "no replica is wanted; kubectl scale function/\(function.metadata.name) --replicas=1 starts one")
        } else {
            conditions.setReady(
                reason: FunctionReason.available.rawValue, message: "\(available) of \(count) replicas take calls")
        }
    }

    /// Whether the Deployment that is there is the wanted one, and its status is about it.
    private func isCurrent(hash: String, replicas: Int32) -> Bool {
        guard let deployment, let status = deployment.status else { return false }
        return deployment.spec.template.metadata.annotations[FunctionChildren.templateHash] == hash
            && deployment.spec.replicas == replicas
            && (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
    }

    /// The rule of `kubectl rollout status`: all replicas are new ones, no old one is left, and all are available.
    private func isComplete(_ count: Int32) -> Bool {
        guard let status = deployment?.status else { return false }
        let updated = status.updatedReplicas ?? 0
        return updated >= count && (status.replicas ?? 0) <= updated && available >= count
            && (count > 0 || (status.replicas ?? 0) == 0)
    }

    private var previousTrouble: FunctionTrouble? {
        guard let stalled = function.status?.conditions.condition(FunctionCondition.stalled.rawValue),
            let reason = FunctionReason(rawValue: stalled.reason)
        else { return nil }
        return FunctionTrouble(reason, stalled.message)
    }

    // MARK: - Other conditions

    private func setAvailable(_ conditions: inout Conditions) {
        let type = FunctionCondition.available.rawValue
        if available > 0 {
            conditions.set(
                type, .true, reason: FunctionReason.available.rawValue,
                message: available == 1 ? "1 replica takes calls" : "\(available) replicas take calls")
        } else {
            let ready = conditions[FunctionCondition.ready.rawValue]
            conditions.set(
                type, .false, reason: ready?.reason ?? FunctionReason.pending.rawValue,
                message: "no replica takes calls")
        }
    }

    private func setNetworkPolicyApplied(_ conditions: inout Conditions) {
        let type = FunctionCondition.networkPolicyApplied.rawValue
        if isNetworkPolicyApplied {
            conditions.set(type, .true, reason: FunctionReason.applied.rawValue)
        } else if let obstacle, Self.policyObstacles.contains(obstacle.reason) {
            conditions.set(type, .false, reason: obstacle.reason.rawValue)
        } else if conditions[type] == nil {
            conditions.set(type, .unknown, reason: FunctionReason.pending.rawValue)
        }
        // Otherwise what was applied before an obstacle came up still stands.
    }

    /// Obstacles that say that the policy itself does not stand.
    private static let policyObstacles: Set<FunctionReason> = [.nameTaken, .applyRefused, .quotaExceeded]

    private func setSandboxed(_ conditions: inout Conditions) {
        let type = FunctionCondition.sandboxed.rawValue
        switch sandbox {
        case .runtimeClass(let name):
            conditions.set(
                type, .true, reason: FunctionReason.runtimeClass.rawValue, message: "replicas run in \(name)")
        case .unsandboxed:
            conditions.set(
                type, .false, reason: FunctionReason.unsandboxed.rawValue,
                message: "the configuration names no RuntimeClass and allows that")
        case .refused(let reason, let message):
            conditions.set(type, .false, reason: reason.rawValue, message: message)
        }
    }

    /// Where the cluster takes payments, they write it; where it takes none, nobody else does.
    private func setFunded(_ conditions: inout Conditions) {
        guard children.configuration.payments == nil else { return }
        let type = FunctionCondition.funded.rawValue
        guard function.spec.payment != nil else { return conditions.remove(type) }
        conditions.set(
            type, .false, reason: FunctionReason.paymentsNotConfigured.rawValue,
            message: FunctionTrouble.paymentsRemedy)
    }

    private func setDomainsServed(_ conditions: inout Conditions) {
        let type = FunctionCondition.domainsServed.rawValue
        guard let domains, !function.spec.domains.isEmpty else { return conditions.remove(type) }
        if let trouble = domains.trouble {
            conditions.set(type, .false, reason: trouble.reason.rawValue, message: trouble.message)
        } else {
            conditions.set(
                type, .true, reason: FunctionReason.served.rawValue,
                message: domains.served.joined(separator: ", ") + " leads here")
        }
    }
}
