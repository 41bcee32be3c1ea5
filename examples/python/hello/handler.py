"""A function: greets whoever is named in the path, or says back what it was sent."""

import http.server
import os
import signal
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET with a greeting and POST with the body it got."""

    protocol_version = "HTTP/1.1"  # keep connections open: the gateway reuses them

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].strip("/") or "world"
        self.answer(f"{os.environ.get('GREETING', 'Hello')}, {name}!\n".encode())

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form: str, *values: object) -> None:
        print(f"{self.command} {self.path} {values[1] if len(values) > 1 else ''}", flush=True)


server = http.server.ThreadingHTTPServer(("", 8080), Handler)
# Kubernetes says goodbye with SIGTERM: calls that are running are finished, new ones go to the successor.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
server.server_close()
