#!/usr/bin/env python3
"""Measures how long a push takes until it answers calls, phase by phase, on a cluster where Farebox runs.

    bench_push.py [--rounds N] [--goal SECONDS] [--json FILE]

The environment says where the cluster is (`hack/cluster env`). One function is built once, so that its layers are cached;
then each round pushes a change of its code, posts the event as the Git host would, and looks at what happens: objects by
watches, the operator's own steps by its metrics, the answer by calling. What counts is push to live minus the build's own
time, which is its Job's: from when the Job is made until its container has ended. What is left beside that is told also with
the start of the build's container, which the cluster takes. Ends with 0 when the median is within the goal.
"""

import argparse
import base64
import collections
import http.client
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import git_server  # noqa: E402  the Git host of the demo

SYSTEM, BUILDS, FUNCTIONS = "farebox-system", "farebox-builds", "farebox-functions"
OWNER, REPOSITORY, NAME = "bench", "push", "version"
OBJECT = f"{OWNER}-{NAME}"
HANDLER = '''import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"%(version)s"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
'''
DOCKERFILE = 'FROM python:3-slim\nCOPY handler.py /srv/handler.py\nUSER 12000\nCMD ["python3", "/srv/handler.py"]\n'
STACK = f"version: 1.0\nprovider: {{name: openfaas}}\nfunctions:\n  {NAME}: {{lang: dockerfile, handler: ./app}}\n"


def run(*command: str, text: str | None = None) -> str:
    """Runs a command and returns its standard output."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def get(*arguments: str) -> dict[str, Any]:
    return json.loads(run("kubectl", "get", *arguments, "-o", "json"))


class Watch:
    """Notes when something is first seen of the objects of one kind."""

    def __init__(self, kind: str, namespace: str, marks: Callable[[dict[str, Any]], Iterator[str]]) -> None:
        self.seen: dict[str, float] = {}
        self.changed = threading.Condition()
        self.marks = marks
        self.process = subprocess.Popen(["kubectl", "get", kind, "-n", namespace, "--watch", "-o", "json"],
                                        stdout=subprocess.PIPE)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        assert self.process.stdout
        decoder, text = json.JSONDecoder(), ""
        while piece := os.read(self.process.stdout.fileno(), 1 << 16):
            now = time.monotonic()
            text += piece.decode(errors="replace")
            while text := text.lstrip():
                try:
                    thing, end = decoder.raw_decode(text)
                except ValueError:
                    break
                text = text[end:]
                with self.changed:
                    for mark in self.marks(thing):
                        self.seen.setdefault(mark, now)
                    self.changed.notify_all()

    def time(self, mark: str, seconds: float = 5) -> float:
        """Returns when a mark was seen; waits for it a while, since what it tells may be on its way."""
        with self.changed:
            if not self.changed.wait_for(lambda: mark in self.seen, seconds):
                sys.exit(f"nobody saw '{mark}' within {seconds:.0f} s")
            return self.seen[mark]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def repository_marks(thing: dict[str, Any]) -> Iterator[str]:
    if commit := thing["metadata"].get("annotations", {}).get("farebox.dev/requested-commit"):
        yield f"noted {commit}"


def job_marks(thing: dict[str, Any]) -> Iterator[str]:
    if commit := thing["metadata"].get("annotations", {}).get("farebox.dev/commit"):
        yield f"job {commit}"


def build_marks(thing: dict[str, Any]) -> Iterator[str]:
    name = thing["metadata"].get("labels", {}).get("job-name", "")
    for status in thing.get("status", {}).get("containerStatuses", []):
        state = status.get("state", {})
        if "running" in state or "terminated" in state:
            yield f"runs {name}"
        if "terminated" in state:
            yield f"ended {name}"


def function_marks(thing: dict[str, Any]) -> Iterator[str]:
    if commit := thing.get("spec", {}).get("source", {}).get("commit"):
        yield f"applied {commit}"


def pod_marks(thing: dict[str, Any]) -> Iterator[str]:
    """By the image, which is another one in each round."""
    image = thing["spec"]["containers"][0]["image"]
    yield f"made {image}"
    for condition in thing.get("status", {}).get("conditions", []):
        if condition["status"] == "True":
            yield f"{condition['type']} {image}"


class Stages:
    """The seconds that the operator spent in each of its own steps, from its metrics."""

    PATTERN = re.compile(r'^farebox_stage_seconds_sum\{[^}]*stage="([a-z]+)"[^}]*\} ([0-9.e+-]+)$', re.M)

    def __init__(self) -> None:
        pods = get("pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=operator")["items"]
        # Those of a rollout before this one may still be on their way out.
        self.paths = [f"/api/v1/namespaces/{SYSTEM}/pods/{pod['metadata']['name']}:9090/proxy/metrics" for pod in pods
                      if "deletionTimestamp" not in pod["metadata"]]

    def read(self) -> collections.Counter[str]:
        total: collections.Counter[str] = collections.Counter()
        for path in self.paths:
            for stage, seconds in self.PATTERN.findall(run("kubectl", "get", "--raw", path)):
                total[stage] += float(seconds)
        return total


class Bench:
    """A repository on a Git host of our own, and the function that comes of it."""

    def __init__(self) -> None:
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="farebox-bench-"))
        self.secret = base64.b64decode(get("secret", "farebox-webhook", "-n", SYSTEM)["data"]["github"])
        self.webhook = "http://%s/github" % get("service", "farebox-webhook", "-n", SYSTEM)["spec"]["clusterIP"]
        self.gateway = get("service", "farebox-gateway", "-n", SYSTEM)["spec"]["clusterIP"]
        self.domain = os.environ.get("FAREBOX_ROOT_DOMAIN", "farebox.test")
        bare = self.work / "root" / OWNER / f"{REPOSITORY}.git"
        run("git", "init", "-q", "--bare", "-b", "main", str(bare))
        self.host = subprocess.Popen(
            [sys.executable, str(pathlib.Path(git_server.__file__)), "--root", str(self.work / "root"),
             "--listen", os.environ["FAREBOX_CLUSTER_HOST_ADDRESS"] + ":0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.host.stdout
        self.base = "http://" + self.host.stdout.readline().strip().removeprefix("listening on ")
        self.tree = self.work / "tree"
        run("git", "init", "-q", "-b", "main", str(self.tree))
        self.git("remote", "add", "origin", f"{self.base}/{OWNER}/{REPOSITORY}.git")
        (self.tree / "app").mkdir()
        (self.tree / "stack.yml").write_text(STACK)
        (self.tree / "app/Dockerfile").write_text(DOCKERFILE)
        self.stages, self.head = Stages(), git_server.ZEROS
        run("kubectl", "apply", "-f", "-", text=json.dumps({
            "apiVersion": "farebox.dev/v1alpha1", "kind": "Repository",
            "metadata": {"name": "bench-push", "namespace": FUNCTIONS},
            "spec": {"url": f"{self.base}/{OWNER}/{REPOSITORY}.git", "branch": "main", "interval": "0s"}}))
        self.watches = {
            "repository": Watch("repositories", FUNCTIONS, repository_marks),
            "job": Watch("jobs", BUILDS, job_marks), "build": Watch("pods", BUILDS, build_marks),
            "function": Watch("functions", FUNCTIONS, function_marks), "pod": Watch("pods", FUNCTIONS, pod_marks),
        }

    def git(self, *arguments: str) -> str:
        return run("git", "-C", str(self.tree), "-c", "user.name=Bench", "-c", "user.email=bench@example.com",
                   *arguments).strip()

    def answer(self) -> str:
        connection = http.client.HTTPConnection(self.gateway, 80, timeout=5)
        try:
            connection.request("GET", f"/{NAME}", headers={"Host": f"{OWNER}.{self.domain}"})
            reply = connection.getresponse()
            return reply.read().decode(errors="replace") if reply.status == 200 else ""
        except OSError:
            return ""
        finally:
            connection.close()

    def push(self, seconds: float) -> dict[str, float]:
        """Pushes a change and returns how long each phase took until it answered."""
        version = os.urandom(8).hex()
        (self.tree / "app/handler.py").write_text(HANDLER % {"version": version})
        before = self.head
        self.git("add", "-A")
        self.git("commit", "-q", "-m", version)
        self.git("push", "-q", "origin", "HEAD:main")
        commit = self.head = self.git("rev-parse", "HEAD")
        event = json.dumps(git_server.push_event(
            self.base, f"/{OWNER}/{REPOSITORY}.git", "refs/heads/main", before, commit)).encode()
        stages = self.stages.read()

        start = time.monotonic()
        status, text = git_server.deliver(self.webhook, self.secret, "push", event, os.urandom(8).hex())
        answered = time.monotonic()
        if status // 100 != 2:
            sys.exit(f"the webhook answered {status}: {text}")
        while self.answer() != version:
            if time.monotonic() - start > seconds:
                print(run("kubectl", "get", "repositories,functions", "-n", FUNCTIONS), file=sys.stderr)
                sys.exit(f"the push does not answer within {seconds:.0f} s")
            time.sleep(0.02)
        live = time.monotonic()
        return self.phases(commit, start, answered, live, self.stages.read() - stages)

    def phases(self, commit: str, start: float, answered: float, live: float,
               stages: collections.Counter[str]) -> dict[str, float]:
        watch = self.watches
        job = watch["job"].time(f"job {commit}")
        name = next(item["metadata"]["name"] for item in get("jobs", "-n", BUILDS)["items"]
                    if item["metadata"].get("annotations", {}).get("farebox.dev/commit") == commit)
        image = get("function", OBJECT, "-n", FUNCTIONS)["spec"]["image"]
        noted = watch["repository"].time(f"noted {commit}")
        runs, ended = watch["build"].time(f"runs {name}"), watch["build"].time(f"ended {name}")
        applied = watch["function"].time(f"applied {commit}")
        made, ready = watch["pod"].time(f"made {image}"), watch["pod"].time(f"Ready {image}")
        return {
            "webhook answers": answered - start,
            "push is noted": noted - start,
            "checkout": stages["checkout"],
            "stack and contexts": stages["context"],
            "build Job is made": job - noted - stages["checkout"] - stages["context"],
            "build's container starts": runs - job,
            "the build itself": ended - runs,
            "registry confirms": stages["confirm"],
            "Function is applied": applied - ended - stages["confirm"],
            "pod is made": made - applied,
            "pod is ready": ready - made,
            "first answer": live - ready,
            "push to live": live - start,
            "without the container's run": live - start - (ended - runs),
            "without the build": live - start - (ended - job),
        }

    def close(self) -> None:
        for watch in self.watches.values():
            watch.close()
        run("kubectl", "delete", "repository", "bench-push", "-n", FUNCTIONS, "--wait=false")
        self.host.terminate()
        self.host.wait()
        shutil.rmtree(self.work)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--goal", type=float, default=3.0, help="seconds (default 3)")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    bench = Bench()
    try:
        print("the first build, which fills the registry's cache …", flush=True)
        bench.push(300)
        rounds = []
        for number in range(1, options.rounds + 1):
            rounds.append(bench.push(120))
            print(f"round {number}: {rounds[-1]['push to live']:.2f} s to live, "
                  f"{rounds[-1]['without the build']:.2f} s without the build", flush=True)
    finally:
        bench.close()
    print(f"\n{'phase':<28}{'median':>9}  rounds")
    for phase in rounds[0]:
        values = [one[phase] for one in rounds]
        print(f"{phase:<28}{statistics.median(values):>7.2f} s  " + " ".join(f"{value:.2f}" for value in values))
    result = statistics.median(one["without the build"] for one in rounds)
    is_met = result <= options.goal
    print(f"\npush to live without the build's own time: {result:.2f} s, {result / options.goal:.2f} of the goal of "
          f"{options.goal:.1f} s: {'met' if is_met else 'MISSED'}")
    if options.json:
        options.json.write_text(json.dumps({"rounds": rounds, "median": result, "goal": options.goal}, indent=2) + "\n")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
