"""Git hosts that speak their APIs on the wire, with real Git behind: one like GitHub, one like GitLab.

Both serve repositories over HTTP with `git http-backend`, let in only who shows the right credentials, take commit statuses
as their originals do, record every request to their API, and fail on command. They run in threads of the test's process.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
import types
import urllib.parse
import uuid
from typing import Any

import platform_under_test as farebox
from platform_under_test import git_server

AUTHOR = ("author", "author-s3cret")


def rfc3339(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Refusal(Exception):
    """An answer that is no success: status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Request:
    """One request to the API, taken apart."""

    def __init__(self, method: str, target: str, headers: Any, body: bytes) -> None:
        parts = urllib.parse.urlsplit(target)
        self.method, self.path = method, parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query))
        self.headers = headers
        self.body = json.loads(body) if body else {}
        self.status = 0

    def record(self) -> dict[str, Any]:
        """What tests look at, and nothing that lets anybody in."""
        return {"method": self.method, "path": self.path, "query": self.query, "body": self.body, "status": self.status}


class HostHandler(git_server.Handler):
    """Sends what is for the API to the host, and the rest to Git."""

    host: "ApiHost"

    def do_GET(self) -> None:
        if not self.answer_api():
            super().do_GET()

    def do_POST(self) -> None:
        if not self.answer_api():
            super().do_POST()

    def do_PATCH(self) -> None:
        if not self.answer_api():
            self.send_error(405)

    def is_allowed(self) -> bool:
        user, _, password = base64.b64decode(
            self.headers.get("Authorization", "").removeprefix("Basic ")).decode().partition(":")
        return (user, password) == AUTHOR or self.host.lets_in(user, password)

    def push_event(self, path: str, reference: str, before: str, after: str) -> dict:
        return self.host.push_event(path, reference, before, after)

    def answer_api(self) -> bool:
        if not self.path.startswith(self.host.prefix):
            return False
        request = Request(self.command, self.path, self.headers, self.body())
        status, answer, extra = self.host.answer(request)
        body = json.dumps(answer).encode()
        with contextlib.suppress(OSError):  # Whoever asked may be gone after a hang.
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **extra}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        return True

    def log_message(self, form: str, *values: object) -> None:
        pass


class ApiHost:
    """What both hosts have in common; closes with its folder."""

    prefix = "/api/"

    def __init__(self, port: int = 0) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="farebox-host-"))
        (self.folder / "root").mkdir()
        (self.folder / "secret").write_bytes(farebox.secret())
        self.lock = threading.Lock()
        self.requests: list[Request] = []
        self.failure: int | str | None = None
        options = types.SimpleNamespace(
            root=self.folder / "root", user=None, branches_only=False, secret=str(self.folder / "secret"), webhook=None)
        handler = type("Handler", (HostHandler,), {"host": self, "options": options})
        address = os.environ["FAREBOX_CLUSTER_HOST_ADDRESS"]
        self.server = git_server.http.server.ThreadingHTTPServer((address, port), handler)
        self.server.daemon_threads = True
        self.base = f"http://{address}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.fail(None)
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder)

    # Repositories

    def url(self, owner: str, name: str) -> str:
        return f"{self.base}/{owner}/{name}.git"

    def create(self, owner: str, name: str) -> farebox.WorkTree:
        """Makes a private repository and its author's clone."""
        bare = self.folder / "root" / owner / f"{name}.git"
        farebox.run("git", "init", "-q", "--bare", "-b", "main", str(bare))
        authored = self.url(owner, name).replace("://", "://{}:{}@".format(*AUTHOR))
        return farebox.WorkTree(authored, self.folder / "work" / owner / name, bare)

    def push(self, tree: farebox.WorkTree, *, tell: bool = True) -> str:
        """Pushes the clone's commit and, as the host does, tells the webhook; returns the commit."""
        after = tree.git("rev-parse", "HEAD")
        before = tree.git("ls-remote", "origin", "refs/heads/main").split("\t")[0] or git_server.ZEROS
        tree.push()
        if tell:
            path = "/" + str(tree.bare.relative_to(self.folder / "root"))
            payload = json.dumps(self.push_event(path, "refs/heads/main", before, after)).encode()
            status, text = git_server.deliver(
                farebox.webhook_url(), farebox.secret(), "push", payload, str(uuid.uuid4()))
            assert status in (200, 202), f"the webhook answered {status}: {text}"
        return after

    def push_event(self, path: str, reference: str, before: str, after: str) -> dict:
        return git_server.push_event(self.base, path, reference, before, after)

    # The API

    def fail(self, how: int | str | None) -> None:
        """From now on the API answers with this status, hangs (`"hang"`), or works again (`None`)."""
        self.failure = how

    def answer(self, request: Request) -> tuple[int, Any, dict[str, str]]:
        with self.lock:
            self.requests.append(request)
        while self.failure == "hang":
            time.sleep(0.05)
        extra: dict[str, str] = {}
        try:
            if isinstance(self.failure, int):
                extra = {"Retry-After": "1"} if self.failure == 429 else {}
                raise Refusal(self.failure, "told to fail")
            with self.lock:
                request.status, body = self.handle(request)
        except Refusal as refusal:
            request.status, body = refusal.status, {"message": refusal.message}
        return request.status, body, extra

    def handle(self, request: Request) -> tuple[int, Any]:
        raise NotImplementedError

    def lets_in(self, user: str, password: str) -> bool:
        raise NotImplementedError

    def records(self) -> list[dict[str, Any]]:
        """Every request to the API so far, as JSON would have it."""
        with self.lock:
            return [request.record() for request in self.requests]

    def repository(self, owner: str, name: str) -> pathlib.Path:
        bare = self.folder / "root" / owner / f"{name}.git"
        if not bare.is_dir():
            raise Refusal(404, "Not Found")
        return bare

    def commit(self, bare: pathlib.Path, commit: str) -> None:
        known = subprocess.run(["git", "-C", str(bare), "cat-file", "-e", commit + "^{commit}"], check=False,
                               capture_output=True, env={**os.environ, "GIT_CONFIG_COUNT": "1",
                                                         "GIT_CONFIG_KEY_0": "safe.directory",
                                                         "GIT_CONFIG_VALUE_0": "*"})
        if known.returncode != 0:
            raise Refusal(422, f"No commit found for SHA: {commit}")


class GitHubHost(ApiHost):
    """Like GitHub Enterprise: an App with installations, whose tokens read repositories and write check runs."""

    PORT = 8930  # hack/lib/cluster_configuration.sh names it as gitHub.apiURL.
    APP, INSTALLATION = "4711", 77
    prefix = "/api/v3/"

    def __init__(self) -> None:
        super().__init__(self.PORT)
        self.tokens: dict[str, float] = {}
        self.check_runs: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        key = self.folder / "key.pem"
        farebox.run("openssl", "genrsa", "-traditional", "-out", str(key), "2048")
        farebox.run("openssl", "rsa", "-in", str(key), "-pubout", "-out", str(self.folder / "public.pem"))
        self.private_key = key.read_text()

    def push_event(self, path: str, reference: str, before: str, after: str) -> dict:
        event = super().push_event(path, reference, before, after)
        event["repository"]["private"] = True
        return {**event, "installation": {"id": self.INSTALLATION}}

    def lets_in(self, user: str, password: str) -> bool:
        return user == "x-access-token" and self.tokens.get(password, 0) > time.time()

    def handle(self, request: Request) -> tuple[int, Any]:
        path = request.path.removeprefix(self.prefix)
        if match := re.fullmatch(r"app/installations/(\d+)/access_tokens", path):
            return self.make_token(request, int(match[1]))
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or self.tokens.get(token, 0) < time.time():
            raise Refusal(401, "Bad credentials")
        match = re.fullmatch(r"repos/([^/]+)/([^/]+)/(.+)", path)
        if not match:
            raise Refusal(404, "Not Found")
        bare = self.repository(match[1], match[2])
        return self.handle_repository(request, bare, match[3])

    def handle_repository(self, request: Request, bare: pathlib.Path, path: str) -> tuple[int, Any]:
        if match := re.fullmatch(r"commits/([0-9a-f]{40})/check-runs", path):
            found = [run for run in self.check_runs if run["head_sha"] == match[1] and run["name"] == request.query.get(
                "check_name", run["name"])]
            return 200, {"total_count": len(found), "check_runs": found}
        if path == "check-runs" and request.method == "POST":
            self.commit(bare, request.body["head_sha"])
            run = {"id": 1000 + len(self.check_runs), "app": {"id": int(self.APP)}, "story": []}
            self.check_runs.append(run)
            return 201, self.change(run, request.body)
        if (match := re.fullmatch(r"check-runs/(\d+)", path)) and request.method == "PATCH":
            run = next((run for run in self.check_runs if run["id"] == int(match[1])), None)
            if run is None:
                raise Refusal(404, "Not Found")
            return 200, self.change(run, request.body)
        if (match := re.fullmatch(r"statuses/([0-9a-f]{40})", path)) and request.method == "POST":
            self.commit(bare, match[1])
            if len(request.body.get("description", "")) > 140:
                raise Refusal(422, "description is too long (maximum is 140 characters)")
            self.statuses.append({**request.body, "sha": match[1]})
            return 201, {"id": len(self.statuses), **request.body}
        if match := re.fullmatch(r"contents/(.+)", path):
            return 200, self.contents(bare, match[1], request.query.get("ref", "HEAD"))
        raise Refusal(404, "Not Found")

    def change(self, run: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """Checks a check run as GitHub does, and keeps it."""
        if len(body.get("output", {}).get("text", "")) > 65535:
            raise Refusal(422, "text exceeds 65535 characters")
        if body.get("status") == "completed" and "conclusion" not in body:
            raise Refusal(422, "a completed run needs a conclusion")
        run.update(body)
        run["story"].append(body.get("conclusion") or body["status"])
        return run

    @staticmethod
    def contents(bare: pathlib.Path, path: str, reference: str) -> dict[str, Any]:
        found = subprocess.run(["git", "-C", str(bare), "show", f"{reference}:{path}"], capture_output=True, check=False)
        if found.returncode != 0:
            raise Refusal(404, "Not Found")
        return {"type": "file", "path": path, "encoding": "base64",
                "content": base64.b64encode(found.stdout).decode()}

    def make_token(self, request: Request, installation: int) -> tuple[int, Any]:
        """A token for an installation, for whoever proves to be the App."""
        self.check_proof(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if installation != self.INSTALLATION:
            raise Refusal(404, "Integration not found")
        token = "ghs_" + secrets.token_hex(18)
        end = time.time() + 3600
        self.tokens[token] = end
        return 201, {"token": token, "expires_at": rfc3339(end), "permissions": {"checks": "write", "contents": "read"}}

    def check_proof(self, proof: str) -> None:
        """Checks a JSON Web Token with openssl, and its claims as GitHub does."""
        head, _, signature = proof.rpartition(".")
        parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (*head.split("."), signature)]
        if len(parts) != 3 or json.loads(parts[0])["alg"] != "RS256":
            raise Refusal(401, "A JSON web token could not be decoded")
        (self.folder / "signature").write_bytes(parts[2])
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", str(self.folder / "public.pem"), "-signature",
                               str(self.folder / "signature")], input=head.encode(), capture_output=True, check=False)
        if done.returncode != 0:
            raise Refusal(401, "A JSON web token could not be decoded")
        claims, now = json.loads(parts[1]), time.time()
        if str(claims["iss"]) != self.APP:
            raise Refusal(401, "'Issuer' claim ('iss') must be the App's ID")
        if not now < claims["exp"] <= now + 600 or claims["iat"] > now:
            raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")

    def runs(self, commit: str) -> dict[str, dict[str, Any]]:
        """The check runs of a commit by name; a name twice is an error."""
        with self.lock:
            found = [run for run in self.check_runs if run.get("head_sha") == commit]
        names = [run["name"] for run in found]
        assert len(names) == len(set(names)), f"more than one check run for a context: {names}"
        return {run["name"]: run for run in found}

    def conclusion(self, commit: str, context: str) -> str | None:
        return self.runs(commit).get(context, {}).get("conclusion")


class GitLabHost(ApiHost):
    """Like GitLab: projects by number, a token that reads them and writes statuses, which are a state machine."""

    prefix = "/api/v4/"
    PROJECT = 3

    def __init__(self) -> None:
        super().__init__()
        self.token = "glpat-" + secrets.token_hex(10)
        self.paths: dict[int, str] = {}
        self.statuses: list[dict[str, str]] = []

    def create(self, owner: str, name: str) -> farebox.WorkTree:
        self.paths[self.PROJECT + len(self.paths)] = f"{owner}/{name}"
        return super().create(owner, name)

    def lets_in(self, user: str, password: str) -> bool:
        return user == "oauth2" and secrets.compare_digest(password, self.token)

    def handle(self, request: Request) -> tuple[int, Any]:
        if request.headers.get("PRIVATE-TOKEN") != self.token:
            raise Refusal(401, "401 Unauthorized")
        match = re.fullmatch(r"projects/([^/]+)(?:/statuses/([0-9a-f]+))?", request.path.removeprefix(self.prefix))
        if not match:
            raise Refusal(404, "404 Not Found")
        name = urllib.parse.unquote(match[1])
        path = self.paths.get(int(name)) if name.isdigit() else name
        if path not in self.paths.values():
            raise Refusal(404, "404 Project Not Found")
        if match[2] is None:
            owner, _, short = path.partition("/")
            return 200, {"id": name, "path_with_namespace": path, "name": short, "namespace": {"path": owner},
                         "visibility": "private", "topics": ["openfaas-cloud"], "tag_list": ["openfaas-cloud"]}
        return self.take_status(request, path, match[2])

    def take_status(self, request: Request, path: str, commit: str) -> tuple[int, Any]:
        self.commit(self.folder / "root" / f"{path}.git", commit)
        query = request.query
        if query.get("state") not in ("pending", "running", "success", "failed", "canceled"):
            raise Refusal(400, "state does not have a valid value")
        last = next((s for s in reversed(self.statuses) if s["sha"] == commit and s["context"] == query["context"]), None)
        if last and last["state"] == query["state"]:
            raise Refusal(400, f"Cannot transition status via :{query['state']} from :{last['state']}")
        self.statuses.append({**query, "sha": commit})
        return 201, {"id": len(self.statuses), "status": query["state"], "name": query["context"]}

    def story(self, commit: str) -> list[str]:
        """What a commit's contexts went through, as `context state`."""
        with self.lock:
            return [f"{s['context']} {s['state']}" for s in self.statuses if s["sha"] == commit]
