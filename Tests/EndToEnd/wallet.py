#!/usr/bin/env python3
"""A wallet: an SPSP server on TLS, with a certificate authority of its own, that issues real STREAM receipts.

It answers queries as wallets do (RFC 9, and rafiki's rules for receipts), remembers the nonce and the secret that it was
sent, and makes receipts of them when a test says that money came in. Only the standard library, and `openssl` for the keys.

In a test:

    wallet = Wallet("10.99.0.1")            # listens; wallet.authority is the file to trust
    pointer = wallet.pointer("alice")       # $10.99.0.1:41234/alice
    Payer(pay_url).pay(wallet, "alice", "/alice/fn", 500)

By hand: `wallet.py --address 127.0.0.1 --port 8443` serves until it is interrupted; every line `ACCOUNT AMOUNT [STREAM]` on
its input pays into the latest connection of an account and prints the receipt.
"""

import argparse
import base64
import binascii
import dataclasses
import hashlib
import hmac
import http.client
import http.server
import ipaddress
import json
import pathlib
import secrets
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from typing import Any

SPSP = "application/spsp4+json"
AMOUNT_MAXIMUM = 2**64 - 1


@dataclasses.dataclass
class Connection:
    """What one SPSP query set up: whoever knows the secret can make receipts of the nonce."""

    account: str
    nonce: bytes | None
    secret: bytes | None
    totals: dict[int, int] = dataclasses.field(default_factory=dict)

    def receive(self, amount: int, stream: int = 1) -> str:
        """Takes money on a stream and returns the receipt for all that came in on it."""
        assert self.nonce is not None and self.secret is not None, "nobody asked for receipts on this connection"
        total = self.totals.get(stream, 0) + amount
        assert 0 <= total <= AMOUNT_MAXIMUM, "a stream takes at most 64 bits"
        self.totals[stream] = total
        return receipt(self.nonce, stream, total, self.secret)


def receipt(nonce: bytes, stream: int, total: int, secret: bytes) -> str:
    """Makes a receipt (RFC 39): version 1, nonce, stream, total, HMAC-SHA256 of these; in base64."""
    signed = b"\x01" + nonce + bytes([stream]) + total.to_bytes(8, "big")
    return base64.b64encode(signed + hmac.new(secret, signed, hashlib.sha256).digest()).decode()


class Certificates:
    """A certificate authority and a certificate for the wallet's names, in a folder.

    An authority that is in the folder already, as ca.crt and ca.key, stays.
    """

    def __init__(self, folder: pathlib.Path, names: list[str]) -> None:
        self.authority, authority_key = folder / "ca.crt", folder / "ca.key"
        self.chain, self.key = folder / "wallet.crt", folder / "wallet.key"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        if not self.authority.exists():
            self._openssl(
                "req", "-x509", *curve, "-keyout", authority_key, "-out", self.authority, "-days", "2",
                "-subj", "/CN=wallets of the tests", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign")
        request, extensions = folder / "wallet.csr", folder / "wallet.ext"
        extensions.write_text("subjectAltName=" + ",".join(map(self._alternative, names)) + "\n")
        self._openssl("req", *curve, "-keyout", self.key, "-out", request, "-subj", "/CN=wallet")
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.authority, "-CAkey", authority_key, "-CAcreateserial",
            "-out", self.chain, "-days", "2", "-extfile", extensions)

    @staticmethod
    def _alternative(name: str) -> str:
        try:
            return f"IP:{ipaddress.ip_address(name)}"
        except ValueError:
            return f"DNS:{name}"

    @staticmethod
    def _openssl(*arguments: Any) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=600)


class Wallet:
    """A wallet that serves in threads of the test's process until it is closed."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0, names: tuple[str, ...] = ("localhost",),
                 authority: dict[str, bytes] | None = None) -> None:
        """Listens; `authority` holds ca.crt and ca.key where there is one that somebody trusts already."""
        self._folder = tempfile.TemporaryDirectory(prefix="wallet-")
        for name, content in (authority or {}).items():
            (pathlib.Path(self._folder.name) / name).write_bytes(content)
        certificates = Certificates(pathlib.Path(self._folder.name), [address, *names])
        self.authority = certificates.authority
        self.address = address
        self.connections: list[Connection] = []
        self.requests: list[dict[str, Any]] = []
        self._behaviours: dict[str, str] = {}
        self._lock = threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificates.chain, certificates.key)
        self._server = _Server((address, port), self, context)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="wallet", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    def pointer(self, account: str, host: str | None = None) -> str:
        """The payment pointer of an account; it has a port, so payments must allow ports."""
        return f"${host or self.address}:{self.port}/{account}"

    def behave(self, account: str, how: str | None) -> None:
        """Makes an account misbehave: no-receipts, not-json, reset, slow, huge, redirect:URL; None ends it."""
        with self._lock:
            self._behaviours.pop(account, None)
            if how is not None:
                self._behaviours[account] = how

    def behaviour(self, account: str) -> str | None:
        with self._lock:
            return self._behaviours.get(account)

    def latest(self, account: str) -> Connection:
        """The connection that was set up last for an account."""
        with self._lock:
            found = [connection for connection in self.connections if connection.account == account]
        assert found, f"nobody asked for {account}"
        return found[-1]

    def receive(self, account: str, amount: int, stream: int = 1) -> str:
        """Takes money on the latest connection of an account and returns the receipt."""
        return self.latest(account).receive(amount, stream)

    def received(self, account: str) -> int:
        """All that came in for an account."""
        with self._lock:
            return sum(sum(c.totals.values()) for c in self.connections if c.account == account)

    def note(self, record: dict[str, Any], connection: Connection | None) -> None:
        with self._lock:
            self.requests.append(record)
            if connection is not None:
                self.connections.append(connection)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], wallet: Wallet, context: ssl.SSLContext) -> None:
        super().__init__(address, _Handler)
        self.wallet, self._context = wallet, context

    def finish_request(self, request: socket.socket, client_address: Any) -> None:
        # In the connection's own thread: a client that never speaks TLS keeps nobody else waiting.
        request.settimeout(30)
        try:
            with self._context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except OSError:
            pass  # A client that does not trust us, or left.

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        wallet, account = self.server.wallet, urllib.parse.urlsplit(self.path).path.lstrip("/")
        record = {"path": self.path, "headers": dict(self.headers.items())}
        how = wallet.behaviour(account) or ""
        if how == "reset":
            wallet.note(record, None)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if how == "slow":
            wallet.note(record, None)
            time.sleep(60)
        if how.startswith("redirect:"):
            wallet.note(record, None)
            self._send(302, b"", {"Location": how.removeprefix("redirect:")})
            return
        if how in ("not-json", "huge"):
            wallet.note(record, None)
            self._send(200, b"<html>" if how == "not-json" else b"x" * (1 << 20), {"Content-Type": SPSP})
            return
        self._answer(wallet, account, record, issues=how != "no-receipts")

    def _answer(self, wallet: Wallet, account: str, record: dict[str, Any], issues: bool) -> None:
        accept = self.headers.get("Accept", "")
        if not account or account.startswith("nobody"):
            wallet.note(record, None)
            return self._json(404, {"id": "InvalidReceiverError", "message": "Invalid receiver ID"})
        if not any(kind in accept for kind in (SPSP, "application/*", "*/*")):
            wallet.note(record, None)
            return self._json(406, {"message": "Not Acceptable"})
        fields = [self._bytes("Receipt-Nonce", 16), self._bytes("Receipt-Secret", 32)]
        if b"" in fields or (fields[0] is None) != (fields[1] is None):
            wallet.note(record, None)
            return self._json(400, {"message": "Failed to generate credentials: invalid receipt nonce or secret"})
        issues = issues and fields[0] is not None
        wallet.note(record, Connection(account, *(fields if issues else (None, None))))
        return self._json(200, {
            "destination_account": f"test.wallet.{account}.{secrets.token_urlsafe(12)}",
            "shared_secret": base64.b64encode(secrets.token_bytes(32)).decode(),
            "receipts_enabled": issues,
        })

    def _bytes(self, name: str, count: int) -> bytes | None:
        """A field in base64: None when it is absent, empty when it has not `count` bytes."""
        text = self.headers.get(name)
        if text is None:
            return None
        try:
            found = base64.b64decode(text, validate=True)
        except binascii.Error:
            return b""
        return found if len(found) == count else b""

    def _json(self, status: int, value: Any) -> None:
        self._send(status, json.dumps(value).encode(), {
            "Content-Type": SPSP, "Cache-Control": "no-cache",
            "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "web-monetization-id",
        })

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class Payer:
    """Somebody who pays: queries the platform's pointer, pays the wallet that answers, hands the receipt in."""

    def __init__(self, pay_url: str) -> None:
        self._url = urllib.parse.urlsplit(pay_url)

    def query(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Asks for an account to pay; returns the status, and the answer as JSON or text."""
        return self._send("GET", path, {"Accept": SPSP, **(headers or {})}, None)

    def verify(self, receipt_text: str) -> tuple[int, Any]:
        """Hands a receipt in; returns the status, and the answer as JSON or text."""
        return self._send("POST", "/verify", {"Content-Type": "text/plain"}, receipt_text.encode())

    def pay(self, wallet: Wallet, account: str, path: str, amount: int) -> dict[str, Any]:
        """Pays an amount to what `path` names, which must be an account of `wallet`; returns what it was worth."""
        status, answer = self.query(path)
        assert status == 200, f"the query was answered {status}: {answer}"
        status, worth = self.verify(wallet.receive(account, amount))
        assert status == 200, f"the receipt was answered {status}: {worth}"
        return worth

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=600)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        try:
            return response.status, json.loads(content)
        except ValueError:
            return response.status, content.decode(errors="replace")


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves a wallet until it is interrupted.")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--name", action="append", default=["localhost"], help="a further name for the certificate")
    parser.add_argument("--authority", type=pathlib.Path, metavar="FOLDER", help="with the ca.crt and ca.key to be certified by")
    options = parser.parse_args()
    authority = {name: (options.authority / name).read_bytes() for name in ("ca.crt", "ca.key")} if options.authority else None
    wallet = Wallet(options.address, options.port, tuple(options.name), authority)
    print(f"pointer {wallet.pointer('ACCOUNT')}\nauthority {wallet.authority}", flush=True)
    try:
        for line in sys.stdin:
            words = line.split()
            try:
                print(wallet.receive(words[0], int(words[1]), *map(int, words[2:3])), flush=True)
            except (AssertionError, IndexError, ValueError) as error:
                print(f"? {error}", flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        wallet.close()


if __name__ == "__main__":
    main()
