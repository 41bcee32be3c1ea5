"""Calls that do not wait, kept by NATS in the cluster for two gateways: killing either of them loses none."""

import collections
import http.client
import http.server
import os
import random
import threading
import unittest

import component
import kill_payments
import platform_under_test as farebox

SECONDS = 90
# It configures the gateways anew, and kills them.
LANE = "alone"
CALLS = int(os.environ.get("FAREBOX_NATS_CALLS", "2000"))
KILLS = 5
CALLERS = 8
CONCURRENCY = 2  # the default: as many calls may be under way when a gateway is killed, and are made twice
SERVER = "nats://farebox-nats.farebox-system:4222"
GATEWAY = ("deployment/farebox-gateway", "-n", farebox.SYSTEM)


class Answers(http.server.BaseHTTPRequestHandler):
    """Counts the answers of each call."""

    lock = threading.Lock()
    received: collections.Counter[str] = collections.Counter()
    strange: list[str] = []

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if len(self.rfile.read(length)) == length:  # else whoever sent it was killed in the middle
            with Answers.lock:
                Answers.received[self.headers.get("X-Call-Id", "")] += 1
                if self.headers.get("X-Function-Status") != "200":
                    Answers.strange.append(str(dict(self.headers)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Callers(kill_payments.Crew):
    """Have calls accepted until there are enough.

    Each has an id of its own: whether one was accepted whose answer broke off, nobody knows.
    """

    def __init__(self, callback: str) -> None:
        self.lock = threading.Lock()
        self.accepted: set[str] = set()
        self.statuses: collections.Counter[int] = collections.Counter()
        self.tries = 0
        self.headers = {"X-Callback-Url": callback}
        super().__init__(CALLERS)

    def _work(self, number: int) -> None:
        while not self._stop.is_set() and len(self.accepted) < CALLS:
            with self.lock:
                self.tries += 1
                call = f"nats-{self.tries}"
            try:
                status, fields, _ = farebox.call(f"/async-function/{farebox.SecondProbe.NAME}", method="POST", body=b"x" * 100,
                                                 headers={"X-Call-Id": call, **self.headers})
            except (OSError, http.client.HTTPException):
                self._stop.wait(0.01)  # its gateway was killed, and nobody tells when it is back
                continue
            with self.lock:
                self.statuses[status] += 1
                if status == 202 and fields["x-call-id"] == call:
                    self.accepted.add(call)


@unittest.skipUnless("FAREBOX_E2E_LONG" in os.environ, "builds a server of NATS first: set FAREBOX_E2E_LONG")
class SharedCalls(unittest.TestCase):
    """Two gateways, one store."""

    def test_kills(self) -> None:
        """Two gateways share calls in NATS; killed and deleted in the middle, they lose none, and every answer is posted"""
        farebox.SecondProbe.deploy()
        component.install(self, "async-nats", "nats", "calls")
        self.keep_in_nats()
        server = http.server.ThreadingHTTPServer((os.environ["FAREBOX_CLUSTER_HOST_ADDRESS"], 0), Answers)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address[:2]

        callers = Callers(f"http://{host}:{port}/answers")
        self.addCleanup(callers.stop)
        for number in range(1, KILLS + 1):
            farebox.wait_until("a moment to kill", lambda moment=CALLS * number // (KILLS + 1): len(callers.accepted) >= moment)
            victim = random.choice(self.pods())
            if number == KILLS:
                # With its disk: what it had taken on is nowhere else than in NATS.
                farebox.kubectl("delete", "pod", victim, "-n", farebox.SYSTEM, "--grace-period=0", "--force")
            else:
                farebox.wait_until("a gateway is killed", lambda: farebox.kill(victim, b"gateway"))
        farebox.wait_until("all calls are accepted", lambda: len(callers.accepted) >= CALLS)
        callers.stop()
        try:
            farebox.wait_until("every answer is posted", lambda: callers.accepted <= Answers.received.keys())
        except AssertionError as error:
            missing = sorted(callers.accepted - Answers.received.keys())
            raise AssertionError(f"{len(missing)} of {len(callers.accepted)} answers are missing, {missing[:5]}…") from error

        twice = sum(count - 1 for count in Answers.received.values())
        print(f"    ({KILLS} kills: {len(callers.accepted)} calls accepted of {callers.tries}, {twice} answers posted once more, "
              f"statuses {dict(callers.statuses)})")
        self.assertEqual(Answers.strange, [])
        self.assertLessEqual(twice, max(CALLS / 1000, CONCURRENCY * KILLS))
        self.assertLessEqual(callers.statuses.keys(), {202, 503})

    def pods(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in farebox.items("pods", farebox.SYSTEM, "app.kubernetes.io/component=gateway")
                if "deletionTimestamp" not in pod["metadata"]]

    def keep_in_nats(self) -> None:
        """Gives the gateways a configuration that names the server, and makes them two; both for this test."""
        volumes = farebox.get("deployment", "farebox-gateway", farebox.SYSTEM)["spec"]["template"]["spec"]["volumes"]
        index = next(index for index, volume in enumerate(volumes) if volume["name"] == "config")
        before = volumes[index]["projected"]["sources"][0]["configMap"]["name"]
        text = farebox.get("configmap", before, farebox.SYSTEM)["data"]["farebox.yaml"]
        lines = text.splitlines()
        place = next(number for number, line in enumerate(lines) if line.startswith("async:"))
        lines.insert(place + 1, f"  nats: {{servers: [{SERVER}]}}")
        farebox.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": {"farebox.yaml": "\n".join(lines) + "\n"},
                       "metadata": {"name": "farebox-nats-test", "namespace": farebox.SYSTEM}})
        self.addCleanup(farebox.kubectl, "delete", "configmap", "farebox-nats-test", "-n", farebox.SYSTEM)

        def use(name: str, replicas: int) -> None:
            path = f"/spec/template/spec/volumes/{index}/projected/sources/0/configMap/name"
            farebox.kubectl("patch", *GATEWAY, "--type=json", "-p", f'[{{"op": "replace", "path": "{path}", "value": "{name}"}}, '
                            f'{{"op": "replace", "path": "/spec/replicas", "value": {replicas}}}]')
            farebox.kubectl("rollout", "status", *GATEWAY, farebox.PATIENTLY)

        self.addCleanup(use, before, 1)
        use("farebox-nats-test", 2)
        # What the one before takes on while it leaves is in its own file.
        farebox.wait_until("the one before is gone", lambda: len(farebox.items(
            "pods", farebox.SYSTEM, "app.kubernetes.io/component=gateway")) == 2)
