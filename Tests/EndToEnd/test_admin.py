"""OpenFaaS' REST API as its command line uses it: deploy, list, describe, scale, secrets, logs, call, remove."""

import base64
import functools
import http.client
import json
import unittest
from typing import Any

import platform_under_test as farebox

SECONDS = 30
# It deploys the probe's image.
LANE = "scale"


@functools.cache
def password() -> str:
    """The field Authorization of whoever has the name and the password."""
    data = farebox.get("secret", "farebox-admin", farebox.SYSTEM)["data"]
    name, word = (base64.b64decode(data[key]).decode() for key in ("basic-auth-user", "basic-auth-password"))
    return "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode()


def send(method: str, path: str, body: Any = None, authorization: str | None = "password") -> tuple[int, str]:
    """Makes one request to the API and returns status and body."""
    connection = http.client.HTTPConnection(farebox.cluster_address("farebox-admin"), 80, timeout=farebox.PATIENCE_SECONDS)
    headers = {"Content-Type": "application/json"}
    if authorization:
        headers["Authorization"] = password() if authorization == "password" else authorization
    try:
        connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


class Admin(unittest.TestCase):
    """One function's life by the hands of a client that knows nothing of Farebox."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.image = farebox.SecondProbe.deploy()
        cls.addClassCleanup(farebox.kubectl, "delete", "function/by-client", "secret/by-client", "-n", farebox.FUNCTIONS,
                            "--ignore-not-found", check=False)

    def deployment(self, **more: Any) -> dict[str, Any]:
        return {"service": "by-client", "image": self.image, "network": "", "envProcess": "", "constraints": None,
                "envVars": {"GREETING": "hello"}, "secrets": ["by-client"], "labels": {}, "annotations": {},
                "namespace": farebox.FUNCTIONS, **more}

    def test_1_deploy(self) -> None:
        """A function is made after 404, becomes available, and is called under the client's name for its namespace"""
        secret = {"name": "by-client", "value": "hunter2"}
        self.assertEqual(send("POST", "/system/secrets", secret)[0], 202)
        self.assertEqual(send("POST", "/system/secrets", secret)[0], 409)
        self.assertNotIn("hunter2", send("GET", "/system/secrets")[1])
        self.assertEqual(send("PUT", "/system/functions", self.deployment())[0], 404)
        self.assertEqual(send("POST", "/system/functions", self.deployment())[0], 202)
        farebox.wait_until("a replica is available", lambda: json.loads(send(
            "GET", "/system/function/by-client?namespace=" + farebox.FUNCTIONS)[1])["availableReplicas"] > 0)
        listed = json.loads(send("GET", "/system/functions")[1])
        self.assertIn("by-client", [entry["name"] for entry in listed])
        for name in ("by-client", "by-client." + farebox.FUNCTIONS, "by-client.openfaas-fn"):
            farebox.wait_until(f"{name} answers", lambda name=name: send(
                "GET", f"/function/{name}/", authorization=None)[0] == 200)

    def test_2_logs_and_scale(self) -> None:
        """Its log is read, also by whom the API server lets read it; a change of scale reaches the object"""
        status, text = send("GET", f"/system/logs?name=by-client&namespace={farebox.FUNCTIONS}&follow=false&tail=-1")
        self.assertEqual(status, 200)
        for line in text.splitlines():
            self.assertEqual(json.loads(line)["name"], "by-client")
        token = farebox.account("admin-reader")
        farebox.allow("admin-reader", [{"resources": ["functions"], "verbs": ["get"]}])
        path = "/system/function/by-client"
        farebox.wait_until("the right counts", lambda: send("GET", path, authorization="Bearer " + token)[0] == 200)
        self.assertEqual(send("DELETE", "/system/functions", {"functionName": "by-client"}, "Bearer " + token)[0], 403)
        self.assertEqual(send("GET", path, authorization="Bearer made-up")[0], 401)
        self.assertEqual(send("POST", "/system/scale-function/by-client", {
            "serviceName": "by-client", "replicas": 2, "namespace": farebox.FUNCTIONS})[0], 202)
        self.assertEqual(farebox.get("function", "by-client")["spec"]["replicas"], 2)

    def test_3_replace(self) -> None:
        """A function that is removed and made anew at once, as `--replace` does it, runs again"""
        before = farebox.get("function", "by-client")["metadata"]["uid"]
        removal = {"functionName": "by-client", "namespace": farebox.FUNCTIONS}
        self.assertEqual(send("DELETE", "/system/functions", removal)[0], 202)
        self.assertEqual(send("POST", "/system/functions", self.deployment())[0], 202)
        self.assertNotEqual(farebox.get("function", "by-client")["metadata"]["uid"], before)
        farebox.wait_until("a replica is available", lambda: json.loads(send(
            "GET", "/system/function/by-client?usage=1")[1]).get("availableReplicas", 0) > 0)

    def test_4_remove(self) -> None:
        """A function of a Repository stays; its own is removed with the namespace in the body"""
        status, text = send("DELETE", "/system/functions", {"functionName": farebox.SecondProbe.NAME})
        self.assertEqual((status, f"Repository {farebox.SecondProbe.REPOSITORY}" in text), (409, True), text)
        removal = {"functionName": "by-client", "namespace": farebox.FUNCTIONS}
        self.assertEqual(send("DELETE", "/system/functions", removal)[0], 202)
        self.assertEqual(send("DELETE", "/system/functions", removal)[0], 404)
        self.assertEqual(send("DELETE", "/system/secrets", {"name": "by-client"})[0], 202)
        self.assertEqual(send("GET", "/system/functions", authorization=None)[0], 401)


if __name__ == "__main__":
    unittest.main()
