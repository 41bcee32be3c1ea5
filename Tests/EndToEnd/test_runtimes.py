"""Runtimes: folders with a handler become functions, and a change of one handler builds that function and no other."""

import json
import shutil
import time
import unittest

import platform_under_test as farebox

SECONDS = 220
EXAMPLES = farebox.REPOSITORY_ROOT / "examples"


def builds(repository: str) -> dict[str, int]:
    """How many build Jobs there are of each function of a repository."""
    counts: dict[str, int] = {}
    for job in farebox.items("jobs", farebox.BUILDS, f"farebox.dev/repository={repository}"):
        name = job["metadata"]["labels"]["farebox.dev/function"]
        counts[name] = counts.get(name, 0) + 1
    return counts


class Runtimes(unittest.TestCase):
    """One repository with six functions in five runtimes."""

    HOST = f"rosa.{farebox.ROOT_DOMAIN}"

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = farebox.GitHost()
        cls.tree = cls.host.create("Rosa", "six")
        cls.tree.copy(EXAMPLES / "runtimes")
        farebox.apply(farebox.repository("six", cls.tree.url, interval="1h"))
        commit = cls.tree.commit("Six functions")
        begun = time.monotonic()
        cls.tree.push()
        farebox.wait_until("six functions are deployed", lambda: farebox.deployed("six", commit), every=1)
        print(f"    (six functions deployed in {time.monotonic() - begun:.0f} s)", flush=True)

    @classmethod
    def tearDownClass(cls) -> None:
        farebox.kubectl("delete", "repository", "six", "-n", farebox.FUNCTIONS, "--ignore-not-found")
        cls.host.close()

    def call(self, path: str, **arguments: object) -> tuple[int, bytes]:
        status, _, body = farebox.call(path, self.HOST, **arguments)
        return status, body

    def test_1_every_runtime_answers(self) -> None:
        """Functions in Python, JavaScript, Go and bash, and a folder of files, answer by their contracts"""
        self.assertEqual(self.call("/greeter/you"), (200, b"Hello, you!\n"))
        status, body = self.call("/words/", method="POST", body=b"one two one")
        self.assertEqual((status, json.loads(body)), (200, {"words": 3, "counts": {"one": 2, "two": 1}}))
        status, body = self.call(
            "/total/", method="POST", body=b"[1, 2, 39]", headers={"Content-Type": "application/json"})
        self.assertEqual((status, json.loads(body)), (200, {"total": 42}))
        self.assertEqual(self.call("/shout/", method="POST", body=b"quiet"), (200, b"QUIET"))
        self.assertEqual(self.call("/primes/91"), (200, b"91 is divisible by 7\n"))
        status, fields, body = farebox.call("/site/", self.HOST)
        self.assertEqual((status, fields["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertIn(b"A folder of files", body)

    def test_2_faults_are_answered_without_detail(self) -> None:
        """What goes wrong inside a function is a 500 without detail, and what is not there a 404"""
        self.assertEqual(self.call("/words/")[0], 405)
        json_type = {"Content-Type": "application/json"}
        self.assertEqual(self.call("/total/", method="POST", body=b"{", headers=json_type)[0], 400)
        self.assertEqual(self.call("/primes/x")[0], 400)
        self.assertEqual(self.call("/site/none")[0], 404)
        for name in ("greeter", "total", "shout", "primes", "site"):
            with self.subTest(name=name):
                self.assertEqual(self.call(f"/{name}/_/health"), (200, b"OK\n"))

    def test_3_changing_one_handler_builds_only_that_function(self) -> None:
        """A push that changes one handler builds that function, and the other five go on with the images they have"""
        before = builds("six")
        self.assertEqual(before, dict.fromkeys(("greeter", "words", "total", "shout", "primes", "site"), 1))
        images = {f["metadata"]["name"]: f["spec"]["image"] for f in farebox.items("functions")
                  if f["metadata"]["name"].startswith("rosa-")}
        handler = (self.tree.folder / "shout/handler.sh").read_text()
        self.tree.write("shout/handler.sh", handler + "echo !\n")
        commit = self.tree.commit("Shout louder")

        begun = time.monotonic()
        self.tree.push()
        farebox.wait_until("the change is deployed", lambda: farebox.deployed("six", commit))
        print(f"    (one function of six deployed in {time.monotonic() - begun:.0f} s)", flush=True)

        # A call that comes a moment after may go to the instance that is just leaving.
        farebox.wait_until("the new answer", lambda: self.call(
            "/shout/", method="POST", body=b"quiet") == (200, b"QUIET!\n"))
        built = {job["metadata"]["labels"]["farebox.dev/function"]
                 for job in farebox.items("jobs", farebox.BUILDS, "farebox.dev/repository=six")
                 if job["metadata"]["annotations"]["farebox.dev/commit"] == commit}
        self.assertEqual(built, {"shout"})
        after = {f["metadata"]["name"]: f["spec"]["image"] for f in farebox.items("functions")
                 if f["metadata"]["name"].startswith("rosa-")}
        self.assertEqual({name for name in after if after[name] != images[name]}, {"rosa-shout"})

    def test_4_a_runtime_of_a_config_map_counts_at_once(self) -> None:
        """A runtime that is not known is told with those that are; one in a ConfigMap counts without a restart"""
        self.addCleanup(
            farebox.kubectl, "delete", "configmap", "runtime-tiny", "-n", farebox.SYSTEM, "--ignore-not-found")
        tree = self.host.create("Rosa", "tiny")
        tree.write("stack.yml", "functions:\n  tiny:\n    lang: tiny\n    handler: ./tiny\n    image: tiny\n")
        tree.write("tiny/answer.txt", "42\n")
        commit = tree.commit("Answer")
        farebox.apply(farebox.repository("tiny", tree.url, interval="1h"))
        self.addCleanup(farebox.kubectl, "delete", "repository", "tiny", "-n", farebox.FUNCTIONS, "--ignore-not-found")
        tree.push()
        unknown = farebox.wait_until("the runtime is not known", lambda: (
            lambda c: c if c["reason"] == "RuntimeUnknown" else None)(
                farebox.condition(farebox.get("repository", "tiny"), "Ready")))
        self.assertIn("python3-http", unknown["message"])

        farebox.apply({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": "runtime-tiny", "namespace": farebox.SYSTEM, "labels": {"farebox.dev/runtime": "tiny"}},
            "data": {
                "template.yml": "language: tiny\n",
                "Dockerfile": "FROM python:3-slim\nCOPY . /srv\nUSER 12000\nCMD [\"python3\", \"/srv/bin/serve.py\"]\n",
                "bin..serve.py": (
                    "import http.server\n"
                    "class Handler(http.server.BaseHTTPRequestHandler):\n"
                    "    def do_GET(self):\n"
                    "        self.send_response(200)\n"
                    "        self.end_headers()\n"
                    "        self.wfile.write(open('/srv/function/answer.txt', 'rb').read())\n"
                    "http.server.ThreadingHTTPServer(('', 8080), Handler).serve_forever()\n"),
            }})
        farebox.wait_until("the function is deployed", lambda: farebox.deployed("tiny", commit))

        self.assertEqual(self.call("/tiny/"), (200, b"42\n"))


class Funkos(unittest.TestCase):
    """A repository without a stack file: each folder with a funko.yml is a function."""

    def test_a_funko_is_built_by_its_runtime(self) -> None:
        """A folder with a funko.yml becomes a function on port 3000, with the packages that it asks for"""
        host = farebox.GitHost()
        self.addCleanup(host.close)
        tree = host.create("Rolf", "funkos")
        # Not the one with Express, which is over a hundred of Debian's packages.
        shutil.copytree(EXAMPLES / "funko/quotes", tree.folder / "quotes")
        commit = tree.commit("Quote")
        farebox.apply(farebox.repository("funkos", tree.url, interval="1h"))
        self.addCleanup(farebox.kubectl, "delete", "repository", "funkos", "-n", farebox.FUNCTIONS)
        begun = time.monotonic()
        tree.push()
        farebox.wait_until("the funko is deployed", lambda: farebox.deployed("funkos", commit), every=1)
        print(f"    (a funko deployed in {time.monotonic() - begun:.0f} s)", flush=True)

        status, _, body = farebox.call("/quotes/", f"rolf.{farebox.ROOT_DOMAIN}")
        self.assertEqual(status, 200)
        self.assertGreater(len(body), 5)
