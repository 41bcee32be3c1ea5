import Glibc
import KubernetesClient
import KubernetesTypes
import Telemetry
import Testing

/// The API server that tests may use: the one in `FAREBOX_TEST_KUBECONFIG`.
///
/// `hack/test api` starts one and sets the variable. Each test works in a namespace of its own.
enum APIServer {
    static let path = getenv("FAREBOX_TEST_KUBECONFIG").map { String(cString: $0) }

    /// The trait of suites that need an API server.
    static let isGiven = ConditionTrait.enabled(
        if: path != nil, "needs a kube-apiserver: run hack/test api, which sets FAREBOX_TEST_KUBECONFIG")

    /// The configuration of an administrator.
    static func configuration() throws -> ClientConfiguration {
        try ConfigurationLoader().forPerson(kubeconfig: path)
    }

    /// A client of an administrator.
    static func client(_ metrics: MetricsRegistry? = nil) throws -> Client {
        try Client(configuration(), metrics: metrics)
    }

    /// Runs a test in a new namespace, which is deleted afterwards.
    static func withNamespace(
        _ client: any KubernetesAPI, _ body: (String) async throws -> Void
    ) async throws {
        let name = "client-test-\(UInt32.random(in: 0 ... .max))"
        _ = try await client.create(Namespace(metadata: ObjectMeta(name: name)))
        do {
            try await body(name)
        } catch {
            try? await client.delete(Namespace.self, ObjectKey(name: name))
            throw error
        }
        try await client.delete(Namespace.self, ObjectKey(name: name))
    }
}
