"""What authors and their Git hosts do wrong: each ends with a named reason on the object, and everything else goes on."""

import socket
import threading
import unittest
from collections.abc import Callable

import platform_under_test as farebox

SECONDS = 60
EXAMPLE = farebox.REPOSITORY_ROOT / "examples/python"


def stack(*functions: str) -> str:
    return "version: 1.0\nprovider:\n  name: openfaas\nfunctions:\n" + "".join(functions)


def entry(name: str, **fields: str) -> str:
    fields = {"lang": "dockerfile", "handler": "./hello", "image": "hello", **fields}
    return f"  {name}:\n" + "".join(f"    {key}: {value}\n" for key, value in fields.items())


class BadInput(unittest.TestCase):
    """One owner makes mistakes; another's function answers all the while."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = farebox.GitHost()
        cls.good = cls.host.create("ivan", "steady")
        cls.good.copy(EXAMPLE)
        farebox.apply(farebox.repository("steady", cls.good.url, interval="1h"))
        commit = cls.good.commit("Greet")
        cls.good.push()
        farebox.wait_until("the good one is deployed", lambda: farebox.deployed("steady", commit))

    @classmethod
    def tearDownClass(cls) -> None:
        farebox.kubectl("delete", "repository", "steady", "-n", farebox.FUNCTIONS, "--ignore-not-found")
        cls.host.close()

    def tearDown(self) -> None:
        self.assertEqual(farebox.call("/hello/", f"ivan.{farebox.ROOT_DOMAIN}")[2], b"Hello, world!\n")
        self.assertTrue(farebox.is_ready("repository", "steady"))

    def refused(self, name: str, change: Callable[[farebox.WorkTree], None], reason: str, *words: str,
                **spec: object) -> None:
        """Pushes a repository as `change` makes it and expects it to stall for `reason`, with `words` in the message."""
        tree = self.host.create("judy", name)
        tree.copy(EXAMPLE)
        change(tree)
        farebox.apply(farebox.repository(name, tree.url, interval="1h", **spec))
        self.addCleanup(farebox.kubectl, "delete", "repository", name, "-n", farebox.FUNCTIONS)
        tree.commit("A mistake")
        tree.push()
        ready = farebox.wait_until(f"{name} is refused as {reason}", lambda: next(
            (c for c in farebox.get("repository", name).get("status", {}).get("conditions", [])
             if c["type"] == "Ready" and c["reason"] == reason), None))
        self.assertEqual(ready["status"], "False")
        for word in words:
            self.assertIn(word, ready["message"])

    def test_malformed_yaml(self) -> None:
        """A stack file that is no YAML is refused with line and column"""
        self.refused("no-yaml", lambda tree: tree.write("stack.yml", "functions:\n  hello: {lang: [\n"),
                     "StackInvalid", "stack.yml", "line ", "column ")

    def test_a_function_twice(self) -> None:
        """A stack that lists one function twice is refused with its name"""
        self.refused("twice", lambda tree: tree.write("stack.yml", stack(entry("hello"), entry("hello"))),
                     "StackInvalid", "hello")

    def test_500_functions(self) -> None:
        """A stack of 500 functions is refused with the limit"""
        self.refused("crowded", lambda tree: tree.write("stack.yml", stack(*[entry(f"f{n}") for n in range(500)])),
                     "StackInvalid", "500", "at most")

    def test_unknown_runtime(self) -> None:
        """An unknown runtime is refused with the known ones"""
        self.refused("cobol", lambda tree: tree.write("stack.yml", stack(entry("hello", lang="cobol-85"))),
                     "RuntimeUnknown", "cobol-85", "dockerfile")

    def test_a_name_that_is_no_label(self) -> None:
        """A function's name that is no DNS label is refused with the rule"""
        self.refused("shouting", lambda tree: tree.write("stack.yml", stack(entry("Hello_World"))),
                     "StackInvalid", "Hello_World", "lower-case")

    def test_a_context_that_is_too_large(self) -> None:
        """A function's folder over the limit is refused with its size and the remedy"""
        def change(tree: farebox.WorkTree) -> None:
            with open(tree.folder / "hello/zeros", "wb") as file:
                file.truncate(130 << 20)
        self.refused("large", change, "ContextTooLarge", "130 MiB", ".dockerignore")

    def test_a_build_that_never_ends(self) -> None:
        """A build that never ends is ended at its timeout"""
        self.refused("endless", lambda tree: tree.write("hello/Dockerfile", "FROM python:3-slim\nRUN while :; do sleep 1; done\n"),
                     "Timeout", build={"timeout": "10s"})
        self.assertEqual([pod for pod in farebox.items("pods", farebox.BUILDS, "farebox.dev/repository=endless")
                          if pod["status"]["phase"] == "Running"], [])

    def test_a_git_host_that_hangs(self) -> None:
        """A Git host that takes the connection and says nothing is given up, with its name"""
        silent = socket.create_server((self.host.base.removeprefix("http://").rpartition(":")[0], 0))
        self.addCleanup(silent.close)
        taken: list[socket.socket] = []
        threading.Thread(target=lambda: accept_all(silent, taken), daemon=True).start()
        address = f"{silent.getsockname()[0]}:{silent.getsockname()[1]}"
        farebox.apply(farebox.repository("silent", f"http://{address}/judy/silent.git", interval="1h"))
        self.addCleanup(farebox.kubectl, "delete", "repository", "silent", "-n", farebox.FUNCTIONS)

        ready = farebox.wait_until("the silent host is given up", lambda: next(
            (c for c in farebox.get("repository", "silent").get("status", {}).get("conditions", [])
             if c["type"] == "Ready" and c["reason"] == "GitUnreachable"), None))

        self.assertIn(address.partition(":")[0], ready["message"])


def accept_all(server: socket.socket, taken: list[socket.socket]) -> None:
    while True:
        try:
            taken.append(server.accept()[0])
        except OSError:
            return
