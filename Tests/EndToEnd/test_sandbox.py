"""What a function can do from inside its sandbox, and who can reach it from outside."""

import json
import os
import unittest

import platform_under_test as farebox

SECONDS = 40
# They share one probe function.
LANE = "probe"


class Sandbox(unittest.TestCase):
    """The probe function, deployed by a push."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.image = farebox.Probe.deploy()
        farebox.apply(farebox.function("neighbour", cls.image))
        farebox.wait_until("its neighbour is ready", lambda: farebox.is_ready("function", "neighbour"))

    @classmethod
    def tearDownClass(cls) -> None:
        farebox.kubectl("delete", "-n", farebox.FUNCTIONS, "function/neighbour")

    def probe(self, path: str) -> bytes:
        status, _, body = farebox.call("/probe" + path, f"dora.{farebox.ROOT_DOMAIN}")
        self.assertEqual(status, 200, body)
        return body

    def connect(self, host: str, port: int) -> str:
        return self.probe(f"/connect?host={host}&port={port}").decode()

    def test_the_kernel_is_gvisor(self) -> None:
        """Inside a function dmesg says gVisor"""
        self.assertIn("gVisor", json.loads(self.probe("/sandbox"))["kernel"])

    def test_the_process_has_no_power(self) -> None:
        """A function has no capability, no token, no root, and a read-only file system with a writable /tmp"""
        seen = json.loads(self.probe("/sandbox"))

        self.assertEqual(int(seen["capabilities"], 16), 0)
        self.assertNotEqual(seen["user"], 0)
        self.assertFalse(seen["token"])
        self.assertTrue(seen["root"].startswith("refused"), seen["root"])
        self.assertEqual(seen["tmp"], "written")

    def test_it_cannot_reach_the_platform_or_a_neighbour(self) -> None:
        """A function cannot reach the API server, metadata, the registry, the builder, the node or another function"""
        registry, _, port = os.environ["FAREBOX_REGISTRY"].partition(":")
        neighbour = farebox.items("pods", selector="farebox.dev/name=neighbour")[0]["status"]["podIP"]
        server = farebox.run("kubectl", "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        node, _, node_port = server.removeprefix("https://").partition(":")
        targets = [
            (farebox.cluster_address("kubernetes", "default"), 443), (node, int(node_port)), (registry, int(port)),
            ("169.254.169.254", 80), (neighbour, 8080), (farebox.cluster_address("neighbour", farebox.FUNCTIONS), 8080),
            (farebox.cluster_address("farebox-builder"), 80), (node, 10250),
            (os.environ["FAREBOX_CLUSTER_HOST_ADDRESS"], farebox.Probe.git_port()),
        ]
        for host, target in targets:
            with self.subTest(host=host, port=target):
                self.assertTrue(self.connect(host, target).startswith("closed"), f"{host}:{target} is reachable")

    def test_it_resolves_names(self) -> None:
        """A function can resolve names at the chosen resolver"""
        address = self.probe(f"/resolve?host=farebox-gateway.{farebox.SYSTEM}.svc.cluster.local").decode()

        self.assertEqual(address, farebox.cluster_address("farebox-gateway"))

    def test_only_the_gateway_reaches_it(self) -> None:
        """A pod that is not the gateway cannot reach a function"""
        pod = farebox.items("pods", selector=f"farebox.dev/name={farebox.Probe.NAME}")[0]["status"]["podIP"]
        script = (f"import socket\ntry:\n  socket.create_connection(('{pod}', 8080), 3); print('open')\n"
                  "except OSError as e:\n  print('closed', e)")
        farebox.apply({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stranger", "namespace": "default"},
            "spec": {"restartPolicy": "Never", "imagePullSecrets": [],
                     "containers": [{"name": "main", "image": self.image, "imagePullPolicy": "IfNotPresent",
                                     "command": ["python3", "-c", script]}]}})
        self.addCleanup(farebox.kubectl, "delete", "pod", "stranger", "--grace-period=0", "--force")

        farebox.wait_until("the stranger has tried", lambda: farebox.kubectl(
            "get", "pod", "stranger", "-n", "default", "-o", "jsonpath={.status.phase}") == "Succeeded")

        self.assertTrue(farebox.kubectl("logs", "stranger", "-n", "default").startswith("closed"))
