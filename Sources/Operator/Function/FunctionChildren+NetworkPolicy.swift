import CRDs
import KubernetesTypes

extension FunctionChildren {
    /// The policy around the function: in from the gateway only, out as `spec.egress` says, and nothing else.
    ///
    /// - Parameter supportsPortRanges: Whether the server knows ranges of ports (`endPort`, Kubernetes 1.22 and newer).
    func networkPolicy(supportsPortRanges: Bool) -> NetworkPolicy {
        NetworkPolicy(
            metadata: metadata(name: function.metadata.name),
            spec: NetworkPolicySpec(
                podSelector: LabelSelector(matchLabels: selector),
                policyTypes: ["Ingress", "Egress"],
                ingress: [
                    NetworkPolicyIngressRule(
                        from: [configuration.network.gateway.peer],
                        ports: [NetworkPolicyPort(protocol: "TCP", port: .int(port))])
                ],
                egress: egressRules(supportsPortRanges: supportsPortRanges)))
    }

    private func egressRules(supportsPortRanges: Bool) -> [NetworkPolicyEgressRule] {
        let peers: [NetworkPolicyPeer]
        switch function.spec.egress ?? .internet {
        case .none, .malformed: return []
        case .internet: peers = PublicInternet.peers(excluding: configuration.network.clusterCIDRs)
        case .ranges(let texts):
            // What is no range was refused by validation; leaving it out here can only close, never open.
            peers = texts.compactMap { AddressRange($0) }.map {
                PublicInternet.peer(for: $0, excluding: configuration.network.clusterCIDRs)
            }
        }
        // A rule without peers would mean everybody.
        guard !peers.isEmpty else { return [] }
        return dnsRules + [
            NetworkPolicyEgressRule(
                to: peers, ports: configuration.network.outsidePorts(supportsPortRanges: supportsPortRanges))
        ]
    }

    private var dnsRules: [NetworkPolicyEgressRule] {
        let dns = configuration.network.dns
        guard !dns.peers.isEmpty else { return [] }
        let ports = dns.ports.flatMap { port in
            ["UDP", "TCP"].map { NetworkPolicyPort(protocol: $0, port: .int(port)) }
        }
        return [NetworkPolicyEgressRule(to: dns.peers, ports: ports)]
    }
}
