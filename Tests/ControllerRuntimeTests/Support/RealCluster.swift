import JSON
import KubernetesClient
import KubernetesTypes
import Telemetry
import Testing

/// A namespace of its own on a real API server that knows widgets.
struct RealCluster: Sendable {
    /// An administrator's client.
    let client: Client
    let namespace: String

    var scope: String { namespace }

    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: namespace, name: name) }

    /// A further client, as a process of its own would have.
    static func newClient(_ metrics: MetricsRegistry? = nil) throws -> Client {
        try Client(try ConfigurationLoader().forPerson(kubeconfig: WireWorld.kubeconfig), metrics: metrics)
    }

    /// Runs a test in a new namespace, which is deleted afterwards.
    static func run(_ body: (RealCluster) async throws -> Void) async throws {
        let client = try newClient()
        try await defineWidgets(client)
        let cluster = RealCluster(client: client, namespace: "runtime-test-\(UInt32.random(in: 0 ... .max))")
        _ = try await client.create(Namespace(metadata: ObjectMeta(name: cluster.namespace)))
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(cluster))
        } catch {
            result = .failure(error)
        }
        await cluster.releaseWidgets()
        try? await client.delete(Namespace.self, ObjectKey(name: cluster.namespace))
        try result.get()
    }

    /// A finalizer left behind would hold the namespace for ever.
    private func releaseWidgets() async {
        let widgets = (try? await client.list(Widget.self, namespace: namespace))?.items ?? []
        for widget in widgets {
            _ = try? await client.patch(Widget.self, widget.key, .merge(["metadata": ["finalizers": .null]]))
        }
    }

    private static let definitions = ResourceDescriptor(
        group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition",
        plural: "customresourcedefinitions", isNamespaced: false)

    /// Defines the kind, once for all tests, and waits until the server offers it.
    private static func defineWidgets(_ client: Client) async throws {
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "spec": [
                    "type": "object", "properties": ["size": ["type": "integer"], "note": ["type": "string"]],
                ],
                "status": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
            ],
        ]
        let version: JSONValue = [
            "name": "v1", "served": true, "storage": true, "subresources": ["status": [:]],
            "schema": ["openAPIV3Schema": schema],
        ]
        let definition: JSONValue = [
            "spec": [
                "group": "test.farebox.dev", "scope": "Namespaced",
                "names": ["kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"],
                "versions": [version],
            ]
        ]
        let key = ObjectKey(name: "widgets.test.farebox.dev")
        _ = try await client.apply(definition, to: key, of: definitions, as: "farebox-test")
        try await eventually("widgets are offered") {
            (try? await client.list(Widget.self, namespace: "default")) != nil
        }
    }
}
