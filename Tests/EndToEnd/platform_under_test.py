"""What the end-to-end tests do to the platform: kubectl, Git pushes, webhooks, calls through the gateway.

The environment says where everything is (`hack/cluster env`, `hack/install`); nothing here knows an address by heart.
"""

import atexit
import base64
import functools
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import kubernetes_api

REPOSITORY_ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY_ROOT / "hack/lib"))
import git_server  # noqa: E402  the Git host of the demo

SYSTEM = "farebox-system"
BUILDS = "farebox-builds"
FUNCTIONS = "farebox-functions"
ROOT_DOMAIN = os.environ.get("FAREBOX_ROOT_DOMAIN", "farebox.test")
# The limit of every wait that no test is about: so long that only what hangs reaches it, on however busy a machine.
PATIENCE_SECONDS = 600
PATIENTLY = f"--timeout={PATIENCE_SECONDS - 60}s"  # for programs, which then say themselves what they waited for


def run(*command: str, text: str | None = None, check: bool = True) -> str:
    """Runs a command and returns its standard output; a failure shows what it said."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout if check else done.stdout + done.stderr


def kubectl(*arguments: str, text: str | None = None, check: bool = True) -> str:
    return run("kubectl", *arguments, text=text, check=check)


@functools.cache
def secret() -> bytes:
    """The webhook's secret, as the administrator made it."""
    return base64.b64decode(get("secret", "farebox-webhook", SYSTEM)["data"]["github"])


def get(kind: str, name: str, namespace: str = FUNCTIONS) -> dict[str, Any]:
    return kubernetes_api.read(kubernetes_api.path(kind, namespace, name))


def items(kind: str, namespace: str = FUNCTIONS, selector: str = "") -> list[dict[str, Any]]:
    return kubernetes_api.read(kubernetes_api.path(kind, namespace, selector=selector))["items"]


def apply(manifest: dict[str, Any]) -> None:
    kubectl("apply", "-f", "-", text=json.dumps(manifest))


def condition(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    """Returns one condition of an object, or an empty one."""
    found = [c for c in thing.get("status", {}).get("conditions", []) if c["type"] == kind]
    return found[0] if found else {"status": "absent", "reason": "", "message": ""}


def wait_until(what: str, check: Callable[[], Any], every: float = 0.2) -> Any:
    """Returns the first truthy answer of `check`; fails with its last answer when there is none in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    answer: Any = None
    while time.monotonic() < deadline:
        try:
            answer = check()
        except (AssertionError, OSError, KeyError, http.client.HTTPException) as error:
            answer, problem = None, error
        else:
            problem = None
            if answer:
                return answer
        time.sleep(every)
    raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what} (last: {problem or answer!r})")


@functools.cache
def cluster_address(service: str, namespace: str = SYSTEM) -> str:
    return get("service", service, namespace)["spec"]["clusterIP"]


def call(path: str, host: str | None = None, method: str = "GET", body: bytes | None = None,
         headers: dict[str, str] | None = None, timeout: float = PATIENCE_SECONDS) -> tuple[int, dict[str, str], bytes]:
    """Makes one call through the gateway and returns status, headers and body."""
    connection = http.client.HTTPConnection(cluster_address("farebox-gateway"), 80, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers={"Host": host or ROOT_DOMAIN, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def kill(pod: str, command: bytes) -> int:
    """Sends SIGKILL to a pod's process of `farebox <command>`, found on the node, and returns how many it was."""
    uid = get("pod", pod, SYSTEM)["metadata"]["uid"]
    killed = 0
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if uid in (entry / "cgroup").read_text() and b"\0" + command in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
                killed += 1
        except OSError:
            pass  # it ended by itself
    return killed


def account(name: str) -> str:
    """Makes a service account and returns a token of it."""
    apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": FUNCTIONS}})
    apply({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
           "metadata": {"name": name + "-token", "namespace": FUNCTIONS,
                        "annotations": {"kubernetes.io/service-account.name": name}}})
    encoded = wait_until("the token is there", lambda: get("secret", name + "-token").get("data", {}).get("token"))
    return base64.b64decode(encoded).decode()


def allow(name: str, rules: list[dict[str, list[str]]]) -> None:
    """Lets that service account read objects of Farebox, or what a rule says otherwise."""
    apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
           "metadata": {"name": name, "namespace": FUNCTIONS},
           "rules": [{"apiGroups": ["farebox.dev"], "verbs": ["get"], **rule} for rule in rules]})
    apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
           "metadata": {"name": name, "namespace": FUNCTIONS},
           "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
           "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": FUNCTIONS}]})


@functools.cache
def executable() -> str:
    """FAREBOX_EXECUTABLE, else the release executable that hack/install compiled last."""
    if given := os.environ.get("FAREBOX_EXECUTABLE"):
        return given
    cache = pathlib.Path(os.environ.get("FAREBOX_CACHE", pathlib.Path.home() / ".cache/farebox"))
    return str(max((cache / "releases").glob("*/farebox"), key=lambda path: path.stat().st_mtime))


def type_command(*words: str, text: str = "", surroundings: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Types a command of `farebox` as a person would: with the cluster's kubeconfig, unless the variables are given."""
    return subprocess.run([executable(), *words], input=text, capture_output=True, text=True, check=False,
                          timeout=PATIENCE_SECONDS, env=surroundings)


class GitHost:
    """A Git host on the machine, reachable from the cluster, that tells the webhook of each push."""

    def __init__(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="farebox-git-"))
        (self.folder / "root").mkdir()
        (self.folder / "secret").write_bytes(secret())
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen(
            [sys.executable, str(REPOSITORY_ROOT / "hack/lib/git_server.py"), "--root", str(self.folder / "root"),
             "--listen", os.environ["FAREBOX_CLUSTER_HOST_ADDRESS"] + ":0", "--webhook", webhook_url(),
             "--secret", str(self.folder / "secret")], stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline() if self.process.stdout else ""
        self.base = "http://" + re.sub(r"^listening on ", "", line.strip())

    def url(self, owner: str, name: str) -> str:
        return f"{self.base}/{owner}/{name}.git"

    def create(self, owner: str, name: str) -> "WorkTree":
        bare = self.folder / "root" / owner / f"{name}.git"
        run("git", "init", "-q", "--bare", "-b", "main", str(bare))
        return WorkTree(self.url(owner, name), self.folder / "work" / owner / name, bare)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)


class WorkTree:
    """An author's clone of one repository."""

    def __init__(self, url: str, folder: pathlib.Path, bare: pathlib.Path) -> None:
        self.url, self.folder, self.bare = url, folder, bare
        run("git", "init", "-q", "-b", "main", str(folder))
        self.git("remote", "add", "origin", url)

    def git(self, *arguments: str) -> str:
        return run("git", "-C", str(self.folder), "-c", "user.name=Author", "-c", "user.email=author@example.com",
                   *arguments).strip()

    def copy(self, source: pathlib.Path) -> None:
        shutil.copytree(source, self.folder, dirs_exist_ok=True)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def commit(self, message: str) -> str:
        """Commits everything and returns the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self, branch: str = "main") -> None:
        self.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")


class Probe:
    """The probe function, deployed once by a push and shared by the tests of one lane that only call it."""

    OWNER, NAME, REPOSITORY = "dora", "dora-probe", "probe"
    _host: GitHost | None = None

    @classmethod
    def deploy(cls) -> str:
        """Makes sure that it runs and returns its image, by digest."""
        if cls._host is None:
            cls._host = GitHost()
            atexit.register(cls.remove)
            tree = cls._host.create(cls.OWNER, "probe")
            tree.copy(REPOSITORY_ROOT / "Tests/EndToEnd/probe")
            commit = tree.commit("Look around")
            apply(repository(cls.REPOSITORY, tree.url, interval="1h"))
            tree.push()
            wait_until("the probe is deployed", lambda: deployed(cls.REPOSITORY, commit))
        return get("function", cls.NAME)["status"]["image"]

    @classmethod
    def remove(cls) -> None:
        """Takes it away before its Git host goes: a host that is gone would be looked for again and again."""
        kubectl("delete", "repository", cls.REPOSITORY, "-n", FUNCTIONS, "--ignore-not-found", PATIENTLY, check=False)
        if cls._host:
            cls._host.close()

    @classmethod
    def git_port(cls) -> int:
        return int(cls._host.base.rpartition(":")[2]) if cls._host else 0


class SecondProbe(Probe):
    """The probe once more, for a second lane."""

    OWNER, NAME, REPOSITORY = "sam", "sam-probe", "sam-probe"


def webhook_url() -> str:
    return f"http://{cluster_address('farebox-webhook')}/github"


def repository(name: str, url: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "farebox.dev/v1alpha1", "kind": "Repository",
            "metadata": {"name": name, "namespace": FUNCTIONS},
            "spec": {"url": url, "branch": "main", **spec}}


def function(name: str, image: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "farebox.dev/v1alpha1", "kind": "Function",
            "metadata": {"name": name, "namespace": FUNCTIONS}, "spec": {"image": image, **spec}}


def is_ready(kind: str, name: str) -> bool:
    thing = get(kind, name)
    return (condition(thing, "Ready")["status"] == "True"
            and thing["status"].get("observedGeneration") == thing["metadata"]["generation"])


def deployed(name: str, commit: str) -> bool:
    """Whether a Repository says that this very commit is deployed."""
    return get("repository", name).get("status", {}).get("deployedCommit") == commit and is_ready("repository", name)


def deployed_or_false(name: str, commit: str) -> bool:
    """As `deployed`, and false while the object cannot be read."""
    try:
        return deployed(name, commit)
    except (AssertionError, KeyError):
        return False


def post_event(payload: bytes, event: str = "push", signed_with: bytes | None = None, delivery: str | None = None,
               **headers: str) -> tuple[int, str]:
    return git_server.deliver(webhook_url(), secret() if signed_with is None else signed_with, event, payload,
                              delivery or os.urandom(8).hex())
