"""The logs of builds and functions: followed live, kept after, and read by nobody else."""

import http.client
import json
import os
import threading
import unittest
from collections.abc import Callable

import platform_under_test as farebox

SECONDS = 90
# Slow on purpose: its log is read while the build runs.
STEPS = "\n".join(f"RUN echo step-{number} && sleep 1" for number in range(1, 7))


class Reader(threading.Thread):
    """Follows a log and keeps each piece with the moment it came."""

    def __init__(self, path: str, token: str, accept: str) -> None:
        super().__init__(daemon=True)
        self.path, self.token, self.accept = path, token, accept
        self.status, self.text, self.during = 0, "", ""
        self.start()

    def run(self) -> None:
        self.status, self.text = request(self.path, self.token, self.accept, piece=self.take)

    def take(self, text: str) -> None:
        self.during += text


def request(path: str, token: str | None, accept: str = "text/plain",
            piece: Callable[[str], None] | None = None) -> tuple[int, str]:
    """Makes one request to the log API and returns status and body."""
    connection = http.client.HTTPConnection(farebox.cluster_address("farebox-builder"), 8083, timeout=farebox.PATIENCE_SECONDS)
    headers = {"Accept": accept, **({"Authorization": "Bearer " + token} if token else {})}
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        text = ""
        while True:
            part = answer.read1(65536).decode(errors="replace")
            if not part:
                return answer.status, text
            text += part
            if piece:
                piece(part)
    finally:
        connection.close()


class Logs(unittest.TestCase):
    """Two owners whose names join to the same text, each with a reader of its own."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = farebox.GitHost()
        cls.alex, cls.ellis = farebox.account("alex-reader"), farebox.account("ellis-reader")
        farebox.allow("alex-reader", [{"resources": ["repositories/log"], "resourceNames": ["logs-alex"]},
                                      {"resources": ["functions/log"], "resourceNames": ["alex-chatty"]}])
        farebox.allow("ellis-reader", [{"resources": ["repositories/log"], "resourceNames": ["logs-alex-ellis"]}])
        cls.tree = cls.host.create("alex", "ellis-fn")
        cls.tree.copy(farebox.REPOSITORY_ROOT / "examples/python")
        (cls.tree.folder / "hello").rename(cls.tree.folder / "chatty")
        dockerfile = (cls.tree.folder / "chatty/Dockerfile").read_text()
        first, rest = dockerfile.split("\n", 1)
        password = os.environ["FAREBOX_REGISTRY_PASSWORD"]
        half = len(password) // 2
        # The file holds the password in two halves, the log of the step in one.
        leak = f"RUN printf '%s%s\\n' 'leak-{password[:half]}' '{password[half:]}'"
        cls.tree.write("chatty/Dockerfile", "\n".join([first, STEPS, leak, rest]))
        cls.tree.write("stack.yml", (cls.tree.folder / "stack.yml").read_text().replace("hello", "chatty"))
        farebox.apply(farebox.repository("logs-alex", cls.tree.url, interval="1h"))
        farebox.wait_until("the repository says that its branch is not there yet", lambda: farebox.condition(
            farebox.get("repository", "logs-alex"), "Ready")["status"] == "False")
        cls.commit = cls.tree.commit("Chat")
        cls.tree.push()
        cls.path = f"/logs/v1/alex/ellis-fn/{cls.commit}/chatty"

    @classmethod
    def tearDownClass(cls) -> None:
        farebox.kubectl("delete", "repository", "logs-alex", "-n", farebox.FUNCTIONS, "--ignore-not-found")
        cls.host.close()

    def test_1_a_build_is_followed_live(self) -> None:
        """A build is followed as events and as NDJSON while it runs, without the registry's password"""
        farebox.wait_until("the log can be read", lambda: request(self.path + "?follow=false", self.alex)[0] == 200)
        readers = [Reader(self.path, self.alex, accept) for accept in ("text/event-stream", "application/x-ndjson")]
        farebox.wait_until("both see the build at work", lambda: all("step-1" in r.during for r in readers))
        state = farebox.get("repository", "logs-alex")["status"]["functions"][0]
        self.assertEqual(state["state"], "Building")
        self.assertTrue(state["logURL"].endswith(self.path), state["logURL"])
        for reader in readers:
            reader.join(180)
            self.assertFalse(reader.is_alive())

        events, lines = (r.text for r in readers)
        self.assertIn("id: 1\ndata: {", events)
        self.assertTrue(events.endswith('event: end\nid: end\ndata: {"end":"complete"}\n\n'), events[-300:])
        read = [json.loads(line) for line in lines.splitlines()]
        self.assertEqual(read[-1], {"end": "complete"})
        self.assertTrue(all(line["time"].startswith("20") for line in read[:-1]))
        for text in (events, lines):
            self.assertIn("leak-", text)
            self.assertNotIn(os.environ["FAREBOX_REGISTRY_PASSWORD"], text)

    def test_2_the_log_is_kept(self) -> None:
        """The log is kept after the build, and its Job is gone or says so"""
        farebox.wait_until("deployed", lambda: farebox.deployed("logs-alex", self.commit))
        job = farebox.wait_until("the Job says that the log is stored", lambda: next(
            (job for job in farebox.items("jobs", farebox.BUILDS, "farebox.dev/repository=logs-alex")
             if job["metadata"]["annotations"].get("farebox.dev/log") == "stored"), None))
        farebox.kubectl("delete", "job", job["metadata"]["name"], "-n", farebox.BUILDS, "--wait=true")
        farebox.wait_until("its pod is gone", lambda: not farebox.items(
            "pods", farebox.BUILDS, "farebox.dev/repository=logs-alex"))

        status, text = request(self.path, self.alex)
        tail = request(self.path + "?tail=1", self.alex)[1]

        self.assertEqual(status, 200)
        self.assertIn("step-6", text)
        self.assertIn("leak-", text)
        self.assertNotIn(os.environ["FAREBOX_REGISTRY_PASSWORD"], text)
        self.assertEqual(tail, text.rstrip("\n").split("\n")[-1] + "\n")

    def test_3_nobody_else_reads_it(self) -> None:
        """Owners whose names join to the same text do not read each other's logs, and strangers read none"""
        farebox.apply(farebox.repository("logs-alex-ellis", self.host.url("alex-ellis", "fn"), interval="1h"))
        self.addCleanup(farebox.kubectl, "delete", "repository", "logs-alex-ellis", "-n", farebox.FUNCTIONS)
        mine = request(self.path, self.alex)[0]
        odd = self.path.replace("alex/ellis-fn", "alex-ellis%2f..%2falex/ellis-fn")

        self.assertEqual(mine, 200)
        self.assertEqual(request(self.path, self.ellis)[0], 404)
        self.assertEqual(request(odd, self.ellis)[0], 404)
        self.assertEqual(request(self.path, None)[0], 401)
        self.assertEqual(request(self.path, self.alex + "x")[0], 401)
        self.assertEqual(request(self.path.replace("/chatty", "/other"), self.alex)[0], 404)

    def test_4_a_function_says_what_it_does(self) -> None:
        """The log of a function is given in the gateway's dialect to whom it is allowed"""
        farebox.wait_until("deployed", lambda: farebox.deployed("logs-alex", self.commit))
        path = f"/logs/v1/functions/{farebox.FUNCTIONS}/alex-chatty?follow=false&tail=50"
        farebox.call("/chatty/", f"alex.{farebox.ROOT_DOMAIN}")

        status, text = request(path, self.alex, "application/x-ndjson")

        self.assertEqual(status, 200)
        for line in text.splitlines():
            self.assertEqual(set(json.loads(line)), {"name", "namespace", "instance", "timestamp", "text"})
        self.assertEqual(request(path, self.ellis)[0], 404)
        self.assertEqual(request(path, None)[0], 401)
