import CRDs
import Cryptography
import JSON
import KubernetesTypes
import Timing

extension FunctionChildren {
    /// The Deployment that runs the function.
    ///
    /// - Parameters:
    ///   - image: The image by digest.
    ///   - sandbox: The RuntimeClass; `nil` only when the administrator lets functions run without.
    ///   - pullsWithCredentials: Whether the nodes need the pull Secret.
    func deployment(image: PinnedImage, sandbox: String?, pullsWithCredentials: Bool) throws -> Deployment {
        let pod = podSpec(image: image, sandbox: sandbox, pullsWithCredentials: pullsWithCredentials)
        var template = PodTemplateSpec(metadata: podMetadata, spec: pod)
        template.metadata.annotations[Self.templateHash] = try Self.hash(of: template)
        var spec = DeploymentSpec(
            replicas: function.desiredReplicas, selector: LabelSelector(matchLabels: selector), template: template)
        // A new replica takes calls before an old one stops, so no call is lost to a rollout.
        spec.strategy = .rollingUpdate(maxUnavailable: 0, maxSurge: 1)
        spec.revisionHistoryLimit = 3
        // Well after the startup probe gave up once, so that a slow start is never called a failed rollout.
        spec.progressDeadlineSeconds = max(600, Self.seconds(startTimeout) + 300)
        return Deployment(metadata: metadata(name: function.metadata.name), spec: spec)
    }

    /// The annotation of pods that tells which rendering they are of.
    static let templateHash = "farebox.dev/template-hash"

    /// 16 hexadecimal digits tell the few templates of one function apart.
    private static func hash(of template: PodTemplateSpec) throws -> String {
        String(SHA256.hash(of: try JSONWriter().encode(template)).hex.prefix(16))
    }

    private var podMetadata: ObjectMeta {
        var metadata = ObjectMeta(labels: labels, annotations: function.spec.annotations)
        // Ours win: validation refuses reserved keys, and this line does not depend on it.
        metadata.labels.merge(function.spec.labels) { ours, _ in ours }
        return metadata
    }

    private func podSpec(image: PinnedImage, sandbox: String?, pullsWithCredentials: Bool) -> PodSpec {
        var pod = PodSpec(containers: [container(image: image)])
        pod.runtimeClassName = sandbox
        pod.automountServiceAccountToken = false
        pod.enableServiceLinks = false
        pod.securityContext = podSecurityContext
        pod.volumes = volumes
        pod.imagePullSecrets = pullsWithCredentials ? [LocalObjectReference(name: pullSecretName)] : []
        pod.terminationGracePeriodSeconds = Int64(Self.seconds(timeout)) + Self.graceBeyondTimeout
        pod.dnsPolicy = configuration.network.dnsPolicy
        pod.dnsConfig = configuration.network.dnsConfig
        pod.topologySpreadConstraints = [
            TopologySpreadConstraint(
                maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: LabelSelector(matchLabels: selector))
        ]
        return pod
    }

    private func container(image: PinnedImage) -> Container {
        var container = Container(name: Self.containerName, image: image.reference)
        container.imagePullPolicy = "IfNotPresent"  // A digest never means another image.
        container.ports = [ContainerPort(name: Self.portName, containerPort: port, protocol: "TCP")]
        container.env = function.spec.environment.sorted { $0.key < $1.key }.map {
            // The kubelet would expand $(NAME); an author who writes it in a plain value means it.
            EnvironmentVariable(name: $0.key, value: Self.literal($0.value))
        }
        container.resources = resources
        container.volumeMounts = volumeMounts
        container.startupProbe = startupProbe
        container.readinessProbe = readinessProbe
        container.livenessProbe = livenessProbe
        container.terminationMessagePolicy = "FallbackToLogsOnError"
        var context = SecurityContext()
        context.runAsNonRoot = true
        context.allowPrivilegeEscalation = false
        context.privileged = false
        context.readOnlyRootFilesystem = function.spec.readOnlyRootFilesystem ?? true
        context.capabilities = Capabilities(drop: ["ALL"])
        container.securityContext = context
        return container
    }

    /// The name of the function's container.
    static let containerName = "function"

    /// `$(` begins a reference to another variable, `$$(` is the text `$(`.
    private static func literal(_ value: String) -> String { value.replacing("$(", with: "$$(") }

    private var podSecurityContext: PodSecurityContext {
        var context = PodSecurityContext()
        context.runAsNonRoot = true
        context.runAsUser = configuration.userID
        context.runAsGroup = configuration.userID
        context.fsGroup = configuration.userID
        context.seccompProfile = .runtimeDefault
        return context
    }

    // MARK: - Resources

    private var resources: ResourceRequirements {
        let defaults = configuration.resources
        let requests = function.spec.resources?.requests
        let limits = function.spec.resources?.limits
        let cpu = Self.amounts(
            requests?.cpu, limits?.cpu, defaultRequest: defaults.cpuRequest, defaultLimit: defaults.cpuLimit)
        let memory = Self.amounts(
            requests?.memory, limits?.memory, defaultRequest: defaults.memoryRequest,
            defaultLimit: defaults.memoryLimit)
        return ResourceRequirements(
            requests: ["cpu": cpu.request, "memory": memory.request, "ephemeral-storage": defaults.storageRequest],
            limits: ["cpu": cpu.limit, "memory": memory.limit, "ephemeral-storage": defaults.storageLimit])
    }

    /// Fills in what is absent, so that a request is never above its limit: the API server refuses such a pod.
    private static func amounts(
        _ request: Quantity?, _ limit: Quantity?, defaultRequest: Quantity, defaultLimit: Quantity
    ) -> (request: Quantity, limit: Quantity) {
        switch (request, limit) {
        case (let request?, let limit?): (request, limit)
        case (let request?, nil): (request, max(request, defaultLimit))
        case (nil, let limit?): (min(defaultRequest, limit), limit)
        case (nil, nil): (defaultRequest, defaultLimit)
        }
    }

    // MARK: - Files

    private var volumes: [Volume] {
        var volumes = [
            Volume(
                name: Self.temporaryVolume,
                emptyDir: EmptyDirVolumeSource(sizeLimit: configuration.resources.temporaryLimit))
        ]
        if !function.spec.secrets.isEmpty {
            let sources = function.spec.secrets.map { VolumeProjection(secret: SecretProjection(name: $0)) }
            // r--r-----, readable by the function through fsGroup.
            volumes.append(
                Volume(name: Self.secretsVolume, projected: ProjectedVolumeSource(sources: sources, defaultMode: 0o440))
            )
        }
        return volumes
    }

    private var volumeMounts: [VolumeMount] {
        var mounts = [VolumeMount(name: Self.temporaryVolume, mountPath: "/tmp")]
        if !function.spec.secrets.isEmpty {
            mounts += Self.secretDirectories.map {
                VolumeMount(name: Self.secretsVolume, mountPath: $0, readOnly: true)
            }
        }
        return mounts
    }

    private static let temporaryVolume = "tmp"
    private static let secretsVolume = "secrets"
    /// Where OpenFaaS functions look for secrets, and a shorter way to the same.
    private static let secretDirectories = ["/var/openfaas/secrets", "/secrets"]

    // MARK: - Probes

    /// Asked each second until the function answers once, so that a start costs no time beyond its own.
    ///
    /// Only where a path or a limit asks for it. A kubelet tells two probes one after the other, and before Kubernetes 1.23 the
    /// second one's turn comes up to its period later: without a path ``readinessProbe`` says all there is to say, sooner.
    private var startupProbe: Probe? {
        guard hasPath || function.spec.health?.startTimeout != nil else { return nil }
        var probe = check(function.spec.health?.path)
        probe.initialDelaySeconds = initialDelay
        probe.periodSeconds = 1
        probe.failureThreshold = Self.seconds(startTimeout)
        return probe
    }

    /// Unready after six seconds without an answer.
    private var readinessProbe: Probe {
        var probe = check(function.spec.health?.readyPath ?? function.spec.health?.path)
        probe.periodSeconds = hasPath ? 2 : 1
        probe.failureThreshold = hasPath ? 3 : 6
        if startupProbe == nil { probe.initialDelaySeconds = initialDelay }
        return probe
    }

    private var hasPath: Bool { function.spec.health?.path != nil }
    private var initialDelay: Int32? { Self.optional(duration(function.spec.health?.initialDelay)) }

    /// Only with a path: a port that accepts connections proves little, and a process that ended is restarted anyway.
    private var livenessProbe: Probe? {
        guard hasPath else { return nil }
        var probe = check(function.spec.health?.path)
        probe.periodSeconds = 10
        probe.failureThreshold = 6
        return probe
    }

    private func check(_ path: String?) -> Probe {
        var probe: Probe
        if let path {
            probe = Probe(httpGet: HTTPGetAction(path: path, port: .string(Self.portName), scheme: "HTTP"))
        } else {
            probe = Probe(tcpSocket: TCPSocketAction(port: .string(Self.portName)))
        }
        probe.timeoutSeconds = Self.seconds(duration(function.spec.health?.timeout) ?? .seconds(2))
        return probe
    }

    // MARK: - Times

    /// How long a call may take.
    var timeout: Duration {
        duration(function.spec.timeout) ?? Duration(goStyle: configuration.timeout) ?? .seconds(60)
    }

    private var startTimeout: Duration { duration(function.spec.health?.startTimeout) ?? .seconds(120) }

    /// How long a program may run without becoming ready until it counts as one that does not work.
    ///
    /// Where a node ends it after its time, a little less than that: then there is somebody to say why. Where none does, a minute.
    var startLimit: Duration {
        let limit = startupProbe == nil ? .seconds(60) : max(startTimeout - .seconds(5), startTimeout / 2)
        return limit + (duration(function.spec.health?.initialDelay) ?? .zero)
    }

    /// Seconds beyond a call's timeout until a replica that ends is killed: the endpoint's removal has to reach the
    /// gateways before they stop sending calls.
    private static let graceBeyondTimeout: Int64 = 10

    private func duration(_ text: String?) -> Duration? { text.flatMap { Duration(goStyle: $0) } }

    /// Whole seconds, rounded up, at least 1.
    ///
    /// Validation bounds every duration far below the type's range.
    private static func seconds(_ duration: Duration) -> Int32 {
        let (seconds, attoseconds) = duration.components
        return Int32(clamping: max(1, attoseconds > 0 ? seconds + 1 : seconds))
    }

    private static func optional(_ duration: Duration?) -> Int32? {
        guard let duration, duration > .zero else { return nil }
        return seconds(duration)
    }
}
