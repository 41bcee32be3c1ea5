import CRDs
import ControllerRuntime
import KubernetesTypes

/// What the Function controller reads: all of it from memory, kept up to date by watches.
struct FunctionSources: Sendable {
    let functions: Informer<Function>
    let deployments: Informer<Deployment>
    let services: Informer<Service>
    let networkPolicies: Informer<NetworkPolicy>
    let pods: Informer<Pod>
    let runtimeClasses: Informer<RuntimeClass>
    /// The one Secret with registry credentials; nil when the configuration names none.
    let credentials: Informer<Secret>?

    private static let byFunction = "function"
    private static let byDomain = "domain"

    init(_ informers: SharedInformers, _ configuration: FunctionClusterConfiguration) {
        let children = InformerScope(
            namespace: configuration.namespace,
            labelSelector: LabelSelector(matchLabels: [
                FareboxLabel.managedBy: FareboxLabel.managedByFarebox,
                FareboxLabel.component: FareboxLabel.functionComponent,
            ]).queryValue)
        functions = informers.informer(Function.self, scope: InformerScope(namespace: configuration.namespace))
        deployments = informers.informer(Deployment.self, scope: children)
        services = informers.informer(Service.self, scope: children)
        networkPolicies = informers.informer(NetworkPolicy.self, scope: children)
        pods = informers.informer(Pod.self, scope: children) { $0.spec = nil }
        runtimeClasses = informers.informer(RuntimeClass.self)
        credentials = configuration.pullCredentials.map {
            informers.informer(
                Secret.self,
                scope: InformerScope(namespace: $0.namespace, fieldSelector: "metadata.name=\($0.name)"))
        }
        functions.addIndex(Self.byDomain) { $0.spec.domains }
        pods.addIndex(Self.byFunction) { pod in Self.function(of: pod).map { ["\($0)"] } ?? [] }
    }

    /// The pods of a function.
    func pods(of function: Function) -> [Pod] { pods.objects(index: Self.byFunction, value: "\(function.key)") }

    /// The Functions that want a domain.
    func functions(wanting domain: String) -> [Function] { functions.objects(index: Self.byDomain, value: domain) }

    /// The Function a pod belongs to.
    static func function(of pod: Pod) -> ObjectKey? {
        pod.metadata.labels[FareboxLabel.name].map { ObjectKey(namespace: pod.metadata.namespace, name: $0) }
    }

    /// The credentials that the nodes need for an image, and which version of the Secret they are from.
    func pullCredentials(for image: PinnedImage) -> (configuration: [UInt8], version: String)? {
        guard let secret = credentials?.list().first, let credentials = PullCredentials(secret),
            let configuration = credentials.configuration(forImage: image.reference)
        else { return nil }
        return (configuration, "\(secret.metadata.uid).\(secret.metadata.resourceVersion)")
    }
}
