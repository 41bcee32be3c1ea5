#!/usr/bin/env python3
"""Kills `farebox payments` under load, again and again, and counts the money.

    kill_payments.py BINARY [KILLS [SEED]] [--postgres CONNECTION]

Payers query, a real wallet on TLS issues receipts, and many threads hand them in over HTTP, some twice, while the process is
killed at random moments and started anew on its SQLite file, or on a schema of its own in a database. In the end the balance must be what the wallet received: not a
unit less, not one more. Ends with 0 when it is, and `farebox ledger check` finds nothing wrong either.
"""

import argparse
import http.client
import json
import pathlib
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

import wallet

TOKEN = "the token of the gateway"
PATIENCE_SECONDS = 120  # a busy machine takes long to start a program
CONNECTIONS, THREADS = 4, 16


class Payments:
    """The process, which can be killed."""

    def __init__(self, binary: str, folder: pathlib.Path, host_wallet: wallet.Wallet, postgres: str | None = None) -> None:
        self.port, self.internal_port = free_port(), free_port()
        self.log = folder / "log"
        ledger: dict[str, Any]
        if postgres:
            schema = "killed_" + secrets.token_hex(8)
            ledger = {"postgres": {"connection": postgres, "schema": schema}}
            self.place = ["--postgres", postgres, "--schema", schema]
        else:
            ledger = {"sqlite": str(folder / "ledger.db")}
            self.place = ["--sqlite", ledger["sqlite"]]
        (folder / "token").write_text(TOKEN + "\n")
        (folder / "farebox.yaml").write_text(json.dumps({"payments": {
            "hostPointer": host_wallet.pointer("host"), "asset": {"code": "XRP", "scale": 9}, "address": "127.0.0.1",
            "connectionLifetime": "24h", "tokenPath": str(folder / "token"), "ledger": ledger,
            "wallets": {
                "allowsPorts": True, "allowedCIDRs": ["127.0.0.1/32"], "certificatesPath": str(host_wallet.authority)},
        }}))
        (folder / "functions.yaml").write_text(json.dumps({"functions": [{
            "name": "alice-hello", "namespace": "functions", "owner": "alice", "function": "hello",
            "price": {"asset": {"code": "XRP", "scale": 9}, "amount": 10, "calls": 1000, "bonusCalls": 50},
        }]}))
        self._command = [
            binary, "payments", "--config", str(folder / "farebox.yaml"), "--functions", str(folder / "functions.yaml"),
            "--port", str(self.port), "--internal-port", str(self.internal_port)]
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if self.ask(self.internal_port, "GET", "/readyz")[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
        raise SystemExit(f"payments do not start:\n{self.log.read_text()}")

    def end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait(PATIENCE_SECONDS)

    def verify(self, receipt: str) -> int:
        """Hands a receipt in, and returns the status."""
        return self.ask(self.port, "POST", "/verify", receipt.encode())[0]

    def balance(self) -> int:
        return json.loads(self.ask(self.internal_port, "GET", "/v1/balances/functions/alice-hello")[1])["balance"]

    @staticmethod
    def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body, {"Authorization": "Bearer " + TOKEN})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class Crew:
    """Threads that work until they are told to stop. What one of them did not expect is raised at the end."""

    def __init__(self, threads: int) -> None:
        self._stop = threading.Event()
        self._unexpected: list[Exception] = []
        self._threads = [threading.Thread(target=self._try_to_work, args=(number,)) for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._unexpected:
            raise self._unexpected[0]

    def _try_to_work(self, number: int) -> None:
        try:
            self._work(number)
        except Exception as error:  # pylint: disable=broad-except  whatever ends a thread fails the test
            self._unexpected.append(error)

    def _work(self, number: int) -> None:
        """What the thread with this number does until `_stop` is set."""
        raise NotImplementedError


class Load(Crew):
    """Hands receipts in."""

    def __init__(self, payments: Payments, connections: list[wallet.Connection], seed: int) -> None:
        self._payments, self._connections, self._seed = payments, connections, seed
        self.strange: list[Any] = []
        super().__init__(THREADS)

    def _work(self, number: int) -> None:
        dice = random.Random(self._seed + number)
        connection, stream = self._connections[number % CONNECTIONS], number // CONNECTIONS + 1
        while not self._stop.is_set():
            receipt = connection.receive(dice.randrange(1, 1000), stream)
            for _ in range(dice.randrange(1, 3)):
                try:
                    status = self._payments.verify(receipt)
                except (OSError, http.client.HTTPException):
                    time.sleep(0.002)  # It was killed: its port refuses until it is back.
                    continue
                if status not in (200, 400, 409, 503):
                    self.strange.append(status)


_given: set[int] = set()


def free_port() -> int:
    """A port that nobody has, below those that the kernel gives to outgoing connections.

    A process that was killed needs it again, and other tests make many connections meanwhile.
    """
    for _ in range(1000):
        port = random.randrange(12_000, 20_000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                pass
        except OSError:
            continue
        if port not in _given:
            _given.add(port)
            return port
    raise SystemExit("no port is free")


def main(binary: str, kills: int, seed: int | None, postgres: str | None) -> None:
    seed = random.randrange(1 << 32) if seed is None else seed
    print(f"seed {seed}", flush=True)
    dice = random.Random(seed)
    host_wallet = wallet.Wallet()
    with tempfile.TemporaryDirectory(prefix="payments-") as name:
        payments = Payments(binary, pathlib.Path(name), host_wallet, postgres)
        payer, connections = wallet.Payer(f"http://127.0.0.1:{payments.port}"), []
        for _ in range(CONNECTIONS):
            status, answer = payer.query("/alice/hello")
            assert status == 200, f"the query was answered {status}: {answer}"
            connections.append(host_wallet.latest("host"))
        load = Load(payments, connections, seed)
        for _ in range(kills):
            time.sleep(dice.random() * 0.15)
            payments.end(signal.SIGKILL)
            payments.start()
        load.stop()
        # Answers were lost, and so were receipts; the last one of each stream is worth all that is missing.
        for connection in connections:
            for stream, total in connection.totals.items():
                assert connection.nonce is not None and connection.secret is not None
                last = wallet.receipt(connection.nonce, stream, total, connection.secret)
                assert payments.verify(last) in (200, 400)
        received, balance = host_wallet.received("host"), payments.balance()
        payments.end(signal.SIGTERM)
        subprocess.run([binary, "ledger", "check", *payments.place], check=True)
        print(f"{kills} kills: {received} received, {balance} credited", flush=True)
        assert not load.strange, f"answers that should not be: {load.strange[:5]}"
        assert balance == received, "the ledger lost money, or made some up"
    host_wallet.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Kills payments under load and counts the money.")
    parser.add_argument("binary")
    parser.add_argument("kills", type=int, nargs="?", default=20)
    parser.add_argument("seed", type=int, nargs="?")
    parser.add_argument("--postgres", metavar="CONNECTION", help="a database in the place of a file")
    options = parser.parse_args()
    main(options.binary, options.kills, options.seed, options.postgres)
