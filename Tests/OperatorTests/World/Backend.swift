import CRDs
import ControllerRuntime
import Glibc
import JSON
import KubernetesClient
import KubernetesTypes
import MemoryCluster
import Testing

/// Where a scenario runs.
enum Backend: String, Sendable, CustomTestStringConvertible {
    /// In memory.
    case memory
    /// On the kube-apiserver of `FAREBOX_TEST_KUBECONFIG`; no nodes are needed.
    case server

    var testDescription: String { rawValue }

    static var hasServer: Bool { APIServer.kubeconfig != nil }
    /// The places for scenarios that run in each of them.
    static var available: [Backend] { hasServer ? [.memory, .server] : [.memory] }
    static let serverIsNeeded = ConditionTrait.enabled(if: hasServer, Comment(rawValue: APIServer.remedy))

    func api() async throws -> any KubernetesAPI {
        switch self {
        case .memory: MemoryAPI()
        case .server: try await APIServer.client
        }
    }

    /// Makes a namespace of the test's own.
    func namespace(_ api: any KubernetesAPI) async throws -> String {
        let name = "test-\(UInt32.random(in: .min ... .max))"
        guard self == .server else { return name }
        _ = try await api.create(Namespace(metadata: ObjectMeta(name: name)))
        // Pods are refused until the namespace has its default account; its controller takes its time when many
        // namespaces are made at once.
        do {
            _ = try await api.create(ServiceAccount(metadata: ObjectMeta(name: "default", namespace: name)))
        } catch let error as KubernetesError where error.isAlreadyExists {
            // The controller was quicker.
        }
        return name
    }

    func cleanUp(_ api: any KubernetesAPI, namespace: String) async throws {
        guard self == .server else { return }
        try await api.delete(Namespace.self, ObjectKey(name: namespace))
        try? await api.delete(RuntimeClass.self, ObjectKey(name: "sandbox-\(namespace)"))
    }
}
