"""Functions that sleep while nobody calls them, and have as many replicas as their calls need."""

import concurrent.futures
import os
import re
import time
import unittest
from typing import Any

import platform_under_test as farebox

SECONDS = 70
# They share one probe function.
LANE = "scale"
# How often it goes to zero and back: two rounds are enough each time, ten belong to a longer look.
ROUNDS = int(os.environ.get("FAREBOX_SCALE_ROUNDS", "2"))


def replicas(name: str) -> int:
    return int(farebox.get("function", name)["spec"].get("replicas", 1))


def pods(name: str) -> list[dict[str, Any]]:
    return [pod for pod in farebox.items("pods", selector=f"farebox.dev/name={name}")
            if "deletionTimestamp" not in pod["metadata"]]


def metric(component: str, line: str) -> float:
    """The sum of one series over all pods of a component that stay, read through the API server's proxy."""
    total = 0.0
    for pod in farebox.items("pods", farebox.SYSTEM, f"app.kubernetes.io/component={component}"):
        if "deletionTimestamp" in pod["metadata"]:
            continue
        text = farebox.kubectl("get", "--raw", f"/api/v1/namespaces/{farebox.SYSTEM}/pods/"
                                               f"{pod['metadata']['name']}:9090/proxy/metrics")
        total += sum(float(found.split()[-1]) for found in text.splitlines() if found.startswith(line))
    return total


class Scale(unittest.TestCase):
    """Functions of the probe's image."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.image = farebox.SecondProbe.deploy()

    def make(self, name: str, **spec: Any) -> None:
        farebox.apply(farebox.function(name, self.image, **spec))
        self.addCleanup(farebox.kubectl, "delete", "function", name, "-n", farebox.FUNCTIONS, "--wait=false")
        farebox.wait_until("it sleeps", lambda: farebox.condition(
            farebox.get("function", name), "Ready")["reason"] == "ScaledToZero")

    def test_many_cold_calls_start_it_once(self) -> None:
        """200 parallel calls to a sleeping function start it once and are all answered"""
        self.make("crowd", replicas=0, scale={"min": 0, "idleAfter": "10m"})
        asked = metric("gateway", 'farebox_gateway_wakes_total{outcome="asked"}')

        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(lambda _: farebox.call("/function/crowd/"), range(200)))

        self.assertEqual({status for status, _, _ in answers}, {200})
        self.assertEqual(metric("gateway", 'farebox_gateway_wakes_total{outcome="asked"}') - asked, 1)
        self.assertEqual((replicas("crowd"), len(pods("crowd"))), (1, 1))

    def test_to_zero_and_back(self) -> None:
        """An idle function goes to zero, and the next call wakes it and says how long that took, again and again"""
        self.make("sleeper", replicas=0, scale={"min": 0, "idleAfter": "10s"})
        phases = [f'farebox_function_start_seconds_count{{phase="{phase}"}}' for phase in ("schedule", "pull", "start", "ready")]
        before = [metric("operator", phase) for phase in phases]
        for number in range(ROUNDS):
            begun = time.monotonic()
            status, headers, _ = farebox.call("/function/sleeper/")
            took = time.monotonic() - begun
            self.assertEqual(status, 200, f"round {number}")
            told = dict(re.findall(r"([a-z-]+);dur=([0-9.]+)", headers["server-timing"]))
            self.assertEqual(list(told), ["queue", "scale", "ready", "first-byte"])
            self.assertLess(float(told["queue"]) / 1000, took)
            self.assertNotIn("server-timing", farebox.call("/function/sleeper/")[1])
            self.assertEqual(replicas("sleeper"), 1)
            farebox.wait_until("it goes to sleep", lambda: replicas("sleeper") == 0)
            self.assertGreater(time.monotonic() - begun, 10)
            # A call that came earlier might still be answered by the old replica, and the next one wait for the new.
            farebox.wait_until("it sleeps", lambda: farebox.condition(
                farebox.get("function", "sleeper"), "Ready")["reason"] == "ScaledToZero")
            self.assertEqual(pods("sleeper"), [])
        # Other lanes start pods as well.
        for phase, count in zip(phases, before):
            self.assertGreaterEqual(metric("operator", phase) - count, ROUNDS, phase)


if __name__ == "__main__":
    unittest.main()
