"""Enforces NetworkPolicies on the one node, which Debian has no package for: the API server's objects to nftables.

    netpol.py API_URL PKI_FOLDER SOCKET NODE_ADDRESS

Both hooks see a packet after kube-proxy's translation: the destination is the endpoint, as under any network plugin.

- forward: pods to pods (bridged traffic passes too, bridge-nf-call-iptables=1), to the machine, to the world, and back.
- input: pods to the node itself: the API server, the registry, DNS. Without it a policy would not cover these.
- The node's own packets (kubelet probes) pass neither.

A new pod is never open: the CNI plugin farebox-policy tells its address over SOCKET, and no container starts before the
rules stand. What a rule means is in policies.py.
"""

import json
import os
import socketserver
import subprocess
import sys
import threading
import time
from typing import Any

from kube import Key, Mirror, Server, key
from policies import Pod, Rules

SETTLE_SECONDS = 0.02
POD_KNOWN_SECONDS = 5  # how long a starting pod may be unknown to our watch
RULES_SECONDS = 20  # how long the rules of a starting pod may take: on a busy machine two hundred start at once
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


class Firewall:
    """What nftables holds, and the loading of what differs."""

    def __init__(self) -> None:
        self.chains: set[str] = set()
        self.maps: dict[str, dict[str, str]] = {"egress": {}, "ingress": {}}
        # Whatever an earlier run left goes in the same transaction that loads the first rules.
        self.first = "".join(f"table {table} {{ }}\ndelete table {table}\n" for table in (TABLE, TABLE_6)) + SKELETON

    def apply(self, rules: Rules) -> None:
        """Loads the difference, as one transaction: there is no moment without a pod's rules."""
        script = [self.first] if self.first else []
        new_chains = [
            f"  chain {name} {{\n{body}  }}\n" for name, body in rules.chains.items() if name not in self.chains
        ]
        script += [f"table {TABLE} {{\n{''.join(new_chains)}}}"] if new_chains else []
        for name, wanted in rules.maps.items():
            present = self.maps[name]
            gone = [a for a, chain in present.items() if wanted.get(a) != chain]
            new = [f"{a} : jump {chain}" for a, chain in wanted.items() if present.get(a) != chain]
            script += [f"delete element {TABLE} {name} {{ {', '.join(gone)} }}"] if gone else []
            script += [f"add element {TABLE} {name} {{ {', '.join(new)} }}"] if new else []
        script += [f"delete chain {TABLE} {name}" for name in sorted(self.chains - rules.chains.keys())]
        if script:
            load("\n".join(script) + "\n")
        self.chains, self.maps, self.first = set(rules.chains), rules.maps, ""


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
        # Addresses from the CNI plugin, ahead of the pods' status. Replaced by each piece of news, never changed.
        self.started: dict[Key, str] = {}
        self.news = threading.Condition()
        self.told = 0  # pieces of news from the CNI plugin, and how many of them the firewall holds
        self.applied_news = 0
        self.firewall = Firewall()
        self.applied: Any = None  # what the firewall was made from

    def wait_until_known(self) -> None:
        """Returns once the cluster's objects are known: rules made of half of them would be open."""
        for mirror in (self.policies, self.objects, self.namespaces):
            mirror.synced.wait()

    def run(self) -> None:
        """Applies each change; a failed load is tried again."""
        while True:
            self.changed.wait()
            time.sleep(SETTLE_SECONDS)
            self.changed.clear()
            with self.news:
                told = self.told
            try:
                self.synchronize()
            except subprocess.CalledProcessError as error:
                print(error, file=sys.stderr, flush=True)
                self.firewall = Firewall()
                self.changed.set()
                continue
            with self.news:
                self.applied_news = told
                self.news.notify_all()

    def synchronize(self) -> None:
        """Brings the firewall to what the cluster says now."""
        namespaces = {
            item["metadata"]["name"]: {
                "kubernetes.io/metadata.name": item["metadata"]["name"],
                **(item["metadata"].get("labels") or {}),
            }
            for item in self.namespaces.items()
        }
        specs = [(item["metadata"]["namespace"], item["spec"]) for item in self.policies.items()]
        seen = (specs, [*self.pods(), self.dns], namespaces)
        if seen != self.applied:  # most changes of a pod are none to us
            self.applied = None
            self.firewall.apply(Rules(*seen))
            self.applied = seen

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
        with self.news:
            self.started = {other: known for other, known in self.started.items() if known != address} | {name: address}
            self.told += 1
            mine = self.told
            self.changed.set()
            # One load covers all pods that start meanwhile.
            if not self.news.wait_for(lambda: self.applied_news >= mine, timeout=RULES_SECONDS):
                raise TimeoutError("the rules could not be loaded")

    def pod_ended(self, name: Key, address: str) -> None:
        """Forgets a pod's address."""
        with self.news:
            if self.started.get(name) == address or not address:
                self.started = {other: known for other, known in self.started.items() if other != name}
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
    enforcer.wait_until_known()
    serve(enforcer, path)
    enforcer.run()


if __name__ == "__main__":
    main()
