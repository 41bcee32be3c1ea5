import CRDs
import ControllerRuntime
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Scaling
import Synchronization
import Telemetry
import Testing
import Timing

@testable import Operator

/// What a gateway reports, as the test says it; it counts who asks.
private final class StubReport: Sendable {
    private struct State {
        var report: LoadReport?
        var asked = 0
    }

    private let state = Mutex(State())

    var asked: Int { state.withLock { $0.asked } }

    /// From now on reports this; nothing but an error when it is nil.
    func tell(_ report: LoadReport?) {
        state.withLock { $0.report = report }
    }

    func response(_ path: String) -> HTTPResponse {
        state.withLock { state in
            state.asked += 1
            guard path == LoadReport.path, let report = state.report, let body = try? JSONWriter().encode(report) else {
                return HTTPResponse(.internalServerError)
            }
            return HTTPResponse(.ok, body: .bytes(body))
        }
    }
}

@Suite("The autoscaler", .timeLimit(.minutes(10)))
struct AutoscalerAPIServerScenarios {
    /// A namespace with gateways and functions, and an autoscaler at work.
    private final class Scene: Sendable {
        let backend: Backend
        let api: any KubernetesAPI
        let recording: RecordingAPI
        let namespace: String
        let report = StubReport()
        let server: HTTPServer
        private let running: Task<Void, any Error>

        init(on backend: Backend) async throws {
            self.backend = backend
            api = try await backend.api()
            recording = RecordingAPI(api)
            namespace = try await backend.namespace(api)
            let report = report
            var serving = HTTPServerConfiguration()
            serving.address = "127.0.0.1"
            server = HTTPServer(configuration: serving) { request in report.response(request.path) }
            var configuration = AutoscalerConfiguration()
            configuration.namespace = namespace
            configuration.gatewayNamespace = namespace
            configuration.gatewayPort = try server.start()
            configuration.interval = .milliseconds(20)
            var managing = ManagerConfiguration()
            managing.handlesSignals = false
            managing.healthAddress = nil
            // Its end is the end of the process, with all tests in it.
            managing.gracePeriod = .seconds(600)
            let manager = Manager(api: recording, configuration: managing, metrics: MetricsRegistry())
            Autoscaler.install(in: manager, api: recording, configuration: configuration)
            running = Task { try await manager.run() }
        }

        func end() async throws {
            running.cancel()
            try await running.value
            await server.shutdown(grace: .zero)
            try await backend.cleanUp(api, namespace: namespace)
        }

        /// Makes a gateway known at these addresses.
        func makeGateways(_ addresses: [String]) async throws {
            let metadata = ObjectMeta(
                name: "farebox-gateway-x", namespace: namespace,
                labels: [EndpointSlice.serviceNameLabel: "farebox-gateway"])
            let slice = EndpointSlice(
                metadata: metadata, endpoints: addresses.map { Endpoint(addresses: [$0]) },
                ports: [EndpointPort(name: "http", port: 8080)])
            let descriptor =
                try await api.firstOffered([EndpointSlice.descriptor, EndpointSliceV1Beta1.descriptor])
                ?? EndpointSlice.descriptor
            _ = try await api.create(slice, at: descriptor)
        }

        /// Makes a function with replicas that have taken calls for an hour.
        func makeFunction(_ name: String = "f", replicas: Int32, scale: FunctionScale) async throws {
            var function = Function(
                metadata: ObjectMeta(name: name, namespace: namespace), spec: FunctionSpec(image: "example.com/i:1"))
            function.spec.replicas = replicas
            function.spec.scale = scale
            _ = try await api.create(function)
            let condition: JSONValue = [
                "type": "Available", "status": "True", "reason": "Available",
                "lastTransitionTime": .string("\(Time(Timestamp.now - .seconds(3600)))"),
            ]
            _ = try await api.patch(
                Function.self, ObjectKey(namespace: namespace, name: name),
                .merge(["status": ["conditions": [condition]]]), subresource: "status")
        }

        func replicas(_ name: String = "f") async throws -> Int32? {
            try await api.get(Function.self, ObjectKey(namespace: namespace, name: name)).spec.replicas
        }

        func eventually(
            _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
        ) async throws {
            let end = ContinuousClock.now + .seconds(300)
            while try await !condition() {
                guard ContinuousClock.now < end else {
                    Issue.record("not within five minutes: \(what)", sourceLocation: sourceLocation)
                    throw DeadlineExceeded(limit: .seconds(300))
                }
                try await ContinuousClock().sleep(for: .milliseconds(5))
            }
        }

        func load(inFlight: Int, idle: Double) -> LoadReport {
            LoadReport(
                gateway: "stub", uptimeSeconds: 7200,
                functions: [
                    FunctionLoad(namespace: namespace, name: "f", inFlight: inFlight, busySeconds: 5, idleSeconds: idle)
                ])
        }
    }

    @Test("An idle function goes to zero, and then nobody is asked any more", arguments: Backend.available)
    func idle(backend: Backend) async throws {
        let scene = try await Scene(on: backend)
        scene.report.tell(scene.load(inFlight: 0, idle: 400))
        try await scene.makeGateways(["127.0.0.1"])
        try await scene.makeFunction(replicas: 2, scale: FunctionScale(min: 0, idleAfter: "5m"))

        try await scene.eventually("it sleeps") { try await scene.replicas() == 0 }

        var asked = -1
        try await scene.eventually("nobody asks") {
            defer { asked = scene.report.asked }
            // Three intervals without a question.
            try await ContinuousClock().sleep(for: .milliseconds(60))
            return scene.report.asked == asked
        }
        #expect(scene.recording.requests.filter { $0.contains("functions") }.count == 1)
        try await scene.end()
    }

    @Test("Many calls at once add replicas up to the greatest number", arguments: Backend.available)
    func load(backend: Backend) async throws {
        let scene = try await Scene(on: backend)
        scene.report.tell(scene.load(inFlight: 45, idle: 0))
        try await scene.makeGateways(["127.0.0.1"])

        try await scene.makeFunction(replicas: 1, scale: FunctionScale(max: 4, targetConcurrency: 10))

        try await scene.eventually("it has four") { try await scene.replicas() == 4 }
        try await scene.end()
    }

    @Test("A gateway that does not answer keeps what is there", arguments: Backend.available)
    func unheard(backend: Backend) async throws {
        let scene = try await Scene(on: backend)
        scene.report.tell(scene.load(inFlight: 0, idle: 400))
        // Nothing listens at the second address.
        try await scene.makeGateways(["127.0.0.1", "127.0.0.2"])
        try await scene.makeFunction(replicas: 2, scale: FunctionScale(min: 0, idleAfter: "5m"))

        try await scene.eventually("it was looked at ten times") { scene.report.asked >= 10 }

        let replicas = try await scene.replicas()
        #expect(replicas == 2)
        try await scene.end()
    }
}
