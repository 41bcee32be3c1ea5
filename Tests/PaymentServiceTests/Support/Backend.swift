import CRDs
import Glibc
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Testing

/// Where a scenario runs.
enum Backend: String, Sendable {
    /// In memory.
    case memory
    /// On the kube-apiserver of `FAREBOX_TEST_KUBECONFIG`; no nodes are needed.
    case server

    private static let kubeconfig = getenv("FAREBOX_TEST_KUBECONFIG").map { String(cString: $0) }
    static let serverIsNeeded = ConditionTrait.enabled(
        if: kubeconfig != nil, "needs a kube-apiserver: run hack/test api, which sets FAREBOX_TEST_KUBECONFIG")

    func api() async throws -> any KubernetesAPI {
        switch self {
        case .memory: MemoryAPI()
        case .server: try await Self.prepared.value
        }
    }

    /// Makes a namespace of the test's own.
    func namespace(_ api: any KubernetesAPI) async throws -> String {
        let name = "test-\(UInt32.random(in: .min ... .max))"
        if self == .server { _ = try await api.create(Namespace(metadata: ObjectMeta(name: name))) }
        return name
    }

    func cleanUp(_ api: any KubernetesAPI, namespace: String) async throws {
        if self == .server { try await api.delete(Namespace.self, ObjectKey(name: namespace)) }
    }

    /// The client that all tests share, once the server knows our kinds.
    private static let prepared = Task {
        let client = try Client(ConfigurationLoader().forServer(kubeconfig: kubeconfig))
        let definitions = ResourceDescriptor(
            group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition",
            plural: "customresourcedefinitions", isNamespaced: false)
        for kind in CRDManifests.Kind.allCases {
            _ = try await client.apply(
                CRDManifests.definition(of: kind), to: ObjectKey(name: kind.name), of: definitions, as: "tests")
        }
        let end = ContinuousClock.now + .seconds(30)
        while true {
            do {
                _ = try await client.list(Function.self)
                _ = try await client.list(Receipt.self)
                return client
            } catch let error as KubernetesError where error.isNotFound && ContinuousClock.now < end {
                try await ContinuousClock().sleep(for: .milliseconds(50))
            }
        }
    }
}
