import Builds
import CRDs
import KubernetesTypes

/// The policy around all build pods: nobody reaches them, and they reach only what a build needs.
///
/// That is the resolver, the artifact store, the Internet without everything private, registries that are named by their
/// address, and the private ranges that the administrator names. The API server, other pods and the cloud's metadata are
/// out of reach.
struct BuildNetworkPolicy {
    let configuration: RepositoryClusterConfiguration
    let network: FunctionNetworkConfiguration
    /// Whether the server knows ranges of ports (`endPort`, Kubernetes 1.22 and newer).
    let supportsPortRanges: Bool

    static let name = "farebox-builds"

    /// The policy.
    var policy: NetworkPolicy {
        NetworkPolicy(
            metadata: ObjectMeta(
                name: Self.name, namespace: configuration.buildsNamespace,
                labels: [
                    FareboxLabel.managedBy: FareboxLabel.managedByFarebox, FareboxLabel.component: BuildJob.component,
                ]),
            spec: NetworkPolicySpec(
                // Every pod of the namespace, so that none is forgotten.
                podSelector: LabelSelector(), policyTypes: ["Ingress", "Egress"], egress: egress))
    }

    private var egress: [NetworkPolicyEgressRule] {
        let dnsPorts = network.dns.ports.flatMap { port in
            ["UDP", "TCP"].map { NetworkPolicyPort(protocol: $0, port: .int(port)) }
        }
        var rules: [NetworkPolicyEgressRule] = []
        // A rule without peers would mean everybody.
        if !network.dns.peers.isEmpty { rules.append(NetworkPolicyEgressRule(to: network.dns.peers, ports: dnsPorts)) }
        rules.append(
            NetworkPolicyEgressRule(
                to: [configuration.builder.artifactPods.peer],
                ports: [NetworkPolicyPort(protocol: "TCP", port: .int(configuration.builder.artifactPort))]))
        rules.append(
            NetworkPolicyEgressRule(
                to: PublicInternet.peers(excluding: network.clusterCIDRs),
                ports: network.outsidePorts(supportsPortRanges: supportsPortRanges)))
        for (range, port) in registries {
            rules.append(
                NetworkPolicyEgressRule(
                    to: [NetworkPolicyPeer(ipBlock: IPBlock(cidr: range.description))],
                    ports: [NetworkPolicyPort(protocol: "TCP", port: .int(port))]))
        }
        let ranges = configuration.builder.egressCIDRs
        if !ranges.isEmpty {
            rules.append(
                NetworkPolicyEgressRule(
                    to: ranges.map { NetworkPolicyPeer(ipBlock: IPBlock(cidr: $0.description)) },
                    ports: configuration.builder.egressPorts.map {
                        NetworkPolicyPort(protocol: "TCP", port: .int($0))
                    }))
        }
        return rules
    }

    /// The registries that are named by an address, with their ports; those with a name may be anywhere.
    private var registries: [(AddressRange, Int32)] {
        let registry = configuration.registry
        let names = [registry.push] + registry.insecure + registry.mirrors.values
        var found: [String: (AddressRange, Int32)] = [:]
        for name in names {
            let host = name.split(separator: "/").first.map(String.init) ?? ""
            let parts = host.split(separator: ":")
            guard !host.hasPrefix("["), (1...2).contains(parts.count),
                let range = AddressRange(parts[0] + "/32")
            else { continue }
            let port = parts.count == 2 ? Int32(parts[1]) : registry.insecure.contains(host) ? 80 : 443
            if let port { found["\(range) \(port)"] = (range, port) }
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }
}
