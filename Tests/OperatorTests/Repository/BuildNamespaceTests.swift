import Builds
import CRDs
import ControllerRuntime
import Cryptography
import HTTP
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Telemetry
import Testing

@testable import Operator

@Suite("The namespace of builds", .timeLimit(.minutes(10)))
struct BuildNamespaceTests {
    private func config(_ password: String) -> Base64Bytes {
        Base64Bytes(utf8: #"{"auths":{"registry.test":{"username":"u","password":"\#(password)"}}}"#)
    }

    @Test("has its fence before any build, and the registry's password anew when that changes")
    func password() async throws {
        let api = MemoryAPI()
        var configuration = RepositoryClusterConfiguration()
        configuration.registry.push = "registry.test"
        let (namespace, builds) = (configuration.systemNamespace, configuration.buildsNamespace)
        let reference = SecretReference(namespace: namespace, name: "farebox-registry")
        configuration.registry.credentials = reference
        _ = try await api.create(
            Secret(
                metadata: ObjectMeta(name: reference.name, namespace: reference.namespace),
                data: [PullCredentials.dataKey: config("one")]))
        var managing = ManagerConfiguration()
        managing.handlesSignals = false
        managing.healthAddress = nil
        // Its end is the end of the process, with all tests in it.
        managing.gracePeriod = .seconds(600)
        let manager = Manager(api: api, configuration: managing, metrics: MetricsRegistry())
        let client = HTTPClient()
        let office = BuildOffice(
            configuration: configuration, network: FunctionNetworkConfiguration(), api: api,
            artifacts: ArtifactAccess(api: api, namespace: namespace, client: client, baseURL: "http://builder.test"),
            registry: RegistryClient(client: client), metrics: RepositoryMetrics(manager.metrics))
        BuildNamespace.install(in: manager, office: office, password: reference)

        let running = Task { try await manager.run() }
        try await eventually("the first password is there") { try await held(api, builds)?.contains("one") == true }
        let policies = try await api.list(NetworkPolicy.self, namespace: builds).items
        _ = try await api.patch(
            Secret.self, reference.key,
            .merge(["data": [PullCredentials.dataKey: .string(Base64.encode(config("two").bytes, .standard))]]))
        try await eventually("the new password is there") { try await held(api, builds)?.contains("two") == true }
        running.cancel()
        _ = await running.result

        #expect(!policies.isEmpty)
    }

    /// What builds push with.
    private func held(_ api: MemoryAPI, _ namespace: String) async throws -> String? {
        let secrets = try await api.list(Secret.self, namespace: namespace).items
        return secrets.compactMap { $0[PullCredentials.dataKey] }.first.map { String(decoding: $0, as: UTF8.self) }
    }

    private func eventually(_ what: Comment, _ check: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(300)
        while ContinuousClock.now < end {
            if try await check() { return }
            // A look now and then: nothing tells when it is so.
            try? await Task.sleep(for: .milliseconds(2))
        }
        Issue.record(what)
    }
}
