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

    static let kubeconfig = getenv("FAREBOX_TEST_KUBECONFIG").map { String(cString: $0) }
    static var hasServer: Bool { kubeconfig != nil }
    /// The places for scenarios that run in each of them.
    static var available: [Backend] { hasServer ? [.memory, .server] : [.memory] }
    static let serverIsNeeded = ConditionTrait.enabled(
        if: hasServer, "needs a kube-apiserver: run hack/test api, which sets FAREBOX_TEST_KUBECONFIG")

    func api() async throws -> any KubernetesAPI {
        switch self {
        case .memory: MemoryAPI()
        case .server: try await Self.prepared.value
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
                _ = try await client.list(Repository.self)
                _ = try await client.list(Receipt.self)
                return client
            } catch let error as KubernetesError where error.isNotFound && ContinuousClock.now < end {
                try await ContinuousClock().sleep(for: .milliseconds(50))
            }
        }
    }
}
