import CRDs
import KubernetesTypes

/// The objects that one Function becomes, and what they have in common.
struct FunctionChildren: Sendable {
    let function: Function
    let configuration: FunctionClusterConfiguration

    /// The labels by which Services, policies and Deployments select the function's pods; they never change.
    var selector: [String: String] { [FareboxLabel.name: function.metadata.name] }

    /// The selector in the form of the scale subresource.
    var selectorText: String { LabelSelector(matchLabels: selector).queryValue }

    /// The labels of every child, pods included.
    var labels: [String: String] {
        var labels = selector
        labels[FareboxLabel.managedBy] = FareboxLabel.managedByFarebox
        labels[FareboxLabel.component] = FareboxLabel.functionComponent
        if let identity = function.identity { labels.merge(identity.labels) { _, new in new } }
        return labels
    }

    /// Metadata of a child; the writer adds the owner reference.
    func metadata(name: String) -> ObjectMeta {
        ObjectMeta(name: name, namespace: function.metadata.namespace, labels: labels)
    }

    /// The port the function listens on.
    var port: Int32 { function.spec.port ?? FunctionSpec.portDefault }

    /// The Service in front of the pods.
    ///
    /// Its endpoints are what the gateway calls.
    var service: Service {
        Service(
            metadata: metadata(name: function.serviceName),
            spec: ServiceSpec(
                type: "ClusterIP",
                selector: selector,
                ports: [
                    ServicePort(name: Self.portName, port: port, targetPort: .string(Self.portName), protocol: "TCP")
                ]
            ))
    }

    /// The name of the function's port in pods and Services.
    static let portName = "http"

    /// The name of the Secret with the registry credentials that the nodes pull the function's image with.
    var pullSecretName: String { function.metadata.name + "-pull" }
}
