import CRDs
import Commands
import JSON
import KubernetesClient
import KubernetesTypes
import YAML

/// What the cluster's own Farebox says about itself, as far as a person's commands need it.
struct ClusterSettings: Sendable, Hashable {
    /// The prefix that images are pushed to; nil when nobody says.
    var push: String?
    /// The prefix that nodes pull the same images from; as ``push`` when nil.
    var pull: String?
    /// Keys of labels that functions may have.
    var allowedLabels: [String]?
    /// Keys of annotations that functions may have.
    var allowedAnnotations: [String]?

    private static let configurationFile = "farebox.yaml"

    /// Settings of which nothing is known but where images go.
    init(push: String? = nil) { self.push = push }

    /// Reads the shared configuration file of Farebox's processes, and of it what is for people.
    ///
    /// - Throws: `YAMLError`.
    init(configuration bytes: [UInt8]) throws {
        let root = try YAMLReader().parse(bytes)
        func text(_ node: YAMLNode?) -> String? { node?.text.flatMap { $0.isEmpty ? nil : $0 } }
        func texts(_ node: YAMLNode?) -> [String]? { node?.elements?.compactMap(\.text) }
        push = text(root["registry"]?["push"])
        pull = text(root["registry"]?["pull"])
        allowedLabels = texts(root["functions"]?["allowedLabels"])
        allowedAnnotations = texts(root["functions"]?["allowedAnnotations"])
    }

    /// Asks the cluster: the ConfigMap that the builder's Deployment mounts.
    ///
    /// - Returns: Nil for somebody who may not read it.
    /// - Throws: `KubernetesError`.
    static func read(_ api: some KubernetesAPI) async throws -> ClusterSettings? {
        do {
            let deployment = try await api.get(
                Deployment.descriptor, ObjectKey(namespace: Cluster.systemNamespace, name: ClusterBuilder.service))
            guard let name = configurationName(deployment) else { return nil }
            let map = try await api.get(
                ConfigMap.self, ObjectKey(namespace: Cluster.systemNamespace, name: name))
            guard let text = map.data[configurationFile] else { return nil }
            return try? ClusterSettings(configuration: Array(text.utf8))
        } catch let error as KubernetesError where error.isForbidden || error.isNotFound {
            return nil
        }
    }

    /// The name of the ConfigMap in a Deployment's volumes; kustomize puts a digest behind it.
    static func configurationName(_ deployment: JSONValue) -> String? {
        let volumes = deployment[path: "spec", "template", "spec", "volumes"]?.arrayValue ?? []
        return volumes.compactMap { $0[path: "configMap", "name"]?.stringValue }
            .first { $0.hasPrefix("farebox-config") }
    }
}
