"""From a push to an answer: building, updating without a failed call, failing without harm, and going away."""

import http.client
import threading
import time
import unittest

import platform_under_test as farebox

SECONDS = 100
EXAMPLES = farebox.REPOSITORY_ROOT / "examples"


class Callers:
    """Calls a function over and over from several threads and keeps every answer that was not a 200."""

    def __init__(self, path: str, host: str, threads: int = 4) -> None:
        self.path, self.host, self.calls, self.bad = path, host, 0, []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(threads)]

    def work(self) -> None:
        while not self.stopping.is_set():
            try:
                status, _, body = farebox.call(self.path, self.host)
                if status != 200:
                    self.bad.append(f"{status} {body[:200]!r}")
            except (OSError, http.client.HTTPException) as error:
                self.bad.append(repr(error))
            self.calls += 1
            time.sleep(0.01)

    def __enter__(self) -> "Callers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()


class Push(unittest.TestCase):
    """One repository with the Python example, through its whole life."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = farebox.GitHost()
        cls.tree = cls.host.create("Alice", "shop")
        cls.tree.copy(EXAMPLES / "python")
        farebox.apply(farebox.repository("shop", cls.tree.url, interval="1h"))
        farebox.wait_until("the repository says that its branch is not there yet",
                           lambda: farebox.condition(farebox.get("repository", "shop"), "Ready")["status"] == "False")
        cls.first = cls.tree.commit("Greet")
        cls.tree.push()
        farebox.wait_until("the first push is deployed", lambda: farebox.deployed("shop", cls.first))

    @classmethod
    def tearDownClass(cls) -> None:
        farebox.kubectl("delete", "repository", "shop", "-n", farebox.FUNCTIONS, "--ignore-not-found")
        cls.host.close()

    def test_1_a_push_answers_at_its_pretty_url(self) -> None:
        """A pushed function answers at <owner>.<root>/<function>/ and at /function/<name>"""
        pretty = farebox.call("/hello/you?x=1", f"alice.{farebox.ROOT_DOMAIN}")
        plain = farebox.call(f"/function/alice-hello.{farebox.FUNCTIONS}/you")

        self.assertEqual((pretty[0], pretty[2]), (200, b"Hello, you!\n"))
        self.assertEqual((plain[0], plain[2]), (200, b"Hello, you!\n"))

    def test_2_a_second_push_changes_the_answer_without_a_failed_call(self) -> None:
        """A second push changes the answer and no call fails meanwhile"""
        stack = (self.tree.folder / "stack.yml").read_text()
        self.tree.write("stack.yml", stack.replace("GREETING: Hello", "GREETING: Good day"))
        commit = self.tree.commit("Be formal")

        with Callers("/hello/", f"alice.{farebox.ROOT_DOMAIN}") as callers:
            self.tree.push()
            farebox.wait_until("the second push is deployed", lambda: farebox.deployed("shop", commit))
            farebox.wait_until("the new answer", lambda: farebox.call(
                "/hello/", f"alice.{farebox.ROOT_DOMAIN}")[2] == b"Good day, world!\n")

        self.assertEqual(callers.bad, [])
        self.assertGreater(callers.calls, 10)

    def test_3_a_failed_build_leaves_the_old_version_running(self) -> None:
        """A build that fails says why and leaves the old version running"""
        self.tree.write("hello/Dockerfile", "FROM python:3-slim\nRUN echo about to break && exit 7\n")
        self.tree.commit("Break")
        self.tree.push()

        broken = farebox.wait_until("the failure is told", lambda: next(
            (f for f in farebox.get("repository", "shop")["status"].get("functions", [])
             if f.get("reason") == "StepFailed"), None))
        status, _, body = farebox.call("/hello/", f"alice.{farebox.ROOT_DOMAIN}")

        self.assertIn("exit 7", str(broken))
        self.assertEqual((status, body), (200, b"Good day, world!\n"))
        self.assertEqual(farebox.condition(farebox.get("repository", "shop"), "Ready")["status"], "False")

    def test_4_a_function_that_left_the_stack_is_deleted(self) -> None:
        """A function that left the stack goes once the rest is deployed"""
        self.tree.git("checkout", "-q", self.first, "--", "hello")
        self.tree.write("stack.yml", (self.tree.folder / "stack.yml").read_text().replace("  hello:", "  hallo:"))
        commit = self.tree.commit("Rename")
        self.tree.push()

        farebox.wait_until("the renamed function is deployed", lambda: farebox.deployed("shop", commit))
        farebox.wait_until("the old one is gone", lambda: [
            f["metadata"]["name"] for f in farebox.items("functions")
            if f["metadata"]["name"].startswith("alice-")] == ["alice-hallo"])

        farebox.wait_until("its URL is gone", lambda: farebox.call("/hello/", f"alice.{farebox.ROOT_DOMAIN}")[0] == 404)
        self.assertEqual(farebox.call("/hallo/", f"alice.{farebox.ROOT_DOMAIN}")[0], 200)

    def test_5_deleting_the_repository_deletes_its_functions(self) -> None:
        """Deleting the Repository deletes its functions, their children and its build Jobs"""
        farebox.kubectl("delete", "repository", "shop", "-n", farebox.FUNCTIONS, farebox.PATIENTLY)

        farebox.wait_until("nothing of it is left", lambda: not [
            thing["metadata"]["name"]
            for kind in ("functions", "deployments", "services", "networkpolicies", "secrets", "pods")
            for thing in farebox.items(kind) if thing["metadata"]["name"].startswith("alice-")])
        self.assertEqual(farebox.items("jobs", farebox.BUILDS, "farebox.dev/repository=shop"), [])


class Polling(unittest.TestCase):
    """A repository that no webhook speaks for, with the static example."""

    def test_polling_builds_without_a_webhook(self) -> None:
        """A repository with no webhook is built by polling at spec.interval"""
        host = farebox.GitHost()
        self.addCleanup(host.close)
        tree = host.create("bob", "tools")
        tree.copy(EXAMPLES / "static")
        commit = tree.commit("Tell the time")
        farebox.run("git", "-C", str(tree.folder), "push", "-q", str(tree.bare), "HEAD:refs/heads/main")
        farebox.apply(farebox.repository("tools", tree.url, interval="10s"))
        self.addCleanup(farebox.kubectl, "delete", "repository", "tools", "-n", farebox.FUNCTIONS)

        farebox.wait_until("the branch's head is deployed", lambda: farebox.deployed("tools", commit))
        status, _, body = farebox.call("/clock/", f"bob.{farebox.ROOT_DOMAIN}")

        self.assertEqual(status, 200)
        self.assertLess(abs(int(body) - time.time()), 60)
