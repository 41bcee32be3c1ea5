"""Measures what the gateway itself adds to a call that wakes a function.

The real gateway on a real kube-apiserver and etcd without nodes: this program plays the rest of the cluster. It calls a sleeping
function, sees in a watch of its own when the replica is asked for, publishes a ready address, and is the function as well. So
neither a scheduler nor a kubelet nor an image is in the times, but the API server's own are: reading a request, writing to
etcd, telling the watch.
"""

import argparse
import base64
import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from bench_process import free_ports, wait_for
from bench_webhook import kubectl, percentile

NAMESPACE, NAME = "farebox-functions", "sleeper"
CONFIGURATION = "rootDomain: example.com\nregistry: {push: registry.example.com}\nbuilder: {image: buildkit}\n"
# Milliseconds: from the call until the replica is asked for, and from the ready address until the function has the call.
GOAL_ASKED, GOAL_FORWARDED = 10.0, 20.0
FUNCTION = f"/apis/farebox.dev/v1alpha1/namespaces/{NAMESPACE}/functions/{NAME}"
SLICES = f"/apis/discovery.k8s.io/{{version}}/namespaces/{NAMESPACE}/endpointslices"


class API:
    """Connections to the API server that KUBECONFIG names."""

    def __init__(self, folder: str) -> None:
        view = json.loads(kubectl("config", "view", "--raw", "--flatten", "--minify", "-o", "json"))
        cluster, user = view["clusters"][0]["cluster"], view["users"][0]["user"]
        self.host = urllib.parse.urlsplit(cluster["server"]).netloc
        self.context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        pair = []
        for name in ("client-certificate-data", "client-key-data"):
            pair.append(os.path.join(folder, name))
            pathlib.Path(pair[-1]).write_bytes(base64.b64decode(user[name]))
        self.context.load_cert_chain(*pair)
        self.kept = self.connect()

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.host, context=self.context, timeout=60)

    def send(self, method: str, path: str, body: dict | None = None, kind: str = "application/json") -> dict:
        self.kept.request(method, path, json.dumps(body) if body else None, {"Content-Type": kind})
        answer = self.kept.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)


class Replicas(threading.Thread):
    """Follows the wanted number of replicas, and when each number was heard of."""

    def __init__(self, api: API) -> None:
        super().__init__(daemon=True)
        self.changed = threading.Condition()
        self.seen: list[tuple[float, int]] = []
        connection = api.connect()
        connection.request("GET", FUNCTION.rpartition("/")[0] + f"?watch=true&fieldSelector=metadata.name%3D{NAME}")
        self.lines = connection.getresponse()

    def run(self) -> None:
        while line := self.lines.readline():
            at = time.perf_counter()
            number = json.loads(line)["object"]["spec"]["replicas"]
            with self.changed:
                self.seen.append((at, number))
                self.changed.notify_all()

    def wait(self, number: int, since: float) -> float:
        """Returns when the number was heard of, after `since`."""
        def found() -> list[float]:
            return [at for at, seen in self.seen if seen == number and at > since]

        with self.changed:
            if not self.changed.wait_for(found, 30):
                sys.exit(f"nobody asked for {number} replicas")
            return found()[0]


class Upstream(threading.Thread):
    """The function: answers each request and notes when it came."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.came = 0.0

    def run(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            if connection.recv(65536):
                self.came = time.perf_counter()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            connection.close()


def call(port: int, answers: list[http.client.HTTPResponse]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/function/{NAME}")
    answer = connection.getresponse()
    answer.read()
    answers.append(answer)
    connection.close()


def prepare(farebox: str) -> None:
    kubectl("apply", "-f", "-", text=subprocess.run([farebox, "crds"], capture_output=True, text=True, check=True).stdout)
    kubectl("wait", "--for=condition=Established", "crd/functions.farebox.dev", "--timeout=60s")
    kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}))
    kubectl("apply", "-f", "-", text=json.dumps(
        {"apiVersion": "farebox.dev/v1alpha1", "kind": "Function", "metadata": {"name": NAME, "namespace": NAMESPACE},
         "spec": {"image": "example.com/i:1", "replicas": 0, "scale": {"min": 0, "idleAfter": "10m"}}}))


def measure(api: API, port: int, upstream: Upstream, rounds: int) -> tuple[list[float], list[float]]:
    """Wakes the function so often and returns both times of each, in milliseconds."""
    groups = json.loads(kubectl("get", "--raw", "/apis/discovery.k8s.io"))["versions"]
    version = "v1" if any(one["version"] == "v1" for one in groups) else "v1beta1"
    slices = SLICES.format(version=version)
    empty = {"apiVersion": f"discovery.k8s.io/{version}", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [],
             "metadata": {"name": f"{NAME}-1", "labels": {"farebox.dev/name": NAME}},
             "ports": [{"name": "http", "port": upstream.port, "protocol": "TCP"}]}
    api.send("POST", slices, empty)
    slice_path = f"{slices}/{NAME}-1"
    replicas = Replicas(api)
    replicas.start()
    asked, forwarded = [], []
    for _ in range(rounds):
        answers: list[http.client.HTTPResponse] = []
        caller = threading.Thread(target=call, args=(port, answers))
        begun = time.perf_counter()
        caller.start()
        asked.append((replicas.wait(1, begun) - begun) * 1000)
        time.sleep(0.2)  # As if it started; what belongs to the request for it is done by then.
        ready = time.perf_counter()
        api.send("PATCH", slice_path, {"endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}]},
                 "application/merge-patch+json")
        caller.join()
        if not answers or answers[0].status != 200:
            sys.exit(f"a call was answered {answers[0].status if answers else 'not at all'}")
        forwarded.append((upstream.came - ready) * 1000)
        slept = time.perf_counter()
        api.send("PATCH", FUNCTION, {"spec": {"replicas": 0}}, "application/merge-patch+json")
        api.send("PATCH", slice_path, {"endpoints": []}, "application/merge-patch+json")
        replicas.wait(0, slept)
        time.sleep(0.2)  # Until the gateway has surely heard of it as well.
    return asked, forwarded


def main() -> None:
    parser = argparse.ArgumentParser(prog="hack/bench cold", description=__doc__.split("\n")[0])
    parser.add_argument("--farebox", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=15, help="how often the function is woken (default 15)")
    parser.add_argument("--json", metavar="FILE", help="write the numbers to FILE as well")
    options = parser.parse_args()

    folder = tempfile.mkdtemp(prefix="farebox-bench-")
    farebox = os.path.abspath(options.farebox)
    prepare(farebox)
    pathlib.Path(folder, "farebox.yaml").write_text(CONFIGURATION)
    port, internal = free_ports(2)
    path = os.path.join(folder, "gateway.log")
    with open(path, "w") as log:
        process = subprocess.Popen(
            [farebox, "gateway", "--config", f"{folder}/farebox.yaml", "--kubeconfig", os.environ["KUBECONFIG"], "--address",
             "127.0.0.1", "--internal-address", "127.0.0.1", "--port", str(port), "--internal-port", str(internal)],
            stdout=log, stderr=log)
    try:
        wait_for(port, process, "farebox gateway", path)
        upstream = Upstream()
        upstream.start()
        asked, forwarded = measure(API(folder), port, upstream, options.rounds)
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)

    print(f"\n    {'from':<14}{'to':<28}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}{'goal':>9}")
    rows = [("the call", "the replica is asked for", asked, GOAL_ASKED), ("ready address", "the function has the call", forwarded, GOAL_FORWARDED)]
    for begin, end, times, goal in rows:
        print(f"    {begin:<14}{end:<28}{percentile(times, 0.5):>9.2f}{percentile(times, 0.95):>9.2f}{max(times):>9.2f}{goal:>9.0f}")
    met = all(percentile(times, 0.5) <= goal for _, _, times, goal in rows)
    print(f"\n    goal, in the median, the API server's own time included: {'met' if met else 'MISSED'}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"asked": asked, "forwarded": forwarded, "met": met}, indent=2))
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
