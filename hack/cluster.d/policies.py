"""NetworkPolicies to nftables chains: the rules, without an effect. netpol.py loads them.

Each pod that a policy selects gets a chain by its address, for what it sends (egress) and what it is sent (ingress).
A chain returns for what is allowed and drops the rest. It is named by its content: pods with the same rules share one.

The cluster's DNS is dnsmasq on the node, not a pod. Policies that select it as usual (namespace kube-system, label
k8s-app=kube-dns) mean the node's port 53.
"""

import hashlib
import ipaddress
from dataclasses import dataclass, field

from kube import Object

DNS_PORTS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]


@dataclass(frozen=True)
class Pod:
    """A pod with an address, as policies see it."""

    namespace: str
    labels: dict[str, str]
    address: str
    ports: dict[tuple[str, str], int] = field(default_factory=dict)  # (name, protocol): number
    is_dns: bool = False


def matches(selector: Object, labels: dict[str, str]) -> bool:
    """Tells whether a label selector selects these labels; an empty one selects all."""
    if any(labels.get(name) != value for name, value in (selector.get("matchLabels") or {}).items()):
        return False
    for expression in selector.get("matchExpressions") or []:
        name, values = expression["key"], expression.get("values") or []
        holds = {
            "In": labels.get(name) in values,
            "NotIn": labels.get(name) not in values,
            "Exists": name in labels,
            "DoesNotExist": name not in labels,
        }[expression["operator"]]
        if not holds:
            return False
    return True


def port_number(port: int | str, protocol: str, pod: Pod | None) -> int | None:
    """Resolves a port by the names of the pod that listens."""
    if isinstance(port, int):
        return port
    return pod.ports.get((port, protocol)) if pod else None


def port_matches(ports: list[Object] | None, listener: Pod | None) -> list[str]:
    """Renders a rule's ports as nftables matches, one per protocol.

    A rule without ports gives [""], one whose names no pod knows gives [].
    """
    if not ports:
        return [""]
    by_protocol: dict[str, list[str]] = {}
    for port in ports:
        protocol = port.get("protocol", "TCP")
        numbers = by_protocol.setdefault(protocol, [])
        if "port" not in port:
            numbers.append("0-65535")
        elif (number := port_number(port["port"], protocol, listener)) is not None:
            numbers.append(f"{number}-{port['endPort']}" if "endPort" in port else str(number))
    return [
        f"meta l4proto {name.lower()} " if "0-65535" in numbers else f"{name.lower()} dport {{ {', '.join(numbers)} }} "
        for name, numbers in by_protocol.items()
        if numbers
    ]


class Rules:
    """The chains of all selected pods, from one look at the cluster: policies are a namespace and a spec each."""

    def __init__(
        self, policies: list[tuple[str, Object]], pods: list[Pod], namespaces: dict[str, dict[str, str]]
    ) -> None:
        self.namespaces = namespaces
        self.pods = pods
        self.chains: dict[str, str] = {}  # name: body
        self.maps: dict[str, dict[str, str]] = {"egress": {}, "ingress": {}}  # address: chain
        by_namespace: dict[str, list[Object]] = {}
        for namespace, spec in policies:
            by_namespace.setdefault(namespace, []).append(spec)
        for pod in (pod for pod in pods if not pod.is_dns):
            specs = by_namespace.get(pod.namespace, [])
            selecting = [spec for spec in specs if matches(spec.get("podSelector") or {}, pod.labels)]
            for direction in ("Ingress", "Egress"):
                if of_direction := [spec for spec in selecting if direction in policy_types(spec)]:
                    self._add(pod, direction.lower(), of_direction)

    def _add(self, pod: Pod, direction: str, selecting: list[Object]) -> None:
        lines = set()
        for spec in selecting:
            for rule in spec.get(direction) or []:
                lines.update(self._allowed(pod, direction, rule))
        body = "".join(f"    {line} return\n" for line in sorted(lines)) + "    drop\n"
        name = f"{direction}_{hashlib.sha256(body.encode()).hexdigest()[:16]}"
        self.chains[name] = body
        self.maps[direction][pod.address] = name

    def _allowed(self, pod: Pod, direction: str, rule: Object) -> list[str]:
        """Renders one rule of a policy as the matches that let a packet pass."""
        ports = rule.get("ports")
        peers = rule.get("from" if direction == "ingress" else "to")
        side = "saddr" if direction == "ingress" else "daddr"
        listener = pod if direction == "ingress" else None
        if not peers:
            if direction == "egress" and has_named(ports):
                return self._to_named(self.pods, ports)
            return port_matches(ports, listener)
        lines = []
        for peer in peers:
            if "ipBlock" in peer:
                block = block_match(side, peer["ipBlock"])
                lines += [f"{block}{match}" for match in port_matches(ports, listener)] if block else []
                continue
            selected = [other for other in self.pods if self._is_peer(other, peer, pod.namespace)]
            for other in (other for other in selected if other.is_dns and direction == "egress"):
                wanted = [port for port in DNS_PORTS if not ports or any(covers(given, port) for given in ports)]
                lines += [f"ip daddr {other.address} {match}" for match in port_matches(wanted, None) if wanted]
            selected = [other for other in selected if not other.is_dns]
            if direction == "egress" and has_named(ports):
                lines += self._to_named(selected, ports)
            elif selected:
                addresses = ", ".join(sorted(other.address for other in selected))
                lines += [f"ip {side} {{ {addresses} }} {match}" for match in port_matches(ports, listener)]
        return lines

    def _to_named(self, pods: list[Pod], ports: list[Object] | None) -> list[str]:
        """Ports by name mean another number on each receiving pod."""
        return [f"ip daddr {pod.address} {match}" for pod in pods for match in port_matches(ports, pod)]

    def _is_peer(self, other: Pod, peer: Object, namespace: str) -> bool:
        if "namespaceSelector" in peer:
            if not matches(peer["namespaceSelector"] or {}, self.namespaces.get(other.namespace, {})):
                return False
        elif other.namespace != namespace:
            return False
        return matches(peer.get("podSelector") or {}, other.labels)


def policy_types(spec: Object) -> list[str]:
    """Returns a policy's directions; the API server fills them in, older objects may lack them."""
    return spec.get("policyTypes") or ["Ingress"] + (["Egress"] if "egress" in spec else [])


def has_named(ports: list[Object] | None) -> bool:
    """Tells whether a rule names a port by a word."""
    return any(isinstance(port.get("port"), str) for port in ports or [])


def covers(given: Object, wanted: Object) -> bool:
    """Tells whether a rule's port covers one of DNS."""
    if given.get("protocol", "TCP") != wanted["protocol"]:
        return False
    first = given.get("port")
    if first is None or first in ("dns", "dns-tcp"):
        return True
    return isinstance(first, int) and first <= wanted["port"] <= given.get("endPort", first)


def block_match(side: str, block: Object) -> str:
    """Renders an ipBlock; empty for an IPv6 block, as pods have no IPv6 here."""
    network = ipaddress.ip_network(block["cidr"], strict=False)
    if network.version != 4:
        return ""
    networks = [ipaddress.ip_network(text, strict=False) for text in block.get("except") or []]
    excepted = ipaddress.collapse_addresses(item for item in networks if isinstance(item, ipaddress.IPv4Network))
    unless = ", ".join(str(item) for item in excepted)
    return f"ip {side} {network} " + (f"ip {side} != {{ {unless} }} " if unless else "")
