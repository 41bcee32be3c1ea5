#!/usr/bin/env python3
"""A Git host for the demo and the end-to-end tests: real `git http-backend`, and a signed webhook after each push.

    git_server.py --root DIR --listen ADDRESS:PORT [--webhook URL --secret FILE] [--user NAME:PASSWORD] [--branches-only]

Repositories are the bare ones below DIR (DIR/alice/shop.git is served as /alice/shop.git). After a push that changed a
branch it posts the event that GitHub would post, signed as GitHub signs it, and prints what came back. With
--branches-only it is an old server that hands out no commit by its name.
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
import zlib

ZEROS = "0" * 40


def references(repository: pathlib.Path) -> dict[str, str]:
    """Returns every branch and tag of a bare repository with the object it names."""
    out = subprocess.run(["git", "-C", str(repository), "for-each-ref", "--format=%(refname) %(objectname)"],
                         capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in out.splitlines())


def push_event(base: str, path: str, reference: str, before: str, after: str) -> dict:
    """Returns GitHub's `push` payload, as far as receivers read it."""
    owner, name = path.strip("/").removesuffix(".git").split("/")[-2:]
    page = f"{base}/{owner}/{name}"
    return {
        "ref": reference, "before": before, "after": after,
        "created": before == ZEROS, "deleted": after == ZEROS, "forced": False,
        "repository": {"id": 1, "name": name, "full_name": f"{owner}/{name}", "private": False,
                       "owner": {"login": owner, "id": 1}, "html_url": page, "url": page,
                       "clone_url": page + ".git", "default_branch": "main"},
        "pusher": {"name": owner}, "sender": {"login": owner, "id": 1},
    }


def deliver(url: str, secret: bytes, event: str, payload: bytes, delivery: str) -> tuple[int, str]:
    """Posts a webhook as GitHub does and returns the answer's status and text."""
    request = urllib.request.Request(url, data=payload, method="POST", headers={
        "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/farebox",
        "X-GitHub-Event": event, "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret, payload, hashlib.sha256).hexdigest()})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


class Handler(http.server.BaseHTTPRequestHandler):
    """Passes requests to `git http-backend` (CGI, RFC 3875) and tells the webhook of changes."""

    protocol_version = "HTTP/1.1"
    options: argparse.Namespace

    def do_GET(self) -> None:
        self.run_backend()

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        if not path.endswith("/git-receive-pack"):
            self.run_backend()
            return
        repository = self.options.root / path.removesuffix("/git-receive-pack").strip("/")
        before = references(repository) if repository.is_dir() else {}
        self.run_backend()
        after = references(repository) if repository.is_dir() else {}
        changes = [(name, before.get(name, ZEROS), after.get(name, ZEROS))
                   for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
        threading.Thread(target=self.tell, args=(path.removesuffix("/git-receive-pack"), changes)).start()

    def tell(self, path: str, changes: list[tuple[str, str, str]]) -> None:
        """Posts one event for each changed reference."""
        if not self.options.webhook:
            return
        secret = pathlib.Path(self.options.secret).read_bytes().strip()
        base = "http://{}:{}".format(*self.server.server_address[:2])
        for reference, before, after in changes:
            payload = json.dumps(push_event(base, path, reference, before, after)).encode()
            status, text = deliver(self.options.webhook, secret, "push", payload, str(uuid.uuid4()))
            print(f"webhook {reference} {after[:7]}: {status} {text.strip()}", flush=True)

    def is_allowed(self) -> bool:
        """Whether the caller may read and write: everyone, unless a user is configured."""
        if not self.options.user:
            return True
        wanted = "Basic " + base64.b64encode(self.options.user.encode()).decode()
        return hmac.compare_digest(self.headers.get("Authorization", ""), wanted)

    def run_backend(self) -> None:
        body = self.body()
        if not self.is_allowed():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.options.root), "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_USER": "pusher",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": self.client_address[0],
            "GIT_PROTOCOL": "" if self.options.branches_only else self.headers.get("Git-Protocol", ""),
            "GIT_CONFIG_COUNT": "3",
            "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
            "GIT_CONFIG_KEY_1": "http.receivepack", "GIT_CONFIG_VALUE_1": "true",
            "GIT_CONFIG_KEY_2": "uploadpack.allowReachableSHA1InWant",
            "GIT_CONFIG_VALUE_2": json.dumps(not self.options.branches_only),
        }
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, check=False)
        if done.returncode:
            print(f"git http-backend ended with {done.returncode}: {done.stderr.decode(errors='replace')}", flush=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().splitlines() if ": " in line]
        status = next((int(value.split()[0]) for name, value in fields if name == "Status"), 200 if head else 500)
        self.send_response(status)
        for name, value in fields:
            if name not in ("Status", "Content-Length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def body(self) -> bytes:
        """Reads the whole request body: plain or chunked, as it is or gzipped."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return zlib.decompress(body, 31) if self.headers.get("Content-Encoding") == "gzip" else body

    def log_message(self, form: str, *values: object) -> None:
        print(f"{self.client_address[0]} {form % values}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--webhook", metavar="URL")
    parser.add_argument("--secret", metavar="FILE")
    parser.add_argument("--user", metavar="NAME:PASSWORD")
    parser.add_argument("--branches-only", action="store_true")
    Handler.options = parser.parse_args()
    address, _, port = Handler.options.listen.rpartition(":")
    server = http.server.ThreadingHTTPServer((address, int(port)), Handler)
    print("listening on {}:{}".format(*server.server_address[:2]), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
