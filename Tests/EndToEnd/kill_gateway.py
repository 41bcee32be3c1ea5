#!/usr/bin/env python3
"""Kills gateways under load, again and again, and counts the calls: kill_gateway.py BINARY [KILLS [SEED [GATEWAYS]]]

A wallet pays through `farebox payments`, two gateways let paid calls through to a server that counts them, and each gateway is
killed at random moments and started anew. In the end the server must have seen no more calls than were paid for, bonus
included, and the ledger must have sold at least as many as the server saw: what a killed gateway had on lease is lost, a payment
never is. Ends with 0 when that holds and `farebox ledger check` finds nothing wrong.
"""

import http.client
import http.server
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import kill_payments
import wallet

THREADS = 8
BONUS = 50  # as in kill_payments
LEASE_SECONDS = 60


class Counting(http.server.BaseHTTPRequestHandler):
    """The function: counts the calls it begins to answer."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and content in one piece: else Nagle's algorithm makes each call take 40 ms
    lock = threading.Lock()
    calls = 0

    def do_GET(self) -> None:
        with Counting.lock:
            Counting.calls += 1
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Backend(http.server.ThreadingHTTPServer):
    """Gateways that were killed leave broken connections, which are nothing to tell."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class Gateway:
    """A gateway with one paid function, which can be killed."""

    def __init__(self, binary: str, folder: pathlib.Path, payments: kill_payments.Payments, backend: int) -> None:
        self.port, internal = kill_payments.free_port(), kill_payments.free_port()
        routes = folder / "routes.yaml"
        routes.write_text(json.dumps({"routes": [{
            "name": "alice-hello", "namespace": "functions", "endpoints": [f"127.0.0.1:{backend}"],
            "price": {"amount": 10, "assetCode": "XRP", "assetScale": 9, "calls": 1000}}]}))
        self._log = folder / "gateway.log"
        self._command = [
            binary, "gateway", "--routes", str(routes), "--loops", "1", "--address", "127.0.0.1",
            "--internal-address", "127.0.0.1", "--port", str(self.port), "--internal-port", str(internal),
            "--payments", f"http://127.0.0.1:{payments.internal_port}", "--payments-token", str(folder / "token")]
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
        raise SystemExit(f"the gateway does not start:\n{self._log.read_text()}")

    def end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait(2 * kill_payments.PATIENCE_SECONDS)


class Callers(kill_payments.Crew):
    """Call, and count what they are told."""

    def __init__(self, gateways: list[Gateway]) -> None:
        self._gateways = gateways
        self._lock = threading.Lock()
        self.statuses: dict[int, int] = {}
        super().__init__(THREADS)

    def _work(self, number: int) -> None:
        gateway = self._gateways[number % len(self._gateways)]
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=kill_payments.PATIENCE_SECONDS)
        while not self._stop.is_set():
            try:
                connection.request("GET", "/function/alice-hello.functions")
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(0.002)  # It was killed: its port refuses until it is back.
                continue
            with self._lock:
                self.statuses[response.status] = self.statuses.get(response.status, 0) + 1
        connection.close()


def main(binary: str, kills: int = 20, seed: int | None = None, count: int = 2) -> None:
    seed = random.randrange(1 << 32) if seed is None else seed
    print(f"seed {seed}", flush=True)
    dice = random.Random(seed)
    host_wallet = wallet.Wallet()
    backend = Backend(("127.0.0.1", 0), Counting)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="gateways-") as name:
        folder = pathlib.Path(name)
        payments = kill_payments.Payments(binary, folder, host_wallet)
        payer = wallet.Payer(f"http://127.0.0.1:{payments.port}")
        gateways = [Gateway(binary, folder, payments, backend.server_port) for _ in range(count)]
        callers = Callers(gateways)
        for _ in range(kills):
            # Sometimes enough for a while, sometimes gone at once.
            payer.pay(host_wallet, "host", "/alice/hello", dice.randrange(1, 4))
            time.sleep(dice.random() * 0.3)  # calls go on meanwhile, until the moment that chance chose
            victim = dice.choice(gateways)
            victim.end(signal.SIGKILL)
            victim.start()
        callers.stop()
        for gateway in gateways:
            gateway.end(signal.SIGTERM)
        paid = host_wallet.received("host")
        status, answer = kill_payments.Payments.ask(
            payments.internal_port, "GET", "/v1/balances/functions/alice-hello")
        assert status == 200, f"the balance is answered {status}"
        balance = json.loads(answer)
        payments.end(signal.SIGTERM)
        subprocess.run([binary, "ledger", "check", *payments.place], check=True)
    backend.shutdown()
    backend.server_close()
    host_wallet.close()
    bought = paid * 1000 // 10 + BONUS
    print(f"{kills} kills: {bought} calls paid for, {Counting.calls} made, {balance['callsSold']} sold, "
          f"{balance['leasedCalls']} lost with the gateways, answers {callers.statuses}", flush=True)
    assert Counting.calls > 0, "no call was made at all"
    assert Counting.calls <= bought, "calls were made that nobody paid for"
    assert Counting.calls <= balance["callsSold"] + balance["leasedCalls"], "calls were made that the ledger did not sell"
    assert balance["callsSold"] + balance["leasedCalls"] + balance["remainingCalls"] == bought, "paid calls are gone"
    strange = callers.statuses.keys() - {200, 402, 502, 503}
    assert not strange, f"answers that should not be: {strange}"


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 5:
        raise SystemExit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
