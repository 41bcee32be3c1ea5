import CRDs
import ControllerRuntime
import KubernetesClient
import KubernetesTypes
import Telemetry

/// Brings one Function and its children to where its spec says, and tells in its status how far that is.
///
/// The order keeps the promise that nothing runs unfenced: the network policy stands before the Deployment is made or
/// changed, and a version that cannot run as wanted (no sandbox, no image, no Secret) never replaces the one that runs.
struct FunctionReconciler: Reconciler {
    let sources: FunctionSources
    let configuration: FunctionClusterConfiguration
    let api: any KubernetesAPI
    let writer: ChildWriter
    let statusWriter: StatusWriter
    let recorder: EventRecorder?
    let resolver: any ImageResolver
    let features: ServerFeatures
    let resolved = ResolvedImages()
    /// What is known of the proofs of domains.
    let proofs: DomainProofBook
    let logger: Logger

    var polls = Polls()

    /// How soon to look again at what no watch tells; the runtime adds up to a tenth.
    struct Polls: Sendable {
        /// A missing Secret: Secrets cannot be watched without the right to list all of them, which we do not want.
        var secret = Duration.seconds(8)
        /// A registry that did not know the image, a name that somebody else holds, a write that was refused.
        var obstacle = Duration.seconds(20)
        /// What only the garbage collector has to finish.
        var collection = Duration.seconds(2)
    }

    func reconcile(_ key: ObjectKey) async throws -> ReconcileOutcome {
        guard let function = sources.functions.get(key), !function.metadata.isBeingDeleted else { return .done }
        let children = FunctionChildren(function: function, configuration: configuration)
        var pass = Pass(
            outlook: FunctionOutlook(
                children: children,
                sandbox: .choose(function.spec.runtimeClassName, configuration) {
                    sources.runtimeClasses.get(ObjectKey(name: $0)) != nil
                }))
        pass.outlook.deployment = sources.deployments.get(key)
        pass.outlook.pods = sources.pods(of: function)
        let toProve = DomainVerdict.domainsToProve(function, configuration)
        pass.outlook.domainProofs = proofs.proofs(key, toProve, known: function.status?.domainProofs ?? [])
        pass.outlook.domains = DomainVerdict(function, configuration, proofs: pass.outlook.domainProofs) {
            sources.functions(wanting: $0)
        }
        do {
            try await bringAbout(&pass)
        } catch let error as ChildError {
            guard pass.meet(error, polls) else { return .done }
        } catch let error as ChildIsGoing {
            pass.wait(for: "\(error)", polls)
        } catch let error as KubernetesError where error.isInvalid || error.isForbidden {
            pass.meet(error, polls)
        }
        return try await report(pass)
    }

    // MARK: - Children

    private func bringAbout(_ pass: inout Pass) async throws {
        let children = pass.outlook.children
        let function = children.function
        let violations = FunctionPolicy(configuration: configuration).violations(of: function)
        if let kind = violations.kind {
            pass.outlook.obstacle = FunctionTrouble(
                kind == .invalid ? .invalid : .notSupportedYet, violations.summary())
            return
        }
        if function.spec.payment?.required == true, configuration.payments == nil {
            pass.outlook.obstacle = FunctionTrouble(.paymentsNotConfigured, FunctionTrouble.paymentsRemedy)
            return
        }
        let policy = children.networkPolicy(supportsPortRanges: try await features.supportsPortRanges(api))
        try await apply(policy, observed: sources.networkPolicies.get(policy.key), of: function)
        pass.outlook.isNetworkPolicyApplied = true
        if case .refused(let reason, let message) = pass.outlook.sandbox {
            pass.outlook.obstacle = FunctionTrouble(reason, message)
            return
        }
        try await apply(children.service, observed: sources.services.get(children.service.key), of: function)
        guard let image = try await pin(function, &pass) else { return }
        pass.outlook.image = image
        try await applyDeployment(image, &pass)
    }

    private func apply<Child: KubernetesResource>(
        _ child: Child, observed: Child?, of function: Function
    ) async throws {
        let outcome = try await writer.apply(child, observed: observed, owner: function)
        if outcome == .terminating { throw ChildIsGoing(child: "\(Child.descriptor.kind) \(child.key)") }
        if outcome != .unchanged {
            logger.debug(
                "child written",
                ["kind": Child.descriptor.kind, "namespace": child.key.namespace, "name": child.key.name])
        }
    }

    /// The image by digest; a tag that is new here, or that was deployed once more, is looked up in its registry.
    private func pin(_ function: Function, _ pass: inout Pass) async throws -> PinnedImage? {
        let requested = function.spec.image
        let asked = function.metadata.annotations[FareboxAnnotation.deployedAt]
        if let known = known(requested, asked: asked, function, deployment: pass.outlook.deployment) { return known }
        do {
            let image = PinnedImage(requested, digest: try await resolver.digest(of: requested))
            resolved.remember(image, uid: function.metadata.uid, asked: asked)
            return image
        } catch let error as ImageResolverError {
            pass.outlook.obstacle = FunctionTrouble(
                .imageUnresolvable,
                """
                \(requested) does not lead to an image: \(error); correct spec.image, or push the image. The registry is \
                asked again every \(Int(polls.obstacle.components.seconds)) seconds.
                """)
            pass.requeue(after: polls.obstacle)
            return nil
        }
    }

    /// The image that needs no look-up.
    private func known(
        _ requested: String, asked: String?, _ function: Function, deployment: Deployment?
    ) -> PinnedImage? {
        // The Deployment tells after a crash between rolling out and writing the status.
        let deployed = deployment?.spec.template.spec.containers.first?.image
        let remembered = resolved.image(for: requested, uid: function.metadata.uid, asked: asked)
        guard let asked, PinnedImage(pinned: requested) == nil else {
            return PinnedImage(known: requested, previous: function.status?.image) ?? remembered
                ?? PinnedImage(known: requested, previous: deployed)
        }
        // The status may be of an earlier asking; the Deployment says of which it is.
        guard deployment?.metadata.annotations[FareboxAnnotation.deployedAt] == asked else { return remembered }
        return PinnedImage(known: requested, previous: deployed) ?? remembered
    }

    private func applyDeployment(_ image: PinnedImage, _ pass: inout Pass) async throws {
        let children = pass.outlook.children
        let observed = pass.outlook.deployment
        let pull = sources.pullCredentials(for: image)
        var wanted = try children.deployment(
            image: image, sandbox: pass.outlook.sandbox.runtimeClassName, pullsWithCredentials: pull != nil)
        if let pull { wanted.metadata.annotations[FareboxAnnotation.pullCredentials] = pull.version }
        if let asked = children.function.metadata.annotations[FareboxAnnotation.deployedAt] {
            wanted.metadata.annotations[FareboxAnnotation.deployedAt] = asked
        }
        let isSame = observed.map { Self.isSame($0, wanted) } ?? false
        let isServing = isSame && (observed?.status?.availableReplicas ?? 0) >= (wanted.spec.replicas ?? 0)
        // A settled function costs no request: what it needs was there when its replicas started.
        if !isServing, let missing = try await missingSecret(of: children.function) {
            pass.outlook.obstacle = missing
            pass.requeue(after: polls.secret)
            return
        }
        let hasPullTrouble = children.function.status?.conditions.contains {
            $0.reason == FunctionReason.imagePullFailed.rawValue
        }
        if let pull,
            hasPullTrouble == true || observed?.metadata.annotations[FareboxAnnotation.pullCredentials] != pull.version
        {
            try await apply(children.pullSecret(pull.configuration), observed: nil, of: children.function)
        }
        try await apply(wanted, observed: observed, of: children.function)
        pass.outlook.wanted = wanted
    }

    private static func isSame(_ observed: Deployment, _ wanted: Deployment) -> Bool {
        let key = FunctionChildren.templateHash
        return observed.spec.template.metadata.annotations[key] == wanted.spec.template.metadata.annotations[key]
            && observed.spec.replicas == wanted.spec.replicas
    }

    /// The first of the function's Secrets that it cannot have.
    private func missingSecret(of function: Function) async throws -> FunctionTrouble? {
        for name in function.spec.secrets {
            let key = ObjectKey(namespace: function.metadata.namespace, name: name)
            do {
                let secret = try await api.get(Secret.self, key)
                if let trouble = SecretOwnership.trouble(with: secret.metadata, of: function) { return trouble }
            } catch let error as KubernetesError where error.isNotFound {
                return FunctionTrouble(
                    .secretMissing,
                    """
                    the Secret \(name) does not exist in namespace \(key.namespace); create it (kubectl create secret \
                    generic \(name) -n \(key.namespace) --from-literal=KEY=VALUE), or take it out of spec.secrets
                    """)
            }
        }
        return nil
    }

    // MARK: - Status

    private func report(_ pass: Pass) async throws -> ReconcileOutcome {
        let function = pass.outlook.children.function
        let (status, recheckAfter) = pass.outlook.status(now: .now)
        // The balance and its condition are written by payments.
        let isShared = function.spec.payment != nil || function.status?.conditions.condition(Self.funded) != nil
        if try await statusWriter.write(status, to: function, isShared: isShared) { tell(function, status) }
        let waits = [pass.requeueAfter, recheckAfter].compactMap { $0 }
        return waits.min().map { .requeue(after: $0) } ?? .done
    }

    private static let funded = FunctionCondition.funded.rawValue

    /// Records an event when the reason of `Ready` changed.
    private func tell(_ function: Function, _ status: FunctionStatus) {
        let type = FunctionCondition.ready.rawValue
        guard let recorder, let ready = status.conditions.condition(type) else { return }
        let before = function.status?.conditions.condition(type)
        guard before?.reason != ready.reason || before?.status != ready.status else { return }
        let isStalled = status.conditions.condition(FunctionCondition.stalled.rawValue) != nil
        recorder.record(
            on: function, type: isStalled ? .warning : .normal, reason: ready.reason, action: "Reconcile",
            note: ready.message.isEmpty ? ready.reason : ready.message)
    }
}

/// A child that is being deleted: it is made anew when it is gone.
struct ChildIsGoing: Error, CustomStringConvertible {
    let child: String
    var description: String { "\(child) is being deleted; waiting to make it anew" }
}

extension FunctionReconciler {
    /// What one pass found out so far.
    struct Pass {
        var outlook: FunctionOutlook
        private(set) var requeueAfter: Duration?

        init(outlook: FunctionOutlook) {
            self.outlook = outlook
        }

        mutating func requeue(after delay: Duration) {
            requeueAfter = min(requeueAfter ?? delay, delay)
        }

        /// Takes note that something has to go before something new can come.
        mutating func wait(for reason: String, _ polls: Polls) {
            outlook.obstacle = FunctionTrouble(.pending, reason)
            outlook.isWaiting = true
            requeue(after: polls.collection)
        }

        /// Takes note that a child cannot be written.
        ///
        /// - Returns: Whether there is still a Function to tell.
        mutating func meet(_ error: ChildError, _ polls: Polls) -> Bool {
            switch error {
            case .controlledByAnother, .notOurs:
                outlook.obstacle = FunctionTrouble(
                    .nameTaken, "\(error); give this Function another name, or delete that object")
                requeue(after: polls.obstacle)
            case .awaitsGarbageCollection:
                wait(for: "\(error)", polls)
            case .ownerIsBeingDeleted: return false
            case .wrongNamespace: preconditionFailure("children are rendered into the Function's namespace")
            }
            return true
        }

        /// Takes note that the API server refuses a child.
        mutating func meet(_ error: KubernetesError, _ polls: Polls) {
            let isQuota = "\(error)".contains("exceeded quota")
            outlook.obstacle = FunctionTrouble(
                isQuota ? .quotaExceeded : .applyRefused,
                isQuota
                    ? "the namespace's quota is used up: \(error); raise it, or delete what is not needed"
                    : "the API server refuses what the Function needs: \(error)")
            requeue(after: polls.obstacle)
        }
    }
}
