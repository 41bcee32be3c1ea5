public import KubernetesTypes

/// What functions can reach, and who reaches them.
public struct FunctionNetworkConfiguration: Codable, Hashable, Sendable {
    /// The gateway's pods: the only ones that may call functions.
    public var gateway = PodSelection(
        namespace: "farebox-system",
        podLabels: ["app.kubernetes.io/name": "farebox", "app.kubernetes.io/component": "gateway"])
    /// The resolver that functions may ask.
    public var dns = FunctionDNSConfiguration()
    /// The cluster's own ranges (pods, Services, nodes, API server) where they are not private ones already.
    public var clusterCIDRs: [AddressRange] = []
    /// Private ranges that functions may list in `spec.egress`; none by default.
    public var allowedPrivateCIDRs: [AddressRange] = []
    /// The TCP ports open to the outside on servers older than Kubernetes 1.22, whose policies cannot say "all but 25".
    public var egressPortsWithoutRanges = defaultPorts
    /// The pods' `dnsPolicy`.
    public var dnsPolicy = "ClusterFirst"
    /// The pods' `dnsConfig`, needed when ``dnsPolicy`` is `None`.
    public var dnsConfig: PodDNSConfig?

    /// Makes the default configuration.
    public init() {}

    /// Ports of the usual protocols: web, registries, Git, mail submission and reading, databases, queues, and those
    /// that people run trial servers on.
    ///
    /// Never 25, which is for servers to pass mail on, and for spam.
    private static let defaultPorts: [Int32] = [
        20, 21, 22, 43, 53, 80, 110, 143, 443, 465, 587, 853, 989, 990, 993, 995, 1433, 1883, 2049, 3000, 3128, 3306,
        4000,
        4222, 5000, 5001, 5222, 5432, 5671, 5672, 6333, 6379, 6443, 7687, 8000, 8008, 8080, 8081, 8082, 8088, 8090,
        8123,
        8443, 8529, 8883, 8888, 9000, 9042, 9090, 9092, 9093, 9200, 9418, 9443, 11211, 18080, 19000, 26257, 27017,
    ]

    /// Decodes a configuration; absent fields get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ absent: Value) throws -> Value {
            try container.decodeIfPresent(Value.self, forKey: key) ?? absent
        }
        let defaults = FunctionNetworkConfiguration()
        gateway = try value(.gateway, defaults.gateway)
        dns = try value(.dns, defaults.dns)
        clusterCIDRs = try value(.clusterCIDRs, defaults.clusterCIDRs)
        allowedPrivateCIDRs = try value(.allowedPrivateCIDRs, defaults.allowedPrivateCIDRs)
        egressPortsWithoutRanges = try value(.egressPortsWithoutRanges, defaults.egressPortsWithoutRanges)
        dnsPolicy = try value(.dnsPolicy, defaults.dnsPolicy)
        dnsConfig = try value(.dnsConfig, defaults.dnsConfig)
    }

    /// Returns what is wrong with the configuration, one sentence each.
    func validate() -> [String] {
        var problems: [String] = []
        if !["ClusterFirst", "Default", "None"].contains(dnsPolicy) {
            problems.append("network.dnsPolicy: \"\(dnsPolicy)\" must be ClusterFirst, Default or None")
        }
        if dnsPolicy == "None", dnsConfig?.nameservers.isEmpty != false {
            problems.append("network.dnsConfig: dnsPolicy None needs nameservers")
        }
        if gateway.podLabels.isEmpty {
            problems.append("network.gateway.podLabels: is empty; then every pod of the namespace could call functions")
        }
        if egressPortsWithoutRanges.contains(where: { !(1...65535).contains($0) || $0 == mailPort }) {
            problems.append("network.egressPortsWithoutRanges: ports are from 1 to 65535, and never 25")
        }
        return problems
    }

    /// Every port but the one of mail servers.
    ///
    /// A policy can only allow, so on servers that know no ranges the ports that people use are listed one by one.
    func outsidePorts(supportsPortRanges: Bool) -> [NetworkPolicyPort] {
        let udp = NetworkPolicyPort(protocol: "UDP", port: nil)
        guard supportsPortRanges else {
            return egressPortsWithoutRanges.map { NetworkPolicyPort(protocol: "TCP", port: .int($0)) } + [udp]
        }
        return [
            NetworkPolicyPort(protocol: "TCP", port: .int(1), endPort: mailPort - 1),
            NetworkPolicyPort(protocol: "TCP", port: .int(mailPort + 1), endPort: 65535), udp,
        ]
    }

    /// The port on which mail servers pass mail on (RFC 5321): blocked, because spam is the first thing a stranger sends.
    static let mailPort: Int32 = 25
    private var mailPort: Int32 { Self.mailPort }
}

/// Pods by namespace and labels.
public struct PodSelection: Codable, Hashable, Sendable {
    /// The namespace, known by its label `kubernetes.io/metadata.name`.
    ///
    /// Servers set that label from 1.21 on; on 1.20 somebody has to (our manifests do for our namespace).
    public var namespace: String
    /// Labels of the pods.
    public var podLabels: [String: String]

    /// Selects pods.
    public init(namespace: String, podLabels: [String: String]) {
        self.namespace = namespace
        self.podLabels = podLabels
    }

    /// The selection as a peer of a network policy.
    var peer: NetworkPolicyPeer {
        NetworkPolicyPeer(
            namespaceSelector: LabelSelector(matchLabels: ["kubernetes.io/metadata.name": namespace]),
            podSelector: LabelSelector(matchLabels: podLabels))
    }
}

/// The resolver that functions may ask: pods, addresses, or both.
///
/// A policy is compared with the address behind a Service in most clusters, and with the Service's own in some: name both
/// when the resolver is given by address.
public struct FunctionDNSConfiguration: Codable, Hashable, Sendable {
    /// The resolver's pods; nil when it does not run in pods.
    public var pods: PodSelection?
    /// The resolver's addresses.
    public var cidrs: [AddressRange]
    /// The ports it listens on, after any translation by a Service.
    public var ports: [Int32]

    /// Names a resolver.
    public init(pods: PodSelection?, cidrs: [AddressRange] = [], ports: [Int32] = [53]) {
        self.pods = pods
        self.cidrs = cidrs
        self.ports = ports
    }

    /// The resolver that most clusters have: the pods `k8s-app=kube-dns` in `kube-system`, any namespace's labels on 1.20.
    public init() {
        self.init(pods: PodSelection(namespace: "kube-system", podLabels: ["k8s-app": "kube-dns"]))
    }

    /// Decodes a resolver; whoever gives addresses and no pods means no pods.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let cidrs = try container.decodeIfPresent([AddressRange].self, forKey: .cidrs) ?? []
        let pods = try container.decodeIfPresent(PodSelection.self, forKey: .pods)
        self.init(
            pods: pods ?? (cidrs.isEmpty ? FunctionDNSConfiguration().pods : nil),
            cidrs: cidrs,
            ports: try container.decodeIfPresent([Int32].self, forKey: .ports) ?? [53])
    }

    /// The resolver as peers of a network policy.
    var peers: [NetworkPolicyPeer] {
        (pods.map { [$0.peer] } ?? []) + cidrs.map { NetworkPolicyPeer(ipBlock: IPBlock(cidr: $0.description)) }
    }
}
