/// A name and an address for a set of pods.
///
/// Source: Kubernetes API, `core/v1` Service.
public struct Service: KubernetesResource, Hashable {
    /// `services`, core group.
    public static let descriptor = ResourceDescriptor(version: "v1", kind: "Service", plural: "services")

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// What should be.
    public var spec: ServiceSpec

    /// Makes a Service.
    public init(metadata: ObjectMeta, spec: ServiceSpec) {
        self.metadata = metadata
        self.spec = spec
    }
}

/// What a Service should be.
public struct ServiceSpec: Codable, Hashable, Sendable {
    /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
    public var type: String?
    /// The address, chosen by the server when absent; `None` for a headless Service.
    public var clusterIP: String?
    /// Labels of the pods behind it.
    @OmitEmpty public var selector: [String: String]
    /// What it listens on.
    @OmitEmpty public var ports: [ServicePort]

    /// Makes a specification.
    public init(
        type: String? = nil, clusterIP: String? = nil, selector: [String: String] = [:], ports: [ServicePort] = []
    ) {
        self.type = type
        self.clusterIP = clusterIP
        self.selector = selector
        self.ports = ports
    }
}

/// A port of a Service.
public struct ServicePort: Codable, Hashable, Sendable {
    /// The port's name, unique in its Service.
    @OmitEmpty public var name: String
    /// The number clients use.
    public var port: Int32
    /// The number or name on the pods; the server's default is ``port``.
    public var targetPort: IntOrString?
    /// `TCP`, `UDP` or `SCTP`.
    public var `protocol`: String?
    /// The number on each node, for `NodePort` Services.
    public var nodePort: Int32?

    /// Makes a port.
    public init(name: String = "", port: Int32, targetPort: IntOrString? = nil, protocol: String? = nil) {
        self.name = name
        self.port = port
        self.targetPort = targetPort
        self.protocol = `protocol`
    }
}
