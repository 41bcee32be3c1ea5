"""Enforces NetworkPolicies on the one node, which Debian has no package for: policies, pods and namespaces to nftables.

    netpol.py API_URL PKI_FOLDER SOCKET NODE_ADDRESS

Each pod that a policy selects gets a chain by its address: for what it sends (egress) and for what it is sent (ingress).
Both hooks see a packet after kube-proxy's translation, so the destination is the endpoint, as under any real network plugin.

- forward: pods to pods (bridged traffic passes too, bridge-nf-call-iptables=1), to the machine, to the world, and back.
- input: pods to the node itself: the API server, the registry, DNS. Without it a policy would not cover these.
- The node's own packets (kubelet probes) pass neither.

Chains are named by their content: pods with the same rules share one, and only what is new is loaded. A new pod is never
open: the CNI plugin farebox-policy tells its address over SOCKET and starts no container before the rules stand.

The cluster's DNS is dnsmasq on the node, not a pod. Policies that select it as usual (namespace kube-system, label
k8s-app=kube-dns) mean the node's port 53.
"""

import hashlib
import ipaddress
import json
import os
import socketserver
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from kube import Key, Mirror, Object, Server, key

SETTLE_SECONDS = 0.02
POD_KNOWN_SECONDS = 5  # how long a starting pod may be unknown to our watch
DNS_PORTS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
TABLE = "ip farebox_policy"
TABLE_6 = "ip6 farebox_policy"  # pods have no IPv6 but link-local addresses, which reach each other on the bridge
SKELETON = f"""
table {TABLE} {{
  map egress {{ type ipv4_addr : verdict; }}
  map ingress {{ type ipv4_addr : verdict; }}
  chain pods {{
    ct state established,related accept
    ip saddr vmap @egress
    ip daddr vmap @ingress
  }}
  chain forward {{ type filter hook forward priority -10; policy accept; jump pods; }}
  chain input {{ type filter hook input priority -10; policy accept; iifname "cni0" jump pods; }}
}}
table {TABLE_6} {{
  chain forward {{ type filter hook forward priority -10; policy drop; }}
}}
"""


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
    """Renders a rule's ports as nftables matches, one per protocol; [""] when the rule names none, [] when none resolves."""
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
    """The chains of all selected pods, from one look at the cluster."""

    def __init__(self, policies: list[Object], pods: list[Pod], namespaces: dict[str, dict[str, str]]) -> None:
        self.namespaces = namespaces
        self.pods = pods
        self.chains: dict[str, str] = {}  # name: body
        self.maps: dict[str, dict[str, str]] = {"egress": {}, "ingress": {}}  # address: chain
        by_namespace: dict[str, list[Object]] = {}
        for policy in policies:
            by_namespace.setdefault(policy["metadata"]["namespace"], []).append(policy["spec"])
        for pod in pods:
            for direction in ("Ingress", "Egress"):
                selecting = [
                    spec
                    for spec in by_namespace.get(pod.namespace, [])
                    if direction in policy_types(spec) and matches(spec.get("podSelector") or {}, pod.labels)
                ]
                if selecting and not pod.is_dns:
                    self._add(pod, direction.lower(), selecting)

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
            return port_matches(ports, listener) if listener or not has_named(ports) else self._to_named(self.pods, ports)
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


class Firewall:
    """What nftables holds, and the loading of what differs."""

    def __init__(self) -> None:
        self.chains: set[str] = set()
        self.maps: dict[str, dict[str, str]] = {"egress": {}, "ingress": {}}
        fresh = "".join(f"table {table} {{ }}\ndelete table {table}\n" for table in (TABLE, TABLE_6))
        load(fresh + SKELETON)

    def apply(self, rules: Rules) -> None:
        """Loads the difference, as one transaction: there is no moment without a pod's rules."""
        new_chains = [
            f"  chain {name} {{\n{body}  }}\n" for name, body in rules.chains.items() if name not in self.chains
        ]
        script = [f"table {TABLE} {{\n{''.join(new_chains)}}}"] if new_chains else []
        for name, wanted in rules.maps.items():
            present = self.maps[name]
            gone = [a for a, chain in present.items() if wanted.get(a) != chain]
            new = [f"{a} : jump {chain}" for a, chain in wanted.items() if present.get(a) != chain]
            script += [f"delete element {TABLE} {name} {{ {', '.join(gone)} }}"] if gone else []
            script += [f"add element {TABLE} {name} {{ {', '.join(new)} }}"] if new else []
        script += [f"delete chain {TABLE} {name}" for name in sorted(self.chains - rules.chains.keys())]
        if script:
            load("\n".join(script) + "\n")
        self.chains, self.maps = set(rules.chains), rules.maps


def load(script: str) -> None:
    """Hands a script to nft."""
    subprocess.run(["nft", "-f", "-"], input=script.encode(), check=True)


class Enforcer:
    """Keeps the firewall as the cluster's objects and the CNI plugin's news say."""

    def __init__(self, server: Server, node_address: str) -> None:
        self.changed = threading.Event()
        self.policies = Mirror(server, "/apis/networking.k8s.io/v1/networkpolicies", self.changed.set)
        self.objects = Mirror(server, "/api/v1/pods", self.changed.set)
        self.namespaces = Mirror(server, "/api/v1/namespaces", self.changed.set)
        self.dns = Pod("kube-system", {"k8s-app": "kube-dns"}, node_address, is_dns=True)
        self.lock = threading.Lock()
        self.started: dict[Key, str] = {}  # addresses from the CNI plugin, ahead of the pods' status
        self.firewall = Firewall()

    def run(self) -> None:
        """Applies each change; a failed load is tried again."""
        for mirror in (self.policies, self.objects, self.namespaces):
            mirror.synced.wait()
        while True:
            try:
                self.synchronize()
                self.changed.wait()
            except subprocess.CalledProcessError as error:
                print(error, file=sys.stderr, flush=True)
                self.firewall = Firewall()
            time.sleep(SETTLE_SECONDS)
            self.changed.clear()

    def synchronize(self) -> None:
        """Brings the firewall to what the cluster says now."""
        with self.lock:
            namespaces = {
                item["metadata"]["name"]: {
                    "kubernetes.io/metadata.name": item["metadata"]["name"],
                    **(item["metadata"].get("labels") or {}),
                }
                for item in self.namespaces.items()
            }
            self.firewall.apply(Rules(self.policies.items(), [*self.pods(), self.dns], namespaces))

    def pods(self) -> list[Pod]:
        """Lists the pods with an address of their own; where two claim one, the plugin's news wins."""
        by_address: dict[str, tuple[bool, Pod]] = {}
        for item in self.objects.items():
            status, spec, metadata = item.get("status", {}), item["spec"], item["metadata"]
            news = self.started.get(key(item))
            address = news or status.get("podIP")
            if not address or spec.get("hostNetwork") or status.get("phase") in ("Succeeded", "Failed"):
                continue
            if address in by_address and not news:
                continue
            ports = {
                (port["name"], port.get("protocol", "TCP")): port["containerPort"]
                for container in spec["containers"]
                for port in container.get("ports") or []
                if "name" in port
            }
            pod = Pod(metadata["namespace"], metadata.get("labels") or {}, address, ports)
            by_address[address] = (bool(news), pod)
        return [pod for _, pod in sorted(by_address.values(), key=lambda entry: entry[1].address)]

    def pod_started(self, name: Key, address: str) -> None:
        """Closes a new pod's address before its containers start."""
        deadline = time.monotonic() + POD_KNOWN_SECONDS
        while not self.objects.has(name):
            if time.monotonic() > deadline:
                raise TimeoutError(f"pod {name} is unknown")
            time.sleep(SETTLE_SECONDS)
        with self.lock:
            self.started = {other: known for other, known in self.started.items() if known != address}
            self.started[name] = address
        self.synchronize()

    def pod_ended(self, name: Key, address: str) -> None:
        """Forgets a pod's address."""
        with self.lock:
            if self.started.get(name) == address or not address:
                self.started.pop(name, None)
        self.changed.set()


def serve(enforcer: Enforcer, path: str) -> None:
    """Listens for the CNI plugin: one JSON object in, "ok" or a reason out."""

    class Handler(socketserver.StreamRequestHandler):
        """One message."""

        def handle(self) -> None:
            """Answers once the rules stand."""
            try:
                message: dict[str, Any] = json.loads(self.rfile.readline(4096))
                name = (message["namespace"], message["name"])
                if message["command"] == "ADD":
                    enforcer.pod_started(name, message["address"])
                else:
                    enforcer.pod_ended(name, message.get("address", ""))
                answer = "ok"
            except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
                answer = f"{type(error).__name__}: {error}"
            self.wfile.write(answer.encode())

    if os.path.exists(path):
        os.unlink(path)
    server = socketserver.ThreadingUnixStreamServer(path, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main() -> None:
    """Runs until killed."""
    url, pki, path, node_address = sys.argv[1:]
    enforcer = Enforcer(Server(url, pki, "network"), node_address)
    serve(enforcer, path)
    enforcer.run()


main()
