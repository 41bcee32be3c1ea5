"""Names of Services for dnsmasq: a hosts file, written again when a Service or a headless Service's Endpoints change.

    dns.py API_URL PKI_FOLDER HOSTS_FILE DNSMASQ_PID_FILE

Served: <service>.<namespace>.svc.cluster.local for ClusterIPs and headless Services, and <hostname>.<service>… of the
latter. Not served: SRV records, pods by address.
"""

import os
import signal
import sys
import threading
import time

from kube import Mirror, Object, Server, key

SETTLE_SECONDS = 0.02


def endpoint_lines(name: str, endpoints: Object) -> list[str]:
    """Lists the addresses behind a headless Service."""
    lines = []
    for subset in endpoints.get("subsets") or []:
        for address in subset.get("addresses") or []:
            lines.append(f"{address['ip']} {name}")
            if "hostname" in address:
                lines.append(f"{address['ip']} {address['hostname']}.{name}")
    return lines


def hosts(services: list[Object], endpoints: list[Object]) -> str:
    """Renders the hosts file."""
    by_key = {key(item): item for item in endpoints}
    lines = []
    for service in services:
        namespace, service_name = key(service)
        name = f"{service_name}.{namespace}.svc.cluster.local"
        address = service["spec"].get("clusterIP", "")
        if address == "None":
            lines += endpoint_lines(name, by_key.get((namespace, service_name), {}))
        elif address:
            lines.append(f"{address} {name}")
    return "".join(f"{line}\n" for line in sorted(lines))


def reload_dnsmasq(pid_file: str) -> None:
    """Lets dnsmasq read the file again; it may not run yet, and reads it at its start anyway."""
    try:
        with open(pid_file, encoding="ascii") as file:
            os.kill(int(file.read().split()[0]), signal.SIGHUP)
    except (OSError, ValueError, IndexError):
        pass


def main() -> None:
    """Runs until killed."""
    url, pki, hosts_file, pid_file = sys.argv[1:]
    server = Server(url, pki, "network")
    changed = threading.Event()
    services = Mirror(server, "/api/v1/services", changed.set)
    endpoints = Mirror(server, "/api/v1/endpoints", changed.set)
    services.synced.wait()
    endpoints.synced.wait()
    written = None
    while True:
        text = hosts(services.items(), endpoints.items())
        if text != written:
            with open(f"{hosts_file}.new", "w", encoding="ascii") as file:
                file.write(text)
            os.replace(f"{hosts_file}.new", hosts_file)
            reload_dnsmasq(pid_file)
            written = text
        changed.wait()
        time.sleep(SETTLE_SECONDS)
        changed.clear()


if __name__ == "__main__":
    main()
