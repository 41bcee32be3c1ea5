#!/usr/bin/env python3
"""Kills gateways while calls that do not wait are accepted and made, and counts them.

    kill_async.py BINARY [KILLS [CALLS [SEED]]] [--nats]

Callers have calls accepted, a function counts which ones it sees, and another server which answers are posted to it, while the
gateway is killed at random moments and started anew on its SQLite file; with --nats two gateways share a server of NATS, and
one of them is killed each time. In the end each call that was answered 202 must have been made at least once, at most one in a
thousand twice (or two for each kill, where that is more), and each answer must have been posted. Ends with 0 when that holds.
"""

import argparse
import collections
import http.client
import http.server
import json
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import threading
import time

import kill_gateway
import kill_payments

CALLERS = 8
PATIENCE_SECONDS = 120
CONCURRENCY = 2  # the default: as many calls may be under way when a gateway is killed, and are made twice


class Seen(http.server.BaseHTTPRequestHandler):
    """The function at /run and the receiver of its answers at /done: both note whose turn it is."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and content in one piece: else Nagle's algorithm makes each call take 40 ms
    lock = threading.Lock()
    runs: collections.Counter[str] = collections.Counter()
    answers: collections.Counter[str] = collections.Counter()
    strange: list[str] = []

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            # Whoever sent it was killed in the middle: it was never here.
            self.close_connection = True
            return
        call = self.headers.get("X-Call-Id", "")
        with Seen.lock:
            if self.path == "/run":
                Seen.runs[call] += 1
            else:
                Seen.answers[call] += 1
                if self.headers.get("X-Function-Status") != "200" or body != b"ran " + call.encode():
                    Seen.strange.append(f"{dict(self.headers)} {body!r}")
        answer = b"ran " + call.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Gateway:
    """A gateway with one function, which can be killed."""

    def __init__(self, binary: str, folder: pathlib.Path, backend: int, store: dict[str, object]) -> None:
        folder.mkdir(exist_ok=True)
        self.port, internal = kill_payments.free_port(), kill_payments.free_port()
        (folder / "routes.yaml").write_text(json.dumps({"routes": [{
            "name": "hello", "namespace": "functions", "endpoints": [f"127.0.0.1:{backend}"]}]}))
        (folder / "async.yaml").write_text(json.dumps(store | {
            "callbackAllowedCIDRs": ["127.0.0.1/32"], "retryMinimum": "100ms", "retryMaximum": "1s",
            "concurrency": CONCURRENCY}))
        self._log = folder / "gateway.log"
        self._command = [
            binary, "gateway", "--routes", str(folder / "routes.yaml"), "--async", str(folder / "async.yaml"),
            "--loops", "1", "--address", "127.0.0.1", "--internal-address", "127.0.0.1", "--port", str(self.port),
            "--internal-port", str(internal)]
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)
        deadline = time.monotonic() + kill_payments.PATIENCE_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                kill_payments.Payments.ask(self.port, "GET", "/function/nobody")
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)  # it tells nobody that it listens
        raise SystemExit(f"the gateway does not start:\n{self.log}")

    @property
    def log(self) -> str:
        return self._log.read_text()[-4000:]

    def end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait(2 * kill_payments.PATIENCE_SECONDS)


class NATS:
    """A server of NATS with JetStream."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._process = subprocess.Popen(
            ["/usr/sbin/nats-server", "-js", "-sd", str(folder / "nats"), "-a", "127.0.0.1", "-p", "-1",
             "--ports_file_dir", str(folder), "-l", str(folder / "nats.log")])
        deadline = time.monotonic() + kill_payments.PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for file in folder.glob("*.ports"):
                found = re.search(r"nats://127\.0\.0\.1:\d+", file.read_text())
                if found:
                    self.url = found[0]
                    return
            time.sleep(0.02)  # it writes its port into a file and tells nobody
        raise SystemExit("nats-server does not start")

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(kill_payments.PATIENCE_SECONDS)


class Callers(kill_payments.Crew):
    """Have calls accepted, until there are enough."""

    def __init__(self, gateways: list[Gateway], backend: int, calls: int) -> None:
        self._gateways, self._backend, self._calls = gateways, backend, calls
        self._lock = threading.Lock()
        self._next = 0
        self.accepted: set[str] = set()
        self.statuses: collections.Counter[int] = collections.Counter()
        super().__init__(CALLERS)

    def _work(self, number: int) -> None:
        gateway = self._gateways[number % len(self._gateways)]
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=kill_payments.PATIENCE_SECONDS)
        while not self._stop.is_set():
            with self._lock:
                if len(self.accepted) >= self._calls:
                    break
                # Another id for each try: whether one was accepted whose answer broke off, nobody knows.
                self._next += 1
                call = f"call-{self._next}"
            try:
                connection.request("POST", "/async-function/hello.functions/run", b"x" * 100, {
                    "X-Call-Id": call, "X-Callback-Url": f"http://127.0.0.1:{self._backend}/done"})
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(0.002)  # It was killed: its port refuses until it is back.
                continue
            with self._lock:
                self.statuses[response.status] += 1
                if response.status == 202:
                    assert response.headers["X-Call-Id"] == call, "another id came back"
                    self.accepted.add(call)
            if response.status != 202:
                time.sleep(0.01)  # it says when it takes calls on again only by taking them on
        connection.close()


def wait_for(what: str, done: object, gateways: list[Gateway]) -> None:
    """Waits until `done()`, for as long as something still happens."""
    assert callable(done)
    last, since = -1, time.monotonic()
    while not done():
        now = sum(Seen.runs.values()) + sum(Seen.answers.values())
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() - since > PATIENCE_SECONDS:
            logs = "\n".join(gateway.log for gateway in gateways)
            raise SystemExit(f"{what}: nothing happens any more; {len(Seen.runs)} run, {len(Seen.answers)} posted\n{logs}")
        time.sleep(0.01)  # the servers above count, and tell nobody


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("kills", type=int, nargs="?", default=5)
    parser.add_argument("calls", type=int, nargs="?", default=10_000)
    parser.add_argument("seed", type=int, nargs="?", default=random.randrange(1 << 32))
    parser.add_argument("--nats", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    dice = random.Random(options.seed)
    backend = kill_gateway.Backend(("127.0.0.1", 0), Seen)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="async-") as name:
        folder = pathlib.Path(name)
        nats = NATS(folder) if options.nats else None
        stores: list[dict[str, object]] = [{"sqlite": str(folder / "calls.db")}]
        if nats:
            stores = [{"nats": {"servers": [nats.url]}}] * 2
        gateways = [
            Gateway(options.binary, folder / str(number), backend.server_port, store)
            for number, store in enumerate(stores)]
        callers = Callers(gateways, backend.server_port, options.calls)
        for moment in sorted(dice.uniform(0.05, 0.95) * options.calls for _ in range(options.kills)):
            wait_for("a moment to kill", lambda moment=moment: len(Seen.runs) >= moment, gateways)
            victim = dice.choice(gateways)
            victim.end(signal.SIGKILL)
            victim.start()
        wait_for("accepting", lambda: len(callers.accepted) >= options.calls, gateways)
        callers.stop()
        wait_for("making", lambda: callers.accepted <= Seen.runs.keys(), gateways)
        wait_for("posting", lambda: callers.accepted <= Seen.answers.keys(), gateways)
        for gateway in gateways:
            gateway.end(signal.SIGTERM)
        if nats:
            nats.end()
    backend.shutdown()
    backend.server_close()
    twice = sum(count - 1 for count in Seen.runs.values())
    print(f"{options.kills} kills: {len(callers.accepted)} calls accepted, {len(Seen.runs)} made, {twice} times once more, "
          f"{len(Seen.answers)} answers posted, {sum(Seen.answers.values()) - len(Seen.answers)} once more, statuses "
          f"{dict(callers.statuses)}, {time.monotonic() - begun:.0f} s", flush=True)
    assert not Seen.strange, f"answers that should not be: {Seen.strange[:3]}"
    assert callers.accepted <= Seen.runs.keys(), "calls that were accepted were not made"
    assert callers.accepted <= Seen.answers.keys(), "answers were not posted"
    assert twice <= max(len(callers.accepted) / 1000, CONCURRENCY * options.kills), "too many calls were made twice"
    assert callers.statuses.keys() <= {202, 503}, "statuses that should not be"


if __name__ == "__main__":
    main()
