"""Measures the gateway's table of routes: ten thousand functions in a real kube-apiserver, and no pod.

The real process: on an empty cluster for what it takes by itself, then with all functions there, several times. Most of the time
from its start to the whole table the API server takes to write out ten thousand objects, and on one machine that varies by half:
before each start a bare client asks for the same two lists, and what the gateway takes beyond the time until they begin to come is
the building of the table. Told are the medians of both, the memory of each function, the time that one change takes in the table,
and how long after a change in the cluster the first call goes to the new address.
"""

import argparse
import concurrent.futures
import http.client
import http.server
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests/EndToEnd"))
import kubernetes_api
from bench_process import free_ports, resident_mib, wait_for

NAMESPACE = "farebox-functions"
FUNCTIONS = "apis/farebox.dev/v1alpha1/namespaces/farebox-functions/functions"
SLICES = "apis/discovery.k8s.io/v1beta1/namespaces/farebox-functions/endpointslices"
WRITERS = 16
GOAL_BUILT_SECONDS, GOAL_CHANGE_SECONDS, GOAL_BYTES = 1.0, 0.001, 4096
CONFIGURATION = "rootDomain: example.com\nregistry: {push: registry.example.com}\nbuilder: {image: buildkit}\n"


def kubectl(*arguments: str, text: str | None = None) -> None:
    subprocess.run(["kubectl", *arguments], input=text, stdout=subprocess.DEVNULL, text=True, check=True)


def prepare(farebox: str) -> None:
    kubectl("apply", "-f", "-", text=subprocess.run([farebox, "crds"], capture_output=True, text=True, check=True).stdout)
    kubectl("wait", "--for=condition=Established", "crd/functions.farebox.dev", "--timeout=60s")
    for namespace in (NAMESPACE, "farebox-system"):
        kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}))


def function(number: int) -> dict:
    """A function as a push makes it: an owner, variables, a source."""
    return {"apiVersion": "farebox.dev/v1alpha1", "kind": "Function",
            "metadata": {"name": f"owner{number % 100}-f{number}", "labels": {"farebox.dev/repository": f"r{number}"},
                         "annotations": {"farebox.dev/owner": f"Owner{number % 100}", "farebox.dev/function": f"f{number}"}},
            "spec": {"image": f"registry.example.com/owner/f{number}@sha256:" + "0" * 64, "timeout": "30s",
                     "environment": {f"VARIABLE_{index}": "x" * 40 for index in range(5)}}}


def slice_of(number: int, address: str, port: int) -> dict:
    name = f"owner{number % 100}-f{number}"
    return {"apiVersion": "discovery.k8s.io/v1beta1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": name, "labels": {"farebox.dev/name": name, "kubernetes.io/service-name": name}},
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [{"name": "http", "port": port, "protocol": "TCP"}]}


def fill(count: int) -> None:
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        def create(number: int) -> None:
            kubernetes_api.write("POST", FUNCTIONS, function(number))
            kubernetes_api.write("POST", SLICES, slice_of(number, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 8080))
        for done, _ in enumerate(pool.map(create, range(count)), 1):
            if done % 2000 == 0:
                print(f"    {done} functions made", flush=True)


def seconds_of_lists() -> float:
    """How long the API server takes, asked at once for both lists of a gateway, until the later one begins to come."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return max(pool.map(kubernetes_api.seconds_to_answer, (f"{path}?resourceVersion=0" for path in (FUNCTIONS, SLICES))))


class Gateway:
    """`farebox gateway` as a process."""

    def __init__(self, farebox: str, folder: str) -> None:
        self.port, self.internal = free_ports(2)
        path = os.path.join(folder, "gateway.log")
        pathlib.Path(folder, "farebox.yaml").write_text(CONFIGURATION)
        self.started = time.monotonic()
        with open(path, "w") as log:
            self.process = subprocess.Popen(
                [farebox, "gateway", "--config", f"{folder}/farebox.yaml", "--kubeconfig", os.environ["KUBECONFIG"],
                 "--port", str(self.port), "--internal-port", str(self.internal), "--internal-address", "127.0.0.1"],
                stdout=log, stderr=log)
        wait_for(self.internal, self.process, "farebox gateway", path)

    def metrics(self) -> dict[str, float]:
        connection = http.client.HTTPConnection("127.0.0.1", self.internal, timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        found = {name: float(value) for name, value in re.findall(r"^(farebox_gateway_route\w*) (\S+)$", text, re.MULTILINE)}
        return found | {"reachable": len(re.findall(r"^gateway_service_count\{[^}]*\} 1$", text, re.MULTILINE))}

    def whole(self, count: int) -> float:
        """Waits until all routes are there with their addresses, and returns the seconds since the start."""
        while time.monotonic() - self.started < 120:
            # Cheap, unlike the metrics of ten thousand functions: asking must not take what is measured.
            found, ready = {}, self.is_ready()
            seconds = time.monotonic() - self.started
            if ready:
                found = self.metrics()
                if found["farebox_gateway_routes"] == count == found["reachable"]:
                    return seconds
            time.sleep(0.005)  # The resolution of what is measured.
        sys.exit(f"the table is not whole after 120 s: {found}")

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.internal, timeout=30)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200

    def call(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={"Host": "owner0.example.com"})
        return connection.getresponse().read()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


def answering(text: bytes) -> int:
    """Starts a server that answers `text` to everything, and returns its port."""
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def change_and_call(gateway: Gateway, rounds: int) -> list[float]:
    """Moves one function between two servers, and returns how long after the API server's answer calls went there."""
    ports = {b"one": answering(b"one"), b"two": answering(b"two")}
    found = []
    for number in range(rounds):
        text = (b"one", b"two")[number % 2]
        kubernetes_api.write("PUT", f"{SLICES}/owner0-f0", slice_of(0, "127.0.0.1", ports[text]))
        begun = time.monotonic()
        while gateway.call("/f0") != text:
            if time.monotonic() - begun > 30:
                sys.exit("the change never reached the callers")
        found.append(time.monotonic() - begun)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--farebox", required=True)
    parser.add_argument("--functions", type=int, default=10_000)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    prepare(options.farebox)
    with tempfile.TemporaryDirectory(prefix="farebox-bench-") as folder:
        gateway = Gateway(options.farebox, folder)
        gateway.whole(0)
        alone = resident_mib([gateway.process.pid])
        gateway.stop()
        fill(options.functions)

        starts, lists = [], []
        for left in reversed(range(options.starts)):
            lists.append(seconds_of_lists())
            gateway = Gateway(options.farebox, folder)
            starts.append(gateway.whole(options.functions))
            print(f"    {starts[-1]:.2f} s to the whole table, {lists[-1]:.2f} s for the lists alone", flush=True)
            if left:
                gateway.stop()
        whole, listed = statistics.median(starts), statistics.median(lists)
        each = (resident_mib([gateway.process.pid]) - alone) * 2**20 / options.functions
        before = gateway.metrics()
        delays = change_and_call(gateway, options.rounds)
        after = gateway.metrics()
        gateway.stop()
    count, total = (after[f"farebox_gateway_route_update_seconds_{name}"] - before[f"farebox_gateway_route_update_seconds_{name}"]
                    for name in ("count", "sum"))
    if not count:
        sys.exit("no change was timed")
    found = {
        "tableSeconds": (whole - listed, GOAL_BUILT_SECONDS, f"{whole - listed:.2f} s to build the table"),
        "changeSeconds": (total / count, GOAL_CHANGE_SECONDS, f"{total / count * 1e6:.0f} µs for one change in the table"),
        "bytesEach": (each, GOAL_BYTES, f"{each:.0f} bytes of memory for each function ({alone:.0f} MiB for none)"),
    }
    print(f"\n    {options.functions} functions, {options.rounds} changes, medians of {len(starts)} starts")
    print(f"    {whole:.2f} s from the process's start to the whole table ({min(starts):.2f}–{max(starts):.2f}); of that the API "
          f"server takes {listed:.2f} s until its lists begin to come ({min(lists):.2f}–{max(lists):.2f})")
    for value, goal, text in found.values():
        print(f"    {text}; goal {goal:g}: {'met' if value <= goal else 'MISSED'}")
    print(f"    {statistics.median(delays) * 1e3:.1f} ms from a change in the cluster to the first call at the new address "
          f"(p99 {sorted(delays)[int(len(delays) * 0.99)] * 1e3:.1f} ms)")
    if options.json:
        options.json.write_text(json.dumps({name: value for name, (value, _, _) in found.items()} | {
            "delaySeconds": delays, "startSeconds": starts, "listSeconds": lists}))
    sys.exit(int(any(value > goal for value, goal, _ in found.values())))


if __name__ == "__main__":
    main()
