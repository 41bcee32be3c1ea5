"""A function: greets whoever is named in the path, or says back what it was sent.

Kubernetes says goodbye with SIGTERM: calls that run are finished, and for a moment new ones are still taken, until every
gateway knows that this replica goes."""

import contextlib
import http.server
import os
import signal
import threading
import time
from collections.abc import Iterator

STILL_TAKING_SECONDS = 2


class Running:
    """Counts the calls that run."""

    def __init__(self) -> None:
        self.calls, self.changed = 0, threading.Condition()

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        with self.changed:
            self.calls += 1
        try:
            yield
        finally:
            with self.changed:
                self.calls -= 1
                self.changed.notify()

    def wait_until_none(self) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.calls == 0)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET with a greeting and POST with the body it got."""

    protocol_version = "HTTP/1.1"  # keep connections open: the gateway reuses them
    running = Running()

    def do_GET(self) -> None:
        with self.running.one_more():
            name = self.path.partition("?")[0].strip("/") or "world"
            self.answer(f"{os.environ.get('GREETING', 'Hello')}, {name}!\n".encode())

    def do_POST(self) -> None:
        with self.running.one_more():
            self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form: str, *values: object) -> None:
        print(f"{self.command} {self.path} {values[1] if len(values) > 1 else ''}", flush=True)


def leave() -> None:
    time.sleep(STILL_TAKING_SECONDS)
    Handler.running.wait_until_none()
    os._exit(0)  # threads of idle connections would hold the interpreter


signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=leave).start())
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
