"""The optional registry in the cluster: it runs as the platform's pods do, wants a password, and builds push into it."""

import base64
import crypt
import http.client
import json
import os
import unittest
from typing import Any

import component
import platform_under_test as farebox
from test_builder_api import Answer, request_tar

SECONDS = 60
# It builds, and changes the registries' passwords.
LANE = "builder-api"
NAME = "farebox-registry.farebox-system:5000"


@unittest.skipUnless("FAREBOX_E2E_LONG" in os.environ, "builds a registry first: set FAREBOX_E2E_LONG")
class Registry(unittest.TestCase):
    """Made, filled and taken away again."""

    def test_push(self) -> None:
        """The registry component refuses strangers, and a build pushes into it with the password"""
        password = os.urandom(12).hex()
        htpasswd = "farebox:" + crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 6))
        farebox.apply({"apiVersion": "v1", "kind": "Secret",
                       "metadata": {"name": "farebox-registry-htpasswd", "namespace": farebox.SYSTEM},
                       "stringData": {"htpasswd": htpasswd + "\n"}})
        self.addCleanup(farebox.kubectl, "delete", "secret", "farebox-registry-htpasswd", "-n", farebox.SYSTEM)
        component.install(self, "registry", "registry", "images")
        self.log_in(password)

        stranger = self.ask("/v2/_catalog", "nobody", "nothing")
        pushed = Answer("POST", "/build", request_tar(NAME + "/team/small:1", {"Dockerfile": b"FROM python:3-slim\n"}))
        stored = self.ask("/v2/team/small/tags/list", "farebox", password)

        self.assertEqual(stranger[0], 401)
        self.assertEqual(pushed.objects[-1]["status"], "success", pushed.objects[-1])
        self.assertEqual(stored[0], 200)
        self.assertIn("1", stored[1]["tags"])
        self.assertNotIn(password, "\n".join(pushed.log))

    def log_in(self, password: str) -> None:
        """Adds the registry's password to those of the installation, and waits until builds have it."""
        secret = farebox.get("secret", "farebox-registry", farebox.SYSTEM)["data"][".dockerconfigjson"]
        config = json.loads(base64.b64decode(secret))
        config["auths"][NAME] = {"auth": base64.b64encode(f"farebox:{password}".encode()).decode()}
        self.write_passwords(base64.b64encode(json.dumps(config).encode()).decode())
        self.addCleanup(self.write_passwords, secret)
        farebox.wait_until("builds have the password", lambda: NAME in base64.b64decode(
            farebox.get("secret", "farebox-registry", farebox.BUILDS)["data"][".dockerconfigjson"]).decode())

    def write_passwords(self, data: str) -> None:
        farebox.kubectl("patch", "secret", "farebox-registry", "-n", farebox.SYSTEM, "-p",
                        json.dumps({"data": {".dockerconfigjson": data}}))

    def ask(self, path: str, user: str, password: str) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(farebox.cluster_address("farebox-registry"), 5000, timeout=farebox.PATIENCE_SECONDS)
        try:
            code = base64.b64encode(f"{user}:{password}".encode()).decode()
            connection.request("GET", path, headers={"Authorization": "Basic " + code})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()
