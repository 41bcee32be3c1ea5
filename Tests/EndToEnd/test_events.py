"""The events of Git hosts over the wire: a corpus of real-shaped payloads, and what each does to Repositories."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import unittest
from typing import Any

import platform_under_test as farebox

PAYLOADS = farebox.REPOSITORY_ROOT / "Tests/WebhookTests/Payloads"
COMMIT = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
CUSTOMERS = ["alice", "octocoders", "mike", "scores"]
# So many connections in a row meet both replicas, but for one time in half a million.
ENOUGH_FOR_BOTH = 20
# Where the payloads say that the hosts are; the tests put a host in their place that is there.
HOSTS = ["https://github.com", "https://gitlab.example.com", "https://git.example.com", "https://plain.example.com"]


def payload(host: str, name: str, base: str) -> bytes:
    text = (PAYLOADS / host / f"{name}.json").read_text()
    for old in HOSTS:
        text = text.replace(old, base)
    return text.encode()


def signed(host: str, name: str, body: bytes, secret: bytes, delivery: str, base: str) -> dict[str, str]:
    """The fields that a host sends with a delivery."""
    event = name.split(".")[0]
    digest = hmac.new(secret, body, hashlib.sha256).hexdigest()
    fields = {"Content-Type": "application/json"}
    if host == "github":
        fields |= {"X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": "sha256=" + digest}
    elif host == "gitlab":
        fields |= {"X-Gitlab-Event": "System Hook", "X-Gitlab-Token": secret.decode(), "Idempotency-Key": delivery,
                   "X-Gitlab-Instance": base}
    elif host == "gitea":
        fields |= {"X-Gitea-Event": event, "X-Gitea-Delivery": delivery, "X-Gitea-Signature": digest}
    else:
        fields |= {"X-Delivery": delivery, "X-Hub-Signature-256": "sha256=" + digest}
    return fields


class Events(unittest.TestCase):
    """One Git host that is there and empty, whose events arrive one by one."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = farebox.GitHost()
        cls.secrets = {key: base64.b64decode(value)
                       for key, value in farebox.get("secret", "farebox-webhook", farebox.SYSTEM)["data"].items()}
        farebox.kubectl("delete", "configmap", "farebox-customers", "-n", farebox.SYSTEM, "--ignore-not-found")

    @classmethod
    def tearDownClass(cls) -> None:
        farebox.kubectl("delete", "configmap", "farebox-customers", "-n", farebox.SYSTEM, "--ignore-not-found")
        for name in cls.ours():
            farebox.kubectl("delete", "repository", name, "-n", farebox.FUNCTIONS, "--wait=false")
        cls.host.close()

    @classmethod
    def ours(cls) -> dict[str, dict[str, Any]]:
        """The Repositories of this class's host, those that are on their way out left out."""
        return {one["metadata"]["name"]: one for one in farebox.items("repositories")
                if one["spec"]["url"].startswith(cls.host.base) and "deletionTimestamp" not in one["metadata"]}

    def post(self, host: str, name: str, delivery: str | None = None, secret: bytes | None = None,
             body: bytes | None = None, **fields: str) -> tuple[int, str]:
        body = payload(host, name, self.host.base) if body is None else body
        key = self.secrets[host] if secret is None else secret
        delivery = delivery or os.urandom(8).hex()
        headers = signed(host, name, body, key, delivery, self.host.base) | fields
        connection = http.client.HTTPConnection(farebox.cluster_address("farebox-webhook"), 80, timeout=farebox.PATIENCE_SECONDS)
        try:
            connection.request("POST", f"/{host}", body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def annotation(self, repository: str, name: str) -> str | None:
        return self.ours()[repository]["metadata"].get("annotations", {}).get("farebox.dev/" + name)

    def settle(self, what: str, names: set[str]) -> None:
        """Waits until these are our Repositories, and both replicas of the webhook have seen it."""
        farebox.wait_until(what, lambda: set(self.ours()) == names)

    def test_1_nobody_is_a_customer_before_the_list_is_filled(self) -> None:
        """Without a list of customers an installation makes nothing, and the answer tells no name"""
        status, text = self.post("github", "installation.created")

        self.assertEqual(status, 200, text)
        self.assertEqual(self.ours(), {})

    def test_2_the_list_lets_its_names_in(self) -> None:
        """Names in the ConfigMap are let in without a restart, compared without case; others learn nothing"""
        manifest = {"apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": "farebox-customers", "namespace": farebox.SYSTEM},
                    "data": {"customers": "# the trial's\n" + "\n".join(CUSTOMERS) + "\n"}}
        farebox.apply(manifest)
        # The kubelet looks at a pod's volumes again when the pod changes, else about once a minute.
        farebox.kubectl("annotate", "pods", "-n", farebox.SYSTEM, "-l", "app.kubernetes.io/component=operator",
                        "--overwrite", f"test/now={os.urandom(4).hex()}")

        status = farebox.wait_until("both replicas have the list", lambda: all(
            self.post("github", "installation.created")[0] == 202 or
            set(self.ours()) == {"alice-hello-world", "alice-space-ship-2"} and
            "there already" in self.post("github", "installation.created")[1] for _ in range(ENOUGH_FOR_BOTH)), every=2)

        self.assertTrue(status)
        made = self.ours()["alice-hello-world"]
        self.assertEqual(made["spec"]["url"], f"{self.host.base}/Alice/Hello-World.git")
        self.assertEqual(made["spec"]["provider"], "GitHub")
        self.assertEqual(made["spec"]["installationID"], 4242)
        self.assertEqual(made["metadata"]["annotations"]["farebox.dev/owner"], "Alice")
        body = payload("github", "installation.created", self.host.base).replace(b"Alice/", b"Mallory/")
        status, text = self.post("github", "installation.created", body=body)
        self.assertEqual(status, 200, text)
        for name in CUSTOMERS:
            self.assertNotIn(name, text)
        self.assertNotIn("mallory-hello-world", self.ours())

    def test_3_a_push_is_noted_once_at_every_replica(self) -> None:
        """A push is noted, a repeated delivery changes nothing at any replica, nor does an old push sent anew"""
        status, text = self.post("github", "push", delivery="e2e-push-1")
        noted = self.ours()["alice-hello-world"]["metadata"]["annotations"]
        again = [self.post("github", "push", delivery="e2e-push-1")[0] for _ in range(6)]
        newer = payload("github", "push", self.host.base).replace(COMMIT.encode(), b"e" * 40)
        newer = newer.replace(b"1557933657", b"1557939999").replace(b"9f8e7d6c5b4a39281706f5e4d3c2b1a099887766", COMMIT.encode())
        second = self.post("github", "push", body=newer)
        replayed = [self.post("github", "push")[0] for _ in range(4)]

        self.assertEqual(status, 202, text)
        self.assertEqual(noted["farebox.dev/requested-commit"], COMMIT)
        self.assertEqual(noted["farebox.dev/delivery"], "e2e-push-1")
        self.assertEqual(set(again), {200})
        self.assertEqual(second[0], 202, second[1])
        self.assertEqual(set(replayed), {200})
        self.assertEqual(self.annotation("alice-hello-world", "requested-commit"), "e" * 40)

    def test_4_suspension_holds_and_lifts(self) -> None:
        """A suspended installation holds its Repositories without deleting; unsuspending lets them go on"""
        held = self.post("github", "installation.suspend")
        farebox.wait_until("they are held", lambda: all(
            "farebox.dev/suspended" in one["metadata"]["annotations"] for one in self.ours().values()))
        ready = farebox.wait_until("the operator says so", lambda: farebox.condition(
            farebox.get("repository", "alice-hello-world"), "Ready")["reason"] == "Suspended")
        lifted = farebox.wait_until(
            "the other replica knows, and lets them go on",
            lambda: self.post("github", "installation.unsuspend")[0] in (200, 202) and not any(
                "farebox.dev/suspended" in one["metadata"]["annotations"] for one in self.ours().values()))

        self.assertEqual(held[0], 202, held[1])
        self.assertTrue(ready and lifted)

    def test_5_changes_at_the_host_are_followed(self) -> None:
        """A new default branch, name and owner are followed; a deleted repository goes, and a replay brings none back"""
        farebox.wait_until("the branch is followed", lambda: (
            self.post("github", "repository.edited.default-branch"), self.ours()["alice-hello-world"]["spec"]["branch"]
        )[1] == "trunk")
        farebox.wait_until("the name is followed", lambda: (
            self.post("github", "repository.renamed"), self.ours()["alice-hello-world"]["spec"]["url"]
        )[1] == f"{self.host.base}/Alice/Hello-Universe.git")

        added = self.post("github", "installation_repositories.added", delivery="e2e-added")
        self.settle("the chosen repository is there", {"alice-hello-world", "alice-space-ship-2", "alice-rocket"})
        farebox.wait_until("it is gone again", lambda: (
            self.post("github", "installation_repositories.removed"), "alice-rocket" not in self.ours())[1])
        replayed = [self.post("github", "installation_repositories.added", delivery="e2e-added")[0] for _ in range(6)]

        self.assertEqual(added[0], 202, added[1])
        self.assertEqual(set(replayed), {200})
        self.assertNotIn("alice-rocket", self.ours())

    def test_6_uninstalling_deletes_what_was_made_and_holds_what_was_applied(self) -> None:
        """Uninstalling deletes the installation's Repositories with their functions, and holds one applied by hand"""
        farebox.apply(farebox.repository("by-hand", f"{self.host.base}/Alice/Space.ship_2", interval="1h"))
        farebox.wait_until("only the applied one is left, and held", lambda: (
            self.post("github", "installation.deleted"), set(self.ours()) == {"by-hand"}
            and "by the Git host" in (self.annotation("by-hand", "suspended") or ""))[1])

        farebox.wait_until("the functions and Repositories of the installation are gone for good", lambda: not [
            one for one in farebox.items("repositories")
            if one["spec"]["url"].startswith(self.host.base) and one["metadata"]["name"] != "by-hand"])
        farebox.kubectl("delete", "repository", "by-hand", "-n", farebox.FUNCTIONS)

    def test_7_gitlab_projects_are_installed_by_their_topic(self) -> None:
        """A GitLab project is made a Repository by its topic, moved with its path and deleted with the project"""
        without = self.post("gitlab", "push")
        installed = farebox.wait_until("the project is installed", lambda: (
            self.post("gitlab", "push.with-topics"), self.ours().get("mike-topical"))[1])
        body = payload("gitlab", "project_transfer", self.host.base).replace(b"/diaspora", b"/topical")
        farebox.wait_until("it moved", lambda: (self.post("gitlab", "project_transfer", body=body), self.ours().get(
            "mike-topical", {}).get("spec", {}).get("url") == f"{self.host.base}/scores/topical.git")[1])
        body = payload("gitlab", "project_destroy", self.host.base).replace(b"mike/diaspora", b"scores/topical")
        farebox.wait_until("it is gone", lambda: (
            self.post("gitlab", "project_destroy", body=body), "mike-topical" not in self.ours())[1])

        self.assertEqual(without[0], 200, without[1])
        self.assertEqual(installed["spec"]["projectID"], 17)
        self.assertEqual(installed["spec"]["provider"], "GitLab")

    def test_8_other_hosts_push(self) -> None:
        """Pushes of Gitea and of a plain server are noted; the wrong secret of a host is refused"""
        farebox.apply(farebox.repository("by-gitea", f"{self.host.base}/carol/quiet", suspend=True, provider="Gitea"))
        farebox.apply(farebox.repository("by-plain", f"{self.host.base}/dave/tools", suspend=True))
        for host, name in (("gitea", "by-gitea"), ("git", "by-plain")):
            with self.subTest(host=host):
                refused = self.post(host, "push", secret=self.secrets["github"])
                farebox.wait_until("the push is noted", lambda: (
                    self.post(host, "push"), self.annotation(name, "requested-commit") == COMMIT)[1])
                self.assertEqual(refused[0], 401, refused[1])
        for name in ("by-gitea", "by-plain"):
            farebox.kubectl("delete", "repository", name, "-n", farebox.FUNCTIONS)

    def test_9_no_payload_is_answered_with_a_fault(self) -> None:
        """Every payload of the corpus, whole, cut, and as another event, is answered without one 5xx"""
        files = sorted(pathlib.Path(PAYLOADS).glob("*/*.json"))
        self.assertGreater(len(files), 90)
        for file in files:
            host, name = file.parent.name, file.name.removesuffix(".json")
            body = payload(host, name, self.host.base)
            status, text = self.post(host, name)
            with self.subTest(payload=f"{host}/{name}"):
                self.assertIn(status, (200, 202, 404), text)
                self.assertLess(self.post(host, name, body=body[:len(body) // 2])[0], 500)
                self.assertLess(self.post(host, "push", body=body)[0], 500)
                self.assertLess(self.post(host, "installation", body=body)[0], 500)
        for body in (b"", b"null", b"[" * 100_000, b'{"action": "created", "installation": {"id": 1e400}}', b"\xff\xfe"):
            for host in self.secrets:
                if (PAYLOADS / host).is_dir():
                    status, text = self.post(host, "push", body=body)
                    self.assertTrue(400 <= status < 500, f"{host}: {status} {text}")

    def test_a_installation_page(self) -> None:
        """A person whom GitHub sends after the installation gets a friendly page"""
        connection = http.client.HTTPConnection(farebox.cluster_address("farebox-webhook"), 80, timeout=farebox.PATIENCE_SECONDS)
        self.addCleanup(connection.close)

        connection.request("GET", "/github?installation_id=1&setup_action=install")
        answer = connection.getresponse()

        self.assertEqual(answer.status, 200)
        self.assertIn("complete", answer.read().decode())
