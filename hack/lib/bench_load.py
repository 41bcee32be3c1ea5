"""The load of hack/bench gateway: each driver makes calls for some seconds and returns what they were like.

A result has calls, errors, microseconds (of the proxy's processor per call), callsPerSecond, p50 and p99 (milliseconds).
"""

import contextlib
import re
import selectors
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from bench_process import cpu_nanoseconds

# A short message, as a WebSocket's frame has it: masked, 32 bytes.
MESSAGE = bytes([0x82, 0x80 | 32]) + bytes(4) + b"m" * 32
UPGRADE = ("GET /function/hello HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()
SLOW_BYTES = 1 << 20


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def run(command):
    """Returns what a command prints; ends the measurement when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def wrk(pin, pids, url, seconds, connections, threads):
    """HTTP/1.1 calls, one after the other on each connection."""
    before = cpu_nanoseconds(pids)
    output = run(pin + ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "--latency", url])
    spent = cpu_nanoseconds(pids) - before
    calls = int(re.search(r"(\d+) requests in", output).group(1))
    errors = sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", output))
    for line in re.findall(r"Socket errors: (.*)", output):
        errors += sum(int(number) for number in re.findall(r"\d+", line))
    return {
        "calls": calls,
        "errors": errors,
        "microseconds": spent / calls / 1000 if calls else float("inf"),
        "callsPerSecond": float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)),
        "p50": milliseconds(re.search(r"(?m)^\s+50%\s+(\S+)", output).group(1)),
        "p99": milliseconds(re.search(r"(?m)^\s+99%\s+(\S+)", output).group(1)),
    }


def h2load(pin, pids, url, seconds, connections):
    """HTTP/2 calls, eight at once on each connection; p50 and p99 are the mean and the maximum."""
    before = cpu_nanoseconds(pids)
    clients = max(1, connections // 8)
    output = run(pin + ["h2load", "-t1", f"-c{clients}", "-m8", f"-D{seconds}", url])
    spent = cpu_nanoseconds(pids) - before
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (done|succeeded|failed|errored|timeout)",
                                                            re.search(r"(?m)^requests: .*$", output).group(0))}
    calls = int(re.search(r"(?m)^status codes: (\d+) 2xx", output).group(1))
    times = re.search(r"(?m)^time for request:\s+\S+\s+(\S+)\s+(\S+)", output).groups()
    return {
        "calls": calls,
        "errors": counts["failed"] + counts["errored"] + counts["timeout"],
        "microseconds": spent / calls / 1000 if calls else float("inf"),
        "callsPerSecond": float(re.search(r"finished in \S+ ([\d.]+) req/s", output).group(1)),
        "p50": milliseconds(times[1]),
        "p99": milliseconds(times[0]),
    }


class Echo:
    """Both ends of WebSockets, as far as a proxy sees them: `bench_load.py echo PORT` and `bench_load.py talk …`."""

    @staticmethod
    def serve(port: int) -> None:
        """Agrees to each upgrade, and sends back whatever comes after."""
        selector = selectors.DefaultSelector()
        listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        selector.register(listener, selectors.EVENT_READ, b"")
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(connection, selectors.EVENT_READ, b"head")
                    continue
                with contextlib.suppress(OSError):
                    content = key.fileobj.recv(65536)
                    if not content:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()
                    elif key.data == b"head":
                        # The head of the upgrade comes whole from every proxy that is measured.
                        key.fileobj.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
                        selector.modify(key.fileobj, selectors.EVENT_READ, b"echo")
                    else:
                        key.fileobj.sendall(content)

    @staticmethod
    def talk(port: int, connections: int, seconds: float) -> None:
        """Sends a message and waits for it to come back, over and over on each connection; prints count and times."""
        selector = selectors.DefaultSelector()
        for _ in range(connections):
            connection = socket.create_connection(("127.0.0.1", port), 10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(UPGRADE)
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := connection.recv(4096)):
                    sys.exit(f"the upgrade was refused: {head!r}")
                head += piece
            if b" 101 " not in head.split(b"\r\n")[0]:
                sys.exit(f"the upgrade was refused: {head!r}")
            selector.register(connection, selectors.EVENT_READ, [time.perf_counter()])
            connection.sendall(MESSAGE)
        times, errors, begun = [], 0, time.perf_counter()
        while time.perf_counter() - begun < seconds and selector.get_map():
            for key, _ in selector.select(1):
                if len(key.fileobj.recv(4096)) != len(MESSAGE):
                    errors += 1
                    selector.unregister(key.fileobj)
                    continue
                now = time.perf_counter()
                times.append(now - key.data[0])
                key.data[0] = now
                key.fileobj.sendall(MESSAGE)
        quantiles = statistics.quantiles(times, n=100)
        print(len(times), errors, len(times) / (time.perf_counter() - begun), quantiles[49] * 1000, quantiles[98] * 1000)


def websocket(pin, pids, port, seconds, connections):
    """Messages through WebSockets that come back."""
    before = cpu_nanoseconds(pids)
    output = run(pin + [sys.executable, __file__, "talk", str(port), str(connections), str(seconds)])
    calls, errors, rate, p50, p99 = (float(word) for word in output.split())
    spent = cpu_nanoseconds(pids) - before
    return {"calls": int(calls), "errors": int(errors), "microseconds": spent / calls / 1000, "callsPerSecond": rate,
            "p50": p50, "p99": p99}


def hold_idle(port, count, secure, http2):
    """Opens connections that ask once and are then idle, and returns them."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if http2:
        context.set_alpn_protocols(["h2"])
    held = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), 30)
        if secure:
            connection = context.wrap_socket(connection, server_hostname="localhost")
        if http2:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        else:
            connection.sendall(b"GET /function/hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.recv(4096)
        held.append(connection)
    return held


@contextlib.contextmanager
def slow_clients(port: int, count: int) -> Iterator[None]:
    """Clients that send their requests in small pieces and take a long answer as slowly, from now to the end."""
    stopping = threading.Event()

    def crawl() -> None:
        request = b"GET /function/hello/big HTTP/1.1\r\nHost: localhost\r\n\r\n"
        while not stopping.is_set():
            with socket.socket() as connection, contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.settimeout(10)
                connection.connect(("127.0.0.1", port))
                for index in range(0, len(request), 8):
                    connection.sendall(request[index:index + 8])
                    stopping.wait(0.02)
                # At 100 KiB/s an answer takes ten seconds, and fills whatever stands between.
                while not stopping.wait(0.02) and connection.recv(2048):
                    pass

    threads = [threading.Thread(target=crawl, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    if sys.argv[1] == "echo":
        Echo.serve(int(sys.argv[2]))
    else:
        Echo.talk(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
