"""What policies mean, as tables: python3 -m unittest policies_test (in this folder; `hack/cluster check` runs it)."""

import unittest
from typing import Any

from policies import Pod, Rules

NAMESPACES = {
    "shop": {"kubernetes.io/metadata.name": "shop"},
    "edge": {"kubernetes.io/metadata.name": "edge", "role": "edge"},
    "kube-system": {"kubernetes.io/metadata.name": "kube-system"},
}
CART = Pod("shop", {"app": "cart"}, "10.1.0.1", {("web", "TCP"): 8080})
DATABASE = Pod("shop", {"app": "database"}, "10.1.0.2", {("sql", "TCP"): 5432})
GATEWAY = Pod("edge", {"app": "gateway"}, "10.1.0.3")
OTHER = Pod("edge", {"app": "other"}, "10.1.0.4", {("sql", "TCP"): 15432})
DNS = Pod("kube-system", {"k8s-app": "kube-dns"}, "10.2.0.1", is_dns=True)
PODS = [CART, DATABASE, GATEWAY, OTHER, DNS]


def policy(**spec: Any) -> dict[str, Any]:
    """Makes a policy for the cart."""
    return {
        "metadata": {"namespace": "shop", "name": "p"},
        "spec": {"podSelector": {"matchLabels": {"app": "cart"}}, **spec},
    }


def specs(*policies: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Takes policies as the rules take them."""
    return [(item["metadata"]["namespace"], item["spec"]) for item in policies]


def lines(direction: str, *policies: dict[str, Any], pod: Pod = CART) -> list[str] | None:
    """Returns a pod's chain without its final drop; None when the pod has none, and is open."""
    rules = Rules(specs(*policies), PODS, NAMESPACES)
    name = rules.maps[direction].get(pod.address)
    if name is None:
        return None
    body = [line.strip() for line in rules.chains[name].splitlines()]
    assert body[-1] == "drop"
    return [line.removesuffix("return").strip() for line in body[:-1]]


class PolicyMeaning(unittest.TestCase):
    """One sentence of the NetworkPolicy reference each."""

    def test_a_pod_no_policy_selects_is_open(self) -> None:
        for pod in (DATABASE, GATEWAY, DNS):
            self.assertIsNone(lines("ingress", policy(policyTypes=["Ingress"]), pod=pod))

    def test_only_the_directions_of_policyTypes_are_closed(self) -> None:
        self.assertEqual(lines("ingress", policy(policyTypes=["Ingress"])), [])
        self.assertIsNone(lines("egress", policy(policyTypes=["Ingress"])))
        self.assertEqual(lines("egress", policy(egress=[])), [])

    def test_an_empty_rule_allows_all(self) -> None:
        self.assertEqual(lines("ingress", policy(policyTypes=["Ingress"], ingress=[{}])), [""])

    def test_an_empty_selector_selects_the_namespace_of_the_policy(self) -> None:
        rule: dict[str, Any] = {"from": [{"podSelector": {}}]}
        self.assertEqual(lines("ingress", policy(ingress=[rule])), ["ip saddr { 10.1.0.1, 10.1.0.2 }"])

    def test_both_selectors_of_one_peer_must_match(self) -> None:
        selector = {
            "namespaceSelector": {"matchLabels": {"role": "edge"}},
            "podSelector": {"matchLabels": {"app": "gateway"}},
        }
        rule = {"from": [selector], "ports": [{"port": "web"}]}
        self.assertEqual(lines("ingress", policy(ingress=[rule])), ["ip saddr { 10.1.0.3 } tcp dport { 8080 }"])

    def test_peers_that_match_nothing_allow_nothing(self) -> None:
        for peer in ({"podSelector": {"matchLabels": {"app": "none"}}}, {"ipBlock": {"cidr": "::/0"}}):
            self.assertEqual(lines("ingress", policy(ingress=[{"from": [peer]}])), [])

    def test_a_block_has_exceptions_that_another_rule_may_allow(self) -> None:
        block = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "10.1.0.0/16", "fc00::/7"]}}]}
        one = {"to": [{"ipBlock": {"cidr": "10.9.0.0/32"}}], "ports": [{"port": 80}, {"port": 443, "protocol": "UDP"}]}
        self.assertEqual(
            lines("egress", policy(policyTypes=["Egress"], egress=[block, one])),
            [
                "ip daddr 0.0.0.0/0 ip daddr != { 10.0.0.0/8 }",
                "ip daddr 10.9.0.0/32 tcp dport { 80 }",
                "ip daddr 10.9.0.0/32 udp dport { 443 }",
            ],
        )

    def test_several_policies_add_up(self) -> None:
        first = policy(ingress=[{"from": [{"ipBlock": {"cidr": "1.0.0.0/8"}}]}])
        second = policy(ingress=[{"from": [{"ipBlock": {"cidr": "2.0.0.0/8"}}]}])
        self.assertEqual(lines("ingress", first, second), ["ip saddr 1.0.0.0/8", "ip saddr 2.0.0.0/8"])

    def test_ports_are_ranges_or_whole_protocols_too(self) -> None:
        ports = [{"port": 8000, "endPort": 8010}, {"protocol": "UDP"}]
        self.assertEqual(
            lines("ingress", policy(ingress=[{"ports": ports}])), ["meta l4proto udp", "tcp dport { 8000-8010 }"]
        )

    def test_a_named_port_is_the_receiving_pods(self) -> None:
        rule = {"to": [{"namespaceSelector": {}}], "ports": [{"port": "sql"}]}
        self.assertEqual(
            lines("egress", policy(policyTypes=["Egress"], egress=[rule])),
            ["ip daddr 10.1.0.2 tcp dport { 5432 }", "ip daddr 10.1.0.4 tcp dport { 15432 }"],
        )
        self.assertEqual(lines("ingress", policy(ingress=[{"ports": [{"port": "unknown"}]}])), [])

    def test_dns_is_port_53_of_the_node_and_no_more(self) -> None:
        peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
        both = ["ip daddr 10.2.0.1 tcp dport { 53 }", "ip daddr 10.2.0.1 udp dport { 53 }"]
        for ports, expected in (
            (None, both),
            ([{"port": 53, "protocol": "UDP"}], both[1:]),
            ([{"port": 53}], both[:1]),
            ([{"port": 6443}], []),
        ):
            rule = {"to": [peer]} | ({"ports": ports} if ports else {})
            self.assertEqual(lines("egress", policy(policyTypes=["Egress"], egress=[rule])), expected)

    def test_expressions_select_as_labels_do(self) -> None:
        for operator, values, selected in (
            ("In", ["cart", "x"], True),
            ("NotIn", ["cart"], False),
            ("Exists", None, True),
            ("DoesNotExist", None, False),
        ):
            expression = {"key": "app", "operator": operator} | ({"values": values} if values else {})
            closed = policy(policyTypes=["Ingress"]) | {}
            closed["spec"]["podSelector"] = {"matchExpressions": [expression]}
            self.assertEqual(lines("ingress", closed) is not None, selected, operator)

    def test_pods_with_the_same_rules_share_a_chain(self) -> None:
        closed = policy(policyTypes=["Ingress"])
        closed["spec"]["podSelector"] = {}
        rules = Rules(specs(closed), PODS, NAMESPACES)
        self.assertEqual(len(rules.chains), 1)
        self.assertEqual(sorted(rules.maps["ingress"]), ["10.1.0.1", "10.1.0.2"])


if __name__ == "__main__":
    unittest.main()
