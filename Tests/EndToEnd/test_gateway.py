"""The gateway on the wire: what it refuses, what it carries, what it costs."""

import base64
import contextlib
import os
import socket
import unittest

import platform_under_test as farebox

SECONDS = 40
# They share one probe function.
LANE = "probe"

# Each is malformed or ambiguous: one of them must never reach a function (facts of the engine, RFC 9112).
MALFORMED = {
    "Content-Length with Transfer-Encoding": b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two Content-Lengths": b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "blank before the colon": b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "unknown transfer coding": b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bare line feeds": b"GET /p HTTP/1.1\nHost: h\n\n",
    "folded field": b"GET /p HTTP/1.1\r\nHost: h\r\nX-A: b\r\n c\r\n\r\n",
    "Content-Length with a sign": b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx",
    "Content-Length as a list": b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nx",
    "NUL in a value": b"GET /p HTTP/1.1\r\nHost: h\r\nX-A: a\x00b\r\n\r\n",
    "bare CR in a value": b"GET /p HTTP/1.1\r\nHost: h\r\nX-A: a\rb\r\n\r\n",
    "chunk size with a prefix": b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    "chunk line with a bare line feed": b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
    "no Host": b"GET /p HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /p HTTP/1.1\r\nHost: h\r\nHost: g\r\n\r\n",
    "Transfer-Encoding in HTTP/1.0": b"POST /p HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no version": b"GET /p\r\n\r\n",
    "unknown version": b"GET /p HTTP/3.7\r\nHost: h\r\n\r\n",
    "blank in the target": b"GET /p q HTTP/1.1\r\nHost: h\r\n\r\n",
    "control character in the target": b"GET /p\x01 HTTP/1.1\r\nHost: h\r\n\r\n",
    "field name that is no token": b"GET /p HTTP/1.1\r\nHost: h\r\nX(A): b\r\n\r\n",
    "field without a colon": b"GET /p HTTP/1.1\r\nHost: h\r\nbroken\r\n\r\n",
    "CONNECT": b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
}


class Gateway(unittest.TestCase):
    """The probe function behind the gateway."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.image = farebox.Probe.deploy()
        cls.address = farebox.cluster_address("farebox-gateway")
        cls.domain = f"{farebox.Probe.OWNER}.{farebox.ROOT_DOMAIN}"

    def exchange(self, request: bytes) -> bytes:
        """Sends raw bytes and returns what comes back until the connection ends."""
        answer = b""
        with socket.create_connection((self.address, 80), timeout=farebox.PATIENCE_SECONDS) as connection:
            connection.sendall(request)
            with contextlib.suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    answer += part
        return answer

    def calls_logged(self) -> int:
        pods = farebox.items("pods", selector=f"farebox.dev/name={farebox.Probe.NAME}")
        return sum(len(farebox.kubectl("logs", pod["metadata"]["name"], "-n", farebox.FUNCTIONS).splitlines())
                   for pod in pods)

    def test_malformed_requests_reach_no_function(self) -> None:
        """Malformed and ambiguous requests get 400 or a closed connection, and none reaches a function"""
        before = self.calls_logged()
        for name, request in MALFORMED.items():
            with self.subTest(name):
                answer = self.exchange(request.replace(b" /p", b" /probe/").replace(b"Host: h", b"Host: " + self.domain.encode()))
                self.assertTrue(answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 405", b"HTTP/1.1 501", b"HTTP/1.1 505")),
                                answer[:100])
        self.assertEqual(self.calls_logged(), before)

    def test_unknown_functions_are_404_with_a_request_id(self) -> None:
        """An unknown function is a 404 as JSON with a request id"""
        for host, path in [(self.domain, "/nothing/"), (f"nobody.{farebox.ROOT_DOMAIN}", "/probe/"), (None, "/function/nothing")]:
            with self.subTest(host=host, path=path):
                status, headers, body = farebox.call(path, host)
                self.assertEqual(status, 404)
                self.assertIn("json", headers["content-type"])
                self.assertIn(headers["x-request-id"].encode(), body)

    def test_a_function_without_replicas_is_503(self) -> None:
        """A function with no endpoint is a 503 with Retry-After"""
        farebox.apply(farebox.function("asleep", self.image, replicas=0, scale={"min": 0}))
        self.addCleanup(farebox.kubectl, "delete", "function", "asleep", "-n", farebox.FUNCTIONS)

        status, headers, _ = farebox.wait_until("it is known", lambda: (lambda answer: answer if answer[0] != 404 else None)(
            farebox.call("/function/asleep")))

        self.assertEqual(status, 503)
        self.assertIn("retry-after", headers)

    def test_internal_paths_are_not_public(self) -> None:
        """Metrics and health are not served on the public port"""
        for path in ("/metrics", "/healthz", "/readyz"):
            with self.subTest(path):
                self.assertEqual(farebox.call(path)[0], 404)

    def test_websocket(self) -> None:
        """A WebSocket upgrade passes, and bytes go both ways"""
        key = base64.b64encode(os.urandom(16))
        with socket.create_connection((self.address, 80), timeout=farebox.PATIENCE_SECONDS) as connection:
            connection.sendall(b"GET /probe/ws HTTP/1.1\r\nHost: " + self.domain.encode() + b"\r\nUpgrade: websocket\r\n"
                               b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n")
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(1)
            self.assertTrue(head.startswith(b"HTTP/1.1 101"), head)
            for size in (1, 1000, 100_000):
                message, echoed = os.urandom(size), b""
                connection.sendall(message)
                while len(echoed) < size:
                    echoed += connection.recv(size - len(echoed))
                self.assertEqual(echoed, message)

    def resident_bytes(self) -> int:
        """Returns the gateway's resident memory, from its own metrics, through the API server's proxy to the pod."""
        pod = farebox.items("pods", farebox.SYSTEM, "app.kubernetes.io/component=gateway")[0]["metadata"]["name"]
        text = farebox.kubectl("get", "--raw", f"/api/v1/namespaces/{farebox.SYSTEM}/pods/{pod}:9090/proxy/metrics")
        return int(float(next(line.split()[1] for line in text.splitlines()
                              if line.startswith("process_resident_memory_bytes"))))

    def test_a_large_upload_streams(self) -> None:
        """A 1 GiB upload streams through with the gateway's memory flat"""
        size, block = 1 << 30, bytes(1 << 20)
        before, highest = self.resident_bytes(), 0
        with socket.create_connection((self.address, 80), timeout=farebox.PATIENCE_SECONDS) as connection:
            connection.sendall(b"POST /probe/count HTTP/1.1\r\nHost: " + self.domain.encode()
                               + b"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size)
            for index in range(size // len(block)):
                connection.sendall(block)
                if index % 256 == 128:
                    highest = max(highest, self.resident_bytes())
            answer = b""
            while part := connection.recv(65536):
                answer += part

        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer[:200])
        self.assertTrue(answer.endswith(str(size).encode()), answer[-100:])
        self.assertLess(highest - before, 8 << 20)
