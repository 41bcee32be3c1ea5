import Builds
import CRDs
import KubernetesTypes

/// The policy around all build pods: nobody reaches them, and they reach only what a build needs.
///
/// That is the resolver, the artifact store, the Internet without everything private, and the private ranges that the
/// administrator names (the registry's). The API server, other pods and the cloud's metadata are out of reach.
struct BuildNetworkPolicy {
    let configuration: RepositoryClusterConfiguration
    let network: FunctionNetworkConfiguration

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
        rules.append(NetworkPolicyEgressRule(to: PublicInternet.peers(excluding: network.clusterCIDRs)))
        let ranges = configuration.builder.egressCIDRs
        if !ranges.isEmpty {
            rules.append(
                NetworkPolicyEgressRule(
                    to: ranges.map { NetworkPolicyPeer(ipBlock: IPBlock(cidr: $0.description)) }))
        }
        return rules
    }
}
