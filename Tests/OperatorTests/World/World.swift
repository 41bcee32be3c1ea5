import CRDs
import ControllerRuntime
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Synchronization
import Telemetry
import Testing
import Timing
import YAML

@testable import Operator

/// A namespace on an API server with the Function controller at work, and a test that plays the rest of the cluster.
///
/// There are no nodes: the test writes what Deployments and pods would say.
final class World: Sendable {
    /// The API as the test uses it.
    let api: any KubernetesAPI
    /// The API as the controller uses it.
    let controllerAPI: RecordingAPI
    let namespace: String
    let resolver = StubResolver()
    /// The records of domains.
    let lookup = StubLookup()
    private let backend: Backend
    private let running = Mutex<Task<Void, any Error>?>(nil)

    /// Makes a namespace and, unless told otherwise, starts a controller there.
    init(on backend: Backend, fault: RecordingAPI.Fault? = nil, isStarted: Bool = true) async throws {
        self.backend = backend
        api = try await backend.api()
        controllerAPI = RecordingAPI(api, fault: fault)
        namespace = try await backend.namespace(api)
        if isStarted { start(configuration()) }
    }

    deinit {
        // A test that ended early.
        running.withLock { $0?.cancel() }
    }

    /// Starts the controller.
    func start(_ configuration: FunctionClusterConfiguration) {
        var managing = ManagerConfiguration()
        managing.handlesSignals = false
        managing.healthAddress = nil
        // Its end is the end of the process, with all tests in it.
        managing.gracePeriod = .seconds(600)
        let manager = Manager(api: controllerAPI, configuration: managing, metrics: MetricsRegistry())
        var polls = FunctionReconciler.Polls()
        polls.secret = .milliseconds(50)
        polls.obstacle = .milliseconds(50)
        polls.collection = .milliseconds(50)
        FunctionController.install(
            in: manager, api: controllerAPI, configuration: configuration, resolver: resolver, lookup: lookup,
            recorder: nil, polls: polls)
        running.withLock { $0 = Task { try await manager.run() } }
    }

    /// Stops the controller and starts another one.
    func restart(_ configuration: FunctionClusterConfiguration? = nil) async throws {
        try await stop()
        start(configuration ?? self.configuration())
    }

    private func stop() async throws {
        let task = running.withLock { $0 }
        task?.cancel()
        try await task?.value
    }

    /// Stops the controller and clears up.
    func end() async throws {
        try await stop()
        try await backend.cleanUp(api, namespace: namespace)
    }

    /// The default RuntimeClass is one of this world's own, so that tests do not meet.
    var runtimeClassName: String { "sandbox-\(namespace)" }

    func configuration() -> FunctionClusterConfiguration {
        var configuration = FunctionClusterConfiguration()
        configuration.namespace = namespace
        configuration.runtimeClassName = runtimeClassName
        return configuration
    }

    // MARK: - Objects

    func makeRuntimeClass(_ name: String? = nil) async throws {
        _ = try await api.create(
            RuntimeClass(metadata: ObjectMeta(name: name ?? runtimeClassName), handler: "runsc"))
    }

    @discardableResult
    func makeFunction(_ name: String = "hello", spec: String) async throws -> Function {
        let spec = try YAMLReader().decode(FunctionSpec.self, from: Array(spec.utf8))
        return try await api.create(Function(metadata: ObjectMeta(name: name, namespace: namespace), spec: spec))
    }

    func key(_ name: String = "hello") -> ObjectKey { ObjectKey(namespace: namespace, name: name) }

    func get<Resource: KubernetesResource>(
        _ type: Resource.Type, _ name: String = "hello"
    ) async throws -> Resource? {
        do {
            return try await api.get(type, key(name))
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    func has<Resource: KubernetesResource>(_ type: Resource.Type, _ name: String = "hello") async throws -> Bool {
        try await get(type, name) != nil
    }

    // MARK: - What the cluster would do

    /// Plays the deployment controller: all replicas of the newest version are there, and available of them take calls.
    func playRollout(_ name: String = "hello", available: Int32? = nil, conditions: [Condition] = []) async throws {
        let deployment = try #require(try await get(Deployment.self, name))
        let count = deployment.spec.replicas ?? 1
        var status = DeploymentStatus()
        status.observedGeneration = deployment.metadata.generation
        status.replicas = count
        status.updatedReplicas = count
        status.availableReplicas = available ?? count
        status.readyReplicas = available ?? count
        status.conditions = conditions
        let patch: JSONValue = ["status": try JSONWriter().value(of: status)]
        _ = try await api.patch(Deployment.self, key(name), .merge(patch), subresource: "status")
    }

    /// Plays a pod of the newest version, with the status given as JSON.
    func playPod(_ pod: String, of name: String = "hello", status: JSONValue) async throws {
        let deployment = try #require(try await get(Deployment.self, name))
        var spec = PodSpec(containers: [Container(name: "function", image: "x")])
        spec.automountServiceAccountToken = false  // Nobody makes tokens here.
        let metadata = ObjectMeta(
            name: pod, namespace: namespace, labels: deployment.spec.template.metadata.labels,
            annotations: deployment.spec.template.metadata.annotations)
        if try await get(Pod.self, pod) == nil {
            _ = try await api.create(Pod(metadata: metadata, spec: spec))
        }
        _ = try await api.patch(Pod.self, key(pod), .merge(["status": status]), subresource: "status")
    }

    // MARK: - Waiting

    /// Waits until a Function is as `condition` wants it.
    @discardableResult
    func eventually(
        _ name: String = "hello", within limit: Duration = .seconds(300), _ condition: (Function) -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Function {
        var last: Function?
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if let function = try await get(Function.self, name) {
                if condition(function) { return function }
                last = function
            }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
        Issue.record("not within \(limit): \(String(describing: last?.status))", sourceLocation: sourceLocation)
        throw DeadlineExceeded(limit: limit)
    }

    /// Waits until `condition` holds.
    func eventually(
        within limit: Duration = .seconds(300), _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
        Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
        throw DeadlineExceeded(limit: limit)
    }
}

extension Function {
    /// The reason of `Ready`, once it is about this generation.
    var reason: String? {
        guard status?.observedGeneration == metadata.generation else { return nil }
        return status?.conditions.condition("Ready")?.reason
    }

    var message: String { status?.conditions.condition("Ready")?.message ?? "" }

    var isReady: Bool { reason != nil && status?.conditions.condition("Ready")?.status == .true }

    var isStalled: Bool { status?.conditions.condition("Stalled")?.status == .true }
}

/// A registry that knows what the test says.
final class StubResolver: ImageResolver {
    private let known = Mutex<[String: String]>([:])
    private let asked = Mutex<[String]>([])

    /// The references that were asked for.
    var references: [String] { asked.withLock { $0 } }

    func know(_ reference: String, _ digest: String) {
        known.withLock { $0[reference] = digest }
    }

    func digest(of reference: String) async throws -> String {
        asked.withLock { $0.append(reference) }
        guard let digest = known.withLock({ $0[reference] }) else {
            throw ImageResolverError("the registry answered 404 MANIFEST_UNKNOWN")
        }
        return digest
    }
}
