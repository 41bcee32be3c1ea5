"""A function for the tests: looks at its own sandbox, takes any upload, and speaks WebSocket."""

import base64
import hashlib
import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import urllib.parse


def connect(host: str, port: int) -> str:
    """Tries a TCP connection and says what came of it."""
    try:
        socket.create_connection((host, port), timeout=3).close()
        return "open"
    except OSError as error:
        return f"closed: {error}"


def sandbox() -> dict:
    """Describes what the function sees of the machine."""
    def write(path: str) -> str:
        try:
            with open(path, "w") as file:
                file.write("x")
            return "written"
        except OSError as error:
            return f"refused: {error.strerror}"

    status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
    return {
        "kernel": subprocess.run(["dmesg"], capture_output=True, text=True, check=False).stdout,
        "capabilities": status.get("CapEff", "?"), "user": os.getuid(),
        "token": os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        "root": write("/srv/x"), "tmp": write("/tmp/x"),
        "environment": sorted(name for name in os.environ if "KUBERNETES" in name or "SERVICE" in name),
    }


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers /sandbox, /env?name=, /connect?host=&port=, POST /count, and upgrades to a WebSocket echo."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.echo()
        elif url.path == "/sandbox":
            self.answer(json.dumps(sandbox()).encode())
        elif url.path == "/env":
            self.answer(os.environ.get(query["name"], "").encode())
        elif url.path == "/connect":
            self.answer(connect(query["host"], int(query["port"])).encode())
        elif url.path == "/resolve":
            try:
                self.answer(socket.gethostbyname(query["host"]).encode())
            except OSError as error:
                self.answer(f"unresolved: {error}".encode())
        else:
            self.answer(b"probe\n")

    def do_POST(self) -> None:
        count = 0
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline(), 16):
                count += len(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
        else:
            left = int(self.headers.get("Content-Length", 0))
            while left and (part := self.rfile.read(min(left, 1 << 20))):
                left -= len(part)
                count += len(part)
        self.answer(str(count).encode())

    def echo(self) -> None:
        """Accepts the upgrade (RFC 6455) and sends every byte back as it comes."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.wfile.flush()
        while part := self.connection.recv(65536):
            self.connection.sendall(part)
        self.close_connection = True

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form: str, *values: object) -> None:
        print(form % values, flush=True)


# Many may call at once when it has just been woken.
http.server.ThreadingHTTPServer.request_queue_size = 512
server = http.server.ThreadingHTTPServer(("", 8080), Handler)
server.daemon_threads = False  # what is under way is finished; the gateway closes its idle connections
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
server.server_close()
