/// Which connections pods may accept and open.
///
/// Source: Kubernetes API, `networking.k8s.io/v1` NetworkPolicy.
public struct NetworkPolicy: KubernetesResource, Hashable {
    /// `networkpolicies.networking.k8s.io`, v1.
    public static let descriptor = ResourceDescriptor(
        group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies")

    /// Name, labels and the like.
    public var metadata: ObjectMeta
    /// The policy itself.
    public var spec: NetworkPolicySpec

    /// Makes a policy.
    public init(metadata: ObjectMeta, spec: NetworkPolicySpec) {
        self.metadata = metadata
        self.spec = spec
    }
}

/// Which connections the selected pods may accept and open.
public struct NetworkPolicySpec: Codable, Hashable, Sendable {
    /// The pods it holds for.
    public var podSelector: LabelSelector
    /// The directions it limits: `Ingress`, `Egress`.
    public var policyTypes: [String]
    /// What may come in; an empty list allows nothing.
    @OmitEmpty public var ingress: [NetworkPolicyIngressRule]
    /// What may go out; an empty list allows nothing.
    @OmitEmpty public var egress: [NetworkPolicyEgressRule]

    /// Makes a policy.
    public init(
        podSelector: LabelSelector, policyTypes: [String], ingress: [NetworkPolicyIngressRule] = [],
        egress: [NetworkPolicyEgressRule] = []
    ) {
        self.podSelector = podSelector
        self.policyTypes = policyTypes
        self.ingress = ingress
        self.egress = egress
    }
}

/// Connections that may come in: from any of these peers to any of these ports.
public struct NetworkPolicyIngressRule: Codable, Hashable, Sendable {
    /// The peers; an empty list means everybody.
    @OmitEmpty public var from: [NetworkPolicyPeer]
    /// The ports; an empty list means all.
    @OmitEmpty public var ports: [NetworkPolicyPort]

    /// Makes a rule.
    public init(from: [NetworkPolicyPeer], ports: [NetworkPolicyPort]) {
        self.from = from
        self.ports = ports
    }
}

/// Connections that may go out: to any of these peers on any of these ports.
public struct NetworkPolicyEgressRule: Codable, Hashable, Sendable {
    /// The peers; an empty list means everybody.
    @OmitEmpty public var to: [NetworkPolicyPeer]
    /// The ports; an empty list means all.
    @OmitEmpty public var ports: [NetworkPolicyPort]

    /// Makes a rule.
    public init(to: [NetworkPolicyPeer], ports: [NetworkPolicyPort] = []) {
        self.to = to
        self.ports = ports
    }
}

/// The other end of a connection: addresses, or pods.
public struct NetworkPolicyPeer: Codable, Hashable, Sendable {
    /// Addresses; excludes the selectors.
    public var ipBlock: IPBlock?
    /// Namespaces of the pods; absent means the policy's own.
    public var namespaceSelector: LabelSelector?
    /// Pods; absent means all of the namespaces.
    public var podSelector: LabelSelector?

    /// A peer by address.
    public init(ipBlock: IPBlock) {
        self.ipBlock = ipBlock
    }

    /// A peer by labels of the namespace and of the pod; both must match.
    public init(namespaceSelector: LabelSelector?, podSelector: LabelSelector?) {
        self.namespaceSelector = namespaceSelector
        self.podSelector = podSelector
    }
}

/// A range of addresses with holes.
public struct IPBlock: Codable, Hashable, Sendable {
    /// The range.
    public var cidr: String
    /// Ranges inside it that do not belong to it.
    @OmitEmpty public var except: [String]

    /// Makes a block.
    public init(cidr: String, except: [String] = []) {
        self.cidr = cidr
        self.except = except
    }
}

/// A port, or from Kubernetes 1.25 on a range of ports.
public struct NetworkPolicyPort: Codable, Hashable, Sendable {
    /// `TCP`, `UDP` or `SCTP`.
    public var `protocol`: String?
    /// The number or name; absent means all.
    public var port: IntOrString?
    /// The last number of the range that begins with ``port``.
    public var endPort: Int32?

    /// Makes a port.
    public init(protocol: String?, port: IntOrString?, endPort: Int32? = nil) {
        self.protocol = `protocol`
        self.port = port
        self.endPort = endPort
    }
}
