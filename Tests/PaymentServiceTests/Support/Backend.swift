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

    static let serverIsNeeded = ConditionTrait.enabled(
        if: APIServer.kubeconfig != nil, Comment(rawValue: APIServer.remedy))

    func api() async throws -> any KubernetesAPI {
        switch self {
        case .memory: MemoryAPI()
        case .server: try await APIServer.client
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
}
