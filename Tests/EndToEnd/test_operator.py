"""The operator under faults: killed in the middle, replaced by its standby, silent when there is nothing to do."""

import concurrent.futures
import json
import os
import pathlib
import time
import unittest
from collections.abc import Callable

import platform_under_test as farebox

# What is here kills the operator, or listens to what it says.
LANE = "alone"

LEASE = "farebox-operator"
OPERATOR = "system:serviceaccount:farebox-system:farebox-operator"
PAYMENTS = "system:serviceaccount:farebox-system:farebox-payments"


def holder() -> str:
    return farebox.get("lease", LEASE, farebox.SYSTEM)["spec"].get("holderIdentity") or ""


def pod_of(identity: str) -> str:
    return identity.partition("_")[0]


def kill_leader() -> int:
    """Sends SIGKILL to the leading operator's process, and returns how many it was."""
    identity = holder()
    return farebox.kill(pod_of(identity), b"operator") if identity else 0


class Leadership(unittest.TestCase):
    """Two operators, one leads."""

    def setUp(self) -> None:
        farebox.kubectl("rollout", "status", "deployment/farebox-operator", "-n", farebox.SYSTEM, farebox.PATIENTLY)

    def takeover(self, end: Callable[[str], object]) -> float:
        """Ends the leader and returns the seconds until another leads."""
        old = farebox.wait_until("somebody leads", holder)
        begun = time.monotonic()
        end(pod_of(old))
        farebox.wait_until("another leads", lambda: holder() not in ("", old), every=0.05)
        return time.monotonic() - begun

    def test_1_two_run_and_one_leads(self) -> None:
        """Two operators run and one of them holds the lease"""
        # One that was replaced a moment ago takes its time to end.
        pods = [pod["metadata"]["name"] for pod in farebox.items("pods", farebox.SYSTEM, "app.kubernetes.io/component=operator")
                if "deletionTimestamp" not in pod["metadata"]]

        self.assertEqual(len(pods), 2)
        self.assertIn(pod_of(holder()), pods)

    def test_2_a_clean_stop_hands_over_within_2_seconds(self) -> None:
        """A clean stop hands over within 2 s"""
        self.assertLess(self.takeover(lambda pod: farebox.kubectl(
            "delete", "pod", pod, "-n", farebox.SYSTEM, "--wait=false")), 2.5)  # half a second for kubectl itself and the kubelet's signal

    def test_3_a_kill_hands_over_within_20_seconds(self) -> None:
        """A SIGKILL hands over within 20 s"""
        self.assertLess(self.takeover(lambda _: self.assertEqual(kill_leader(), 1)), 20)


class Kills(unittest.TestCase):
    """The leader killed at many moments of a build and a rollout."""

    KILLS = int(os.environ.get("FAREBOX_OPERATOR_KILLS", "3"))

    def test_killing_the_operator_changes_nothing_in_the_end(self) -> None:
        """Killing the operator again and again ends in the same state, with nothing built twice"""
        host = farebox.GitHost()
        self.addCleanup(host.close)
        tree = host.create("gina", "sturdy")
        tree.copy(farebox.REPOSITORY_ROOT / "examples/python")
        farebox.apply(farebox.repository("sturdy", tree.url, interval="15s"))
        self.addCleanup(farebox.kubectl, "delete", "repository", "sturdy", "-n", farebox.FUNCTIONS)
        commit = tree.commit("Greet")
        tree.push()

        deadline = time.monotonic() + farebox.PATIENCE_SECONDS
        kills = 0
        while not farebox.deployed_or_false("sturdy", commit):
            self.assertLess(time.monotonic(), deadline, "it never got there")
            if kills < self.KILLS:
                kills += kill_leader()
            time.sleep(1.5 + kills * 0.7)

        self.assertGreater(kills, 1)  # the others may find the work done
        self.assertEqual(farebox.call("/hello/", f"gina.{farebox.ROOT_DOMAIN}")[2], b"Hello, world!\n")
        self.assertEqual(len([j for j in farebox.items("jobs", farebox.BUILDS)
                              if commit[:7] in json.dumps(j["metadata"])]), 1)


class Silence(unittest.TestCase):
    """A settled cluster, from the API server's own audit log."""

    COUNT = 200  # eight times 25

    def requests(self, since: float) -> list[str]:
        """Returns what the operator and payments asked of the API server after `since`, but for watches and leases."""
        found = []
        for line in pathlib.Path(os.environ["FAREBOX_API_AUDIT_LOG"]).read_text().splitlines():
            event = json.loads(line)
            if event["user"]["username"] not in (OPERATOR, PAYMENTS) or event["stage"] != "ResponseComplete":
                continue
            stamp = event["requestReceivedTimestamp"]
            if stamp < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since)):
                continue
            if event["verb"] == "watch" or event.get("objectRef", {}).get("resource") == "leases":
                continue
            found.append(f"{event['verb']} {event['requestURI']}")
        return found

    @staticmethod
    def create(indices: range, image: str) -> None:
        functions = [farebox.function(f"silent-{index}", image, replicas=0, scale={"min": 0}) for index in indices]
        for function in functions:
            function["metadata"]["labels"] = {"test": "silence"}
        farebox.kubectl("create", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": functions}))

    def test_a_settled_cluster_is_silent(self) -> None:
        """With 200 settled Functions the operator and payments send nothing but watches and leases"""
        image = f"{os.environ['FAREBOX_REGISTRY']}/library/debian@sha256:" + "0" * 64
        path = f"/apis/farebox.dev/v1alpha1/namespaces/{farebox.FUNCTIONS}/functions?labelSelector=test%3Dsilence"
        self.addCleanup(farebox.kubectl, "delete", "--raw", path)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:  # kubectl by itself sends five requests a second
            list(pool.map(self.create, [range(start, start + 25) for start in range(0, self.COUNT, 25)], [image] * 8))
        farebox.wait_until("all are settled", lambda: sum(
            f.get("status", {}).get("observedGeneration") == f["metadata"]["generation"]
            for f in farebox.items("functions") if f["metadata"]["name"].startswith("silent-")) == self.COUNT)
        farebox.kubectl("rollout", "status", "deployment/farebox-operator", "-n", farebox.SYSTEM, farebox.PATIENTLY)
        time.sleep(5)

        begun = time.time()
        time.sleep(float(os.environ.get("FAREBOX_SILENCE_SECONDS", "20")))

        self.assertEqual(self.requests(begun), [])
