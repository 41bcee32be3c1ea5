import JSON
import KubernetesClient
import KubernetesTypes
import Synchronization
import Telemetry
import Testing
import Timing

@testable import ControllerRuntime

@Suite("An operator on a real API server", WireWorld.isGiven, .timeLimit(.minutes(10)))
struct OperatorAPIServerTests {
    func isSettled(_ cluster: RealCluster, _ world: OutsideWorld) async throws -> Bool {
        let widgets = try await cluster.client.list(Widget.self, namespace: cluster.namespace).items
        let parts = try await cluster.client.list(
            ConfigMap.self, namespace: cluster.namespace,
            options: ListOptions(labelSelector: "test.farebox.dev/widget")
        ).items
        let wanted = widgets.flatMap { widget in (0..<widget.spec.size).map { WidgetReconciler.part($0, of: widget) } }
        guard Set(parts.map(\.key)) == Set(wanted.map(\.key)) else {
            return false
        }
        let data = Dictionary(parts.map { ($0.key, $0.data) }, uniquingKeysWith: { first, _ in first })
        return wanted.allSatisfy { data[$0.key] == $0.data }
            && widgets.allSatisfy {
                $0.status?.observedGeneration == $0.metadata.generation && $0.status?.parts == $0.spec.size
            }
            && world.entries.count == widgets.count
    }

    /// Requests so far by method, as the metrics count them.
    func requests(_ metrics: MetricsRegistry) -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("rest_client_requests_total{") {
            let method = line.split(separator: #"method=""#).last?.split(separator: "\"").first.map(String.init) ?? ""
            counts[method, default: 0] += Int(line.split(separator: " ").last ?? "") ?? 0
        }
        return counts
    }

    @Test("Objects come, change and go, and a second life finds nothing to do")
    func lifeOfWidgets() async throws {
        try await RealCluster.run { cluster in
            let world = OutsideWorld()
            let scope = InformerScope(namespace: cluster.namespace)
            _ = try await cluster.client.create(Widget("kept", namespace: cluster.namespace, size: 2, note: "old"))
            _ = try await cluster.client.create(Widget("doomed", namespace: cluster.namespace, size: 1))
            let first = WidgetOperator(api: try RealCluster.newClient(), world: world, scope: scope)
            try await during(first.run) {
                try await eventually("the first state") { try await isSettled(cluster, world) }
                _ = try await cluster.client.patch(
                    Widget.self, cluster.key("kept"), .merge(["spec": ["size": 3, "note": "new"]]))
                _ = try await cluster.client.patch(
                    ConfigMap.self, cluster.key("kept-0"), .merge(["data": ["note": "wrong", "theirs": "x"]]))
                try await cluster.client.delete(ConfigMap.self, cluster.key("kept-1"))
                try await cluster.client.delete(Widget.self, cluster.key("doomed"))
                try await eventually("the second state") {
                    let part = try? await cluster.client.get(ConfigMap.self, cluster.key("kept-0"))
                    return part?.data == ["note": "new", "number": "0", "theirs": "x"]
                }
                _ = try await cluster.client.patch(
                    ConfigMap.self, cluster.key("kept-0"), .merge(["data": ["theirs": .null]]))
                try await eventually("the end") { try await isSettled(cluster, world) }
            }

            let metrics = MetricsRegistry()
            let second = WidgetOperator(api: try RealCluster.newClient(metrics), world: world, scope: scope)
            try await during(second.run) {
                try await eventually("the cache is there") { second.manager.readiness.failing.isEmpty }
                try await eventually("every widget was looked at") {
                    second.controller.queue.depth == 0 && second.controller.queue.snapshot().added > 0
                }
                try await eventually("both watches are open") { requests(metrics)["GET", default: 0] >= 4 }
                let settled = requests(metrics)
                for _ in 0..<20 {
                    second.controller.enqueue(cluster.key("kept"))
                    try await eventually("it was looked at") { second.controller.queue.depth == 0 }
                }
                #expect(requests(metrics) == settled)
                #expect(settled == ["GET": 4])
            }
        }
    }

    @Test("A version that the server has forgotten leads to a new list and to the server's state")
    func compactedVersion() async throws {
        try await RealCluster.run { cluster in
            let api = ForgetfulAPI(real: cluster.client)
            _ = try await cluster.client.create(Widget("a", namespace: cluster.namespace))
            let informer = Informer<Widget>(
                api: api, scope: InformerScope(namespace: cluster.namespace), limits: .impatient)
            let deletions = Mutex<[Bool]>([])
            informer.addHandler { event in
                if case .deleted(_, let isUnknown) = event {
                    deletions.withLock { $0.append(isUnknown) }
                }
            }

            try await during(informer.run) {
                try await eventually("the watch is open") { api.watch != nil && informer.count == 1 }
                api.forgetsVersion = true
                api.cut()
                try await cluster.client.delete(Widget.self, cluster.key("a"))
                _ = try await cluster.client.create(Widget("b", namespace: cluster.namespace))
                api.forgetsVersion = false
                try await eventually("the new state is seen") {
                    informer.list().map(\.metadata.name) == ["b"]
                }
            }

            #expect(deletions.withLock { $0.count } == 1)
        }
    }

    @Test("Of two managers one leads; a clean stop hands over at once, a kill when the lease expires")
    func takeover() async throws {
        try await RealCluster.run { cluster in
            let electors = try (0..<3).map { number in
                LeaderElector(
                    api: try RealCluster.newClient(),
                    configuration: LeaderElectionConfiguration(
                        namespace: cluster.namespace, name: "lease", identity: "candidate-\(number)"),
                    metrics: MetricsRegistry(), logger: Logger(label: "test"))
            }
            let runs = electors.map { elector in Task { await elector.run() } }
            @Sendable func leader(besides former: [Int]) async throws -> Int {
                let found = Mutex<Int?>(nil)
                try await eventually("somebody leads") {
                    let leading = electors.indices.filter { electors[$0].leads.isOpen && !former.contains($0) }
                    #expect(leading.count <= 1)
                    found.withLock { $0 = leading.first }
                    return !leading.isEmpty
                }
                return try #require(found.withLock { $0 })
            }

            let first = try await leader(besides: [])
            electors[first].stop()
            _ = await runs[first].value
            let givenBack = try await cluster.client.get(Lease.self, cluster.key("lease"))
            let second = try await leader(besides: [first])
            let killed = ContinuousClock.now
            runs[second].cancel()
            _ = try await leader(besides: [first, second])
            let afterKill = killed.duration(to: .now)
            runs.forEach { $0.cancel() }
            for run in runs {
                _ = await run.value
            }

            let lease = try await cluster.client.get(Lease.self, cluster.key("lease"))
            // Nobody has to wait for the lease to expire. How long either takes on a quiet machine, the end-to-end test says.
            #expect(givenBack.spec.holderIdentity != "candidate-\(first)")
            #expect(afterKill < .seconds(60))
            #expect(lease.spec.leaseTransitions == 2)
        }
    }
}

/// Passes everything on, and can break the watch and ask for a version that is long gone.
private final class ForgetfulAPI: KubernetesAPI {
    private struct State {
        var forgetsVersion = false
        var watch: (any ByteStream)?
    }

    private let real: Client
    private let state = Mutex(State())

    init(real: Client) {
        self.real = real
    }

    var watch: (any ByteStream)? { state.withLock { $0.watch } }

    var forgetsVersion: Bool {
        get { state.withLock { $0.forgetsVersion } }
        set { state.withLock { $0.forgetsVersion = newValue } }
    }

    func cut() {
        watch?.cancel()
    }

    func send(_ request: APIRequest) async throws -> [UInt8] {
        try await real.send(request)
    }

    func open(_ request: APIRequest) async throws -> any ByteStream {
        var request = request
        if forgetsVersion {
            request.query.removeAll { $0.name == "resourceVersion" }
            request.query.append((name: "resourceVersion", value: "1"))
        }
        let stream = try await real.open(request)
        state.withLock { $0.watch = stream }
        return stream
    }
}
