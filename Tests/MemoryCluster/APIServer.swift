import CRDs
import Glibc
public import KubernetesClient
import KubernetesTypes

/// The kube-apiserver of `FAREBOX_TEST_KUBECONFIG`, for tests that need a real one; it needs no nodes.
public enum APIServer {
    /// Its kubeconfig file; nil where there is no server.
    public static let kubeconfig = getenv("FAREBOX_TEST_KUBECONFIG").map { String(cString: $0) }
    /// What is said of a test that is skipped for want of it.
    public static let remedy = "needs a kube-apiserver: run hack/test api, which sets FAREBOX_TEST_KUBECONFIG"

    /// The client that all tests share, once the server knows our kinds.
    public static var client: Client {
        get async throws { try await prepared.value }
    }

    private static let prepared = Task {
        let client = try Client(ConfigurationLoader().forServer(kubeconfig: kubeconfig))
        let definitions = ResourceDescriptor(
            group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition",
            plural: "customresourcedefinitions", isNamespaced: false)
        for kind in CRDManifests.Kind.allCases {
            _ = try await client.apply(
                CRDManifests.definition(of: kind), to: ObjectKey(name: kind.name), of: definitions, as: "tests")
        }
        let end = ContinuousClock.now + .seconds(120)
        while true {
            do {
                _ = try await client.list(Function.self)
                _ = try await client.list(Repository.self)
                _ = try await client.list(Receipt.self)
                return client
            } catch let error as KubernetesError where error.isNotFound && ContinuousClock.now < end {
                // Nothing tells that the server serves a kind from now on.
                try await ContinuousClock().sleep(for: .milliseconds(50))
            }
        }
    }
}
