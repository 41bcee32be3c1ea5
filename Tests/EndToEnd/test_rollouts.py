"""Nobody notices when what runs is replaced: neither a function nor the gateway itself."""

import os
import unittest

import load
import platform_under_test as farebox

SECONDS = 60
# A starved machine fails calls that no gateway failed.
LANE = "alone"
# By hand 1,000 a second; here the load itself takes a processor.
RATE = float(os.environ.get("FAREBOX_ROLLOUT_RATE", "200"))


class Rollouts(unittest.TestCase):
    """Callers that keep calling."""

    @classmethod
    def setUpClass(cls) -> None:
        image = farebox.SecondProbe.deploy()
        farebox.apply(farebox.function("rolling", image, replicas=2, environment={"GENERATION": "one"}))
        cls.addClassCleanup(farebox.kubectl, "delete", "function", "rolling", "-n", farebox.FUNCTIONS)
        farebox.wait_until("the function runs", lambda: farebox.call("/function/rolling/env?name=GENERATION")[2] == b"one")

    def callers(self) -> load.Load:
        return load.Load(farebox.cluster_address("farebox-gateway"), farebox.ROOT_DOMAIN,
                         "/function/rolling/env?name=GENERATION", RATE)

    def check(self, callers: load.Load) -> None:
        self.assertEqual(callers.bad, [], f"{len(callers.bad)} of {callers.calls} calls failed")
        self.assertGreater(callers.calls, RATE)

    def test_a_function_is_updated_under_load(self) -> None:
        """A function is updated under load, and no call fails"""
        with self.callers() as callers:
            farebox.wait_until("calls pass", lambda: callers.calls > RATE)
            farebox.kubectl("patch", "function", "rolling", "-n", farebox.FUNCTIONS, "--type=merge",
                            "-p", '{"spec": {"environment": {"GENERATION": "two"}}}')
            farebox.wait_until("the update is done", lambda: farebox.is_ready("function", "rolling") and farebox.call(
                "/function/rolling/env?name=GENERATION")[2] == b"two")
            done = callers.calls
            farebox.wait_until("calls pass afterwards", lambda: callers.calls > done + RATE)

        self.check(callers)
        self.assertEqual(callers.bodies, {b"one", b"two"})

    def test_the_gateway_is_restarted_under_load(self) -> None:
        """Two gateways are restarted one after the other under load, and no call fails"""
        gateway = ("deployment/farebox-gateway", "-n", farebox.SYSTEM)
        farebox.kubectl("scale", *gateway, "--replicas=2")
        self.addCleanup(farebox.kubectl, "scale", *gateway, "--replicas=1")
        farebox.kubectl("rollout", "status", *gateway, farebox.PATIENTLY)

        with self.callers() as callers:
            farebox.wait_until("calls pass", lambda: callers.calls > RATE)
            farebox.kubectl("rollout", "restart", *gateway)
            farebox.kubectl("rollout", "status", *gateway, farebox.PATIENTLY)
            done = callers.calls
            # The last of the old ones leaves when its successor is there already.
            farebox.wait_until("the old ones are gone", lambda: len(farebox.items(
                "pods", farebox.SYSTEM, "app.kubernetes.io/component=gateway")) == 2)
            farebox.wait_until("calls pass afterwards", lambda: callers.calls > done + RATE)

        self.check(callers)
