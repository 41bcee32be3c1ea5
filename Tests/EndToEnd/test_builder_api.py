"""The Function Builder API as clients of OpenFaaS use it: a signed tar in, an image and its log out, either dialect."""

import base64
import ctypes
import functools
import hashlib
import hmac
import http.client
import io
import json
import os
import pathlib
import subprocess
import tarfile
import tempfile
import threading
import time
import unittest
from typing import Any

import platform_under_test as farebox

SECONDS = 40
# It builds, beside the modules that push.
LANE = "builder-api"
# It sleeps so that there is a time at which lines have come and the build still goes on.
DOCKERFILE = """FROM python:3-slim
ARG GREETING
RUN printf '%s' "$GREETING" > /greeting && echo built-with-$GREETING && sleep 2
RUN --mount=type=secret,id=token sha256sum < /run/secrets/token > /digest && cat /run/secrets/token && echo " was read"
RUN test ! -s /run/secrets/token
COPY handler.py /srv/handler.py
USER 12000
EXPOSE 8080
CMD ["python3", "/srv/handler.py"]
"""
HANDLER = """import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open("/greeting", "rb").read() + b" " + open("/digest", "rb").read(64)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


@functools.cache
def key() -> bytes:
    """The payload secret without the spaces around it, as clients read its file."""
    data = farebox.get("secret", "farebox-builder-payload", farebox.SYSTEM)["data"]
    return base64.b64decode(data["payload-secret"]).strip()


def sealed(secrets: dict[str, bytes]) -> bytes:
    """What `faas-cli secret seal` writes, for the key that the builder tells: a fresh sender and a nonce for each secret."""
    told = Answer("GET", "/publickey", streams=False).objects[0]
    sodium = ctypes.CDLL("libsodium.so.23")
    public, private = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    sodium.crypto_box_keypair(public, private)
    lines = ["version: v1", "algorithm: " + told["algorithm"], "key_id: " + told["key_id"],
             "public_key: " + base64.b64encode(public.raw).decode(), "secrets:"]
    for name, value in secrets.items():
        nonce, box = os.urandom(24), ctypes.create_string_buffer(16 + len(value))
        sodium.crypto_box_easy(box, value, ctypes.c_ulonglong(len(value)), nonce, base64.b64decode(told["public_key"]), private)
        lines.append(f"  {name}: " + base64.b64encode(nonce + box.raw).decode())
    return ("\n".join(lines) + "\n").encode()


def request_tar(image: str, files: dict[str, bytes], arguments: dict[str, str] | None = None,
                secrets: bytes = b"") -> bytes:
    """The tar of the SDK: directories without a slash, modes of a private folder, the configuration last."""
    body = io.BytesIO()
    configuration = json.dumps({"image": image, "buildArgs": arguments or {}, "platforms": ["linux/amd64"]}).encode()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.PAX_FORMAT) as tar:
        folder = tarfile.TarInfo("context")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o700
        tar.addfile(folder)
        for name, content in {**{"context/" + n: c for n, c in files.items()},
                              "com.openfaas.docker.config": configuration,
                              **({"com.openfaas.secrets": secrets} if secrets else {})}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o644, int(time.time())
            entry.uid, entry.uname = 1000, "me"
            tar.addfile(entry, io.BytesIO(content))
    return body.getvalue()


class Answer:
    """What came back: status, head, and the body's lines with the moment of each."""

    def __init__(self, method: str, path: str, body: bytes | None = None, streams: bool = True,
                 signature: str | None = None) -> None:
        connection = http.client.HTTPConnection(farebox.cluster_address("farebox-builder"), 8080, timeout=farebox.PATIENCE_SECONDS)
        headers = {"User-Agent": "openfaas-go-sdk"}
        if body is not None:
            code = signature or hmac.new(key(), body, hashlib.sha256).hexdigest()
            headers |= {"Content-Type": "application/octet-stream", "X-Build-Signature": "sha256=" + code}
        if streams:
            headers["Accept"] = "application/x-ndjson"
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            self.status, self.id = answer.status, answer.getheader("X-Build-Id", "")
            self.raw: list[bytes] = []
            self.moments: list[float] = []
            while line := answer.readline():
                self.raw.append(line)
                self.moments.append(time.monotonic())
        finally:
            connection.close()

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.raw]

    @property
    def log(self) -> list[str]:
        return [line for thing in self.objects for line in thing.get("log") or []]


class BuilderAPI(unittest.TestCase):
    """One folder, built as faas-cli would have it built."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.image = os.environ["FAREBOX_REGISTRY"] + "/by-client/greeter:" + hashlib.md5(os.urandom(8)).hexdigest()
        cls.files = {"Dockerfile": DOCKERFILE.encode(), "handler.py": HANDLER.encode()}
        cls.secret = os.urandom(12).hex().encode()
        cls.tar = request_tar(cls.image, cls.files, {"GREETING": "hello", "ADDITIONAL_PACKAGE": ""},
                              sealed({"token": cls.secret}))
        cls.addClassCleanup(farebox.kubectl, "delete", "function", "posted", "-n", farebox.FUNCTIONS,
                            "--ignore-not-found", check=False)

    def test_1_stream(self) -> None:
        """A posted folder with a sealed secret is built, its log comes line by line without it, the last line has the digest"""
        answer = Answer("POST", "/build", self.tar)

        self.assertEqual(answer.status, 200)
        for line in answer.raw:
            self.assertTrue(line.endswith(b"\n") and 2 < len(line) < 65536, line[:100])
        last = answer.objects[-1]
        self.assertEqual((last["status"], last["image"]), ("success", self.image), last)
        self.assertRegex(last["digest"], "^sha256:[0-9a-f]{64}$")
        self.assertTrue(all(thing["status"] == "in_progress" for thing in answer.objects[:-1]))
        self.assertTrue(any(line.startswith("v: 20") and "RUN printf" in line for line in answer.log), answer.log)
        self.assertIn("built-with-hello", "\n".join(answer.log))
        self.assertIn("*** was read", "\n".join(answer.log))
        self.assertNotIn(self.secret, b"".join(answer.raw))
        self.assertGreater(answer.moments[-1] - answer.moments[1], 1, "the lines came one by one")
        self.assertNotIn(os.environ["FAREBOX_REGISTRY_PASSWORD"], "\n".join(answer.log))
        type(self).digest, type(self).id = last["digest"], answer.id

    def test_2_again(self) -> None:
        """The same folder sent again, its secret sealed anew, is not built again, in either dialect, and a build can be asked for by its id"""
        jobs = len(farebox.items("jobs", farebox.BUILDS, "farebox.dev/build-id=" + self.id))
        tar = request_tar(self.image, self.files, {"GREETING": "hello", "ADDITIONAL_PACKAGE": ""},
                          sealed({"token": self.secret}))
        whole = Answer("POST", "/", tar, streams=False)
        by_id = Answer("GET", "/build/" + self.id)

        self.assertEqual((whole.status, whole.id), (200, self.id))
        self.assertEqual(whole.objects[0]["status"], "success")
        self.assertEqual(whole.objects[0]["digest"], self.digest)
        self.assertIsInstance(whole.objects[0]["log"], list)
        self.assertEqual(by_id.objects[-1]["digest"], self.digest)
        self.assertEqual(len(farebox.items("jobs", farebox.BUILDS, "farebox.dev/build-id=" + self.id)), jobs)

    def test_3_failure(self) -> None:
        """A step that fails ends a stream with `failed` and its reason, and a whole answer with 500"""
        files = {**self.files, "Dockerfile": b"FROM python:3-slim\nRUN echo no luck && exit 7\n"}
        tar = request_tar(self.image, files)

        answer = Answer("POST", "/build", tar)
        whole = Answer("POST", "/", tar, streams=False)

        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.objects[-1]["status"], "failed")
        self.assertIn("StepFailed", answer.objects[-1]["error"])
        self.assertIn("no luck", "\n".join(answer.log))
        self.assertEqual((whole.status, whole.objects[0]["status"]), (500, "failed"))
        self.assertIn("no luck", "\n".join(whole.objects[0]["log"]))
        self.assertEqual(whole.objects[0]["log"][-1], whole.objects[0]["error"])
        seen = Answer("GET", "/build/" + answer.id, streams=False)
        self.assertEqual((seen.status, seen.objects[0]["status"]), (500, "failed"))

    def test_4_refusals(self) -> None:
        """A wrong signature is refused with 401, a bad tar or a damaged secret with its reason in the dialect that was asked for"""
        wrong = Answer("POST", "/build", self.tar, signature="0" * 64)
        whole = Answer("POST", "/build", b"no tar", streams=False)
        stream = Answer("POST", "/build", b"no tar")
        sealed_file = sealed({"token": b"x"}).replace(b"token: ", b"token: AAAA")
        damaged = Answer("POST", "/build", request_tar(self.image, self.files, secrets=sealed_file), streams=False)

        self.assertEqual((wrong.status, wrong.objects[0]["status"]), (401, "failed"))
        self.assertEqual((whole.status, whole.objects[0]["status"]), (400, "failed"))
        self.assertEqual((damaged.status, damaged.objects[0]["status"]), (400, "failed"))
        self.assertIn("token cannot be opened", damaged.objects[0]["error"])
        self.assertEqual((stream.status, len(stream.raw), stream.objects[0]["status"]), (200, 1, "failed"))

    def test_5_call(self) -> None:
        """The image runs as a function"""
        farebox.apply(farebox.function("posted", self.image.rsplit(":", 1)[0] + "@" + self.digest))
        farebox.wait_until("the function answers", lambda: farebox.call("/function/posted")[0] == 200)

        digest = hashlib.sha256(self.secret).hexdigest().encode()
        self.assertEqual(farebox.call("/function/posted")[2], b"hello " + digest)


@unittest.skipUnless(os.environ.get("FAREBOX_LONG_BUILDER"), "takes minutes: set FAREBOX_LONG_BUILDER=1")
class Crowd(unittest.TestCase):
    """Twenty clients for four places, and a builder that is killed among them."""

    def test_all_get_their_image(self) -> None:
        """Twenty builds with four places all end well, although the builder is killed: clients send them again"""
        run, ended, most = os.urandom(4).hex(), [], 0
        deadline = time.monotonic() + 280

        def client(number: int) -> None:
            # A build that takes a while, so that all places are taken and some builds run when the builder is killed.
            files = {"Dockerfile": f"FROM python:3-slim\nRUN echo {run}-{number} && sleep 3\n".encode()}
            tar = request_tar(f"{os.environ['FAREBOX_REGISTRY']}/crowd/c{number}:{run}", files)
            while time.monotonic() < deadline:
                try:
                    answer = Answer("POST", "/build", tar)
                    last = answer.objects[-1] if answer.status == 200 and answer.raw else {}
                except (OSError, http.client.HTTPException, ValueError):
                    last = {}
                if last.get("status") == "success":
                    ended.append(last["digest"])
                    return
                # A builder that is starting refuses at once: a moment, as a person would wait.
                time.sleep(1)

        clients = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(20)]
        for one in clients:
            one.start()
        was_killed = False
        while any(one.is_alive() for one in clients) and time.monotonic() < deadline:
            running = self.running()
            most = max(most, len(running))
            if len(ended) >= 2 and running and not was_killed:
                farebox.kubectl("delete", "pod", "-n", farebox.SYSTEM, "-l", "app.kubernetes.io/component=builder",
                                "--grace-period=0", "--force")
                was_killed = True
            # It looks at the Jobs now and then; nothing tells a test of theirs.
            time.sleep(0.5)

        self.assertTrue(was_killed)
        self.assertEqual(len(ended), 20)
        self.assertLessEqual(most, 4)
        farebox.wait_until("no build is left over", lambda: not self.running())

    def test_up_lives_through_restarts(self) -> None:
        """`farebox build` ends well although the builder is stopped and then killed under it, and the person is told"""
        for grace in ("30", "0"):
            with self.subTest(grace=grace), tempfile.TemporaryDirectory() as folder:
                # It sleeps so that it is still under way when the builder ends; nothing waits for these seconds but the build.
                pathlib.Path(folder, "Dockerfile").write_text(
                    f"FROM python:3-slim\nRUN echo {os.urandom(4).hex()} && sleep 15 && echo it-is-done\n")
                pathlib.Path(folder, "stack.yml").write_text(
                    "version: 1.0\nprovider: {name: openfaas}\nfunctions:\n"
                    "  patient: {lang: dockerfile, handler: ., image: patient:latest}\n")
                building = subprocess.Popen(
                    [farebox.executable(), "build", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                    stdin=subprocess.DEVNULL)
                self.addCleanup(building.kill)
                farebox.wait_until("the build runs", self.running)

                farebox.kubectl("delete", "pod", "-n", farebox.SYSTEM, "-l", "app.kubernetes.io/component=builder",
                                "--wait=false", "--grace-period", grace, *(["--force"] if grace == "0" else []))
                output, errors = building.communicate(timeout=farebox.PATIENCE_SECONDS)

                self.assertEqual(building.returncode, 0, errors)
                self.assertIn("@sha256:", output)
                self.assertEqual(sum(line.endswith(" it-is-done") for line in errors.splitlines()), 1, errors)
                self.assertRegex(errors, "sending the build again|waiting until")

    def running(self) -> list[str]:
        jobs = farebox.items("jobs", farebox.BUILDS, "farebox.dev/repository-uid=builder-api")
        return [job["metadata"]["name"] for job in jobs
                if not any(c["type"] in ("Complete", "Failed") and c["status"] == "True"
                           for c in job.get("status", {}).get("conditions", []))]
