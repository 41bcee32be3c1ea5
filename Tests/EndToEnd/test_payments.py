"""Payment for calls: bonus calls, 402, a wallet that pays, receipts by kubectl, and who gets the money."""

import base64
import json
import os
import secrets
import unittest
from typing import Any

import platform_under_test as farebox
import wallet as wallets

SECONDS = 120
# They call the probe's image.
LANE = "probe"

# Another one each time: the ledger of a cluster that was kept remembers what functions of the same names were paid.
OWNER = f"paula-{secrets.token_hex(3)}"
# The configuration of the trial cluster names it as the host's wallet: hack/lib/cluster_configuration.sh.
WALLET_PORT = 8931
# One unit a call: what is left is easy to tell.
PRICE = {"amount": 10, "assetCode": "XRP", "assetScale": 9, "calls": 10}
BONUS = 5


def authority() -> dict[str, bytes]:
    """The authority whose wallets payments trust on this cluster, as hack/install made it."""
    data = farebox.get("secret", "farebox-wallet-authority", farebox.SYSTEM)["data"]
    return {name: base64.b64decode(text) for name, text in data.items()}


def condition(name: str, kind: str) -> dict[str, Any]:
    return farebox.condition(farebox.get("function", name), kind)


class Payments(unittest.TestCase):
    """Functions of one owner, and a wallet on this machine."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.image = farebox.Probe.deploy()
        cls.wallet = wallets.Wallet(
            os.environ["FAREBOX_CLUSTER_HOST_ADDRESS"], WALLET_PORT, authority=authority())
        cls.addClassCleanup(cls.wallet.close)
        cls.payer = wallets.Payer(f"http://{farebox.cluster_address('farebox-pay')}")
        cls.domain = f"{OWNER}.{farebox.ROOT_DOMAIN}"

    def deploy(self, name: str, **payment: Any) -> str:
        """Makes a function that demands payment, waits until it is ready, and returns its object's name."""
        manifest = farebox.function(
            f"{OWNER}-{name}", self.image,
            payment={"required": True, "price": PRICE, "bonusCalls": BONUS, **payment})
        manifest["metadata"]["annotations"] = {"farebox.dev/owner": OWNER, "farebox.dev/function": name}
        farebox.apply(manifest)
        object_name = manifest["metadata"]["name"]
        self.addCleanup(farebox.kubectl, "delete", "function", object_name, "-n", farebox.FUNCTIONS, "--wait=false")
        farebox.wait_until(f"{object_name} is ready", lambda: farebox.is_ready("function", object_name))
        farebox.wait_until(f"{object_name} has an account", lambda: condition(object_name, "Funded")["reason"] == "BonusCalls")
        return object_name

    def call(self, name: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return farebox.call(f"/{name}/", host=self.domain, headers=headers)

    def use_up(self, name: str) -> int:
        """Calls until 402 and returns how many calls passed."""
        passed = 0
        while (status := self.call(name)[0]) != 402:
            self.assertEqual(status, 200)
            passed += 1
            self.assertLess(passed, 1000, "calls pass without end")
        return passed

    def apply_receipt(self, name: str, receipt: str) -> None:
        farebox.apply({
            "apiVersion": "farebox.dev/v1alpha1", "kind": "Receipt",
            "metadata": {"name": name, "namespace": farebox.FUNCTIONS}, "spec": {"receipt": receipt}})
        self.addCleanup(farebox.kubectl, "delete", "receipt", name, "-n", farebox.FUNCTIONS, "--ignore-not-found")

    def settled(self, name: str, reason: str) -> dict[str, Any]:
        """Waits until a Receipt is dealt with and returns its status."""
        def check() -> dict[str, Any] | None:
            receipt = farebox.get("receipt", name)
            return receipt["status"] if farebox.condition(receipt, "Ready")["reason"] == reason else None
        return farebox.wait_until(f"the Receipt {name} is {reason}", check)

    def test_bonus_calls_then_402_then_paid_calls(self) -> None:
        """A function answers its bonus calls, then 402; a payment lets calls pass, and the balance falls by exactly the price"""
        name = self.deploy("shop", paymentPointer=self.wallet.pointer("alice"))
        path = f"/{OWNER}/shop"

        self.assertEqual(self.use_up("shop"), BONUS)
        status, headers, body = self.call("shop")
        self.assertEqual(status, 402)
        self.assertTrue(headers["content-type"].startswith("application/problem+json"), headers)
        self.assertIn('rel="monetization"', headers["link"])
        problem = json.loads(body)
        self.assertEqual(problem["price"], {**PRICE, "amount": str(PRICE["amount"])})  # amounts have up to 64 bits
        self.assertTrue(problem["paymentPointer"].endswith(path), problem)
        self.assertEqual(int(problem["remainingCalls"]), 0)
        status, headers, _ = self.call("shop", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
        self.assertEqual(status, 307)
        self.assertTrue(headers["location"].endswith(f"/pay{path}"), headers)

        worth = self.payer.pay(self.wallet, "host", path, 500)
        self.assertEqual(worth["amount"], "500")
        for _ in range(20):  # from the very next one on
            self.assertEqual(self.call("shop")[0], 200)
        # The payment pays for the bonus first; 20 calls after it cost 20.
        expected = str(500 - BONUS - 20)
        farebox.wait_until(
            f"the balance is {expected}", lambda: farebox.get("function", name)["status"].get("balance") == expected)
        self.assertEqual(condition(name, "Funded")["reason"], "Funded")
        self.assertIn(expected, farebox.kubectl("get", "function", name, "-n", farebox.FUNCTIONS))

        def shown() -> dict[str, Any] | None:
            found = [r for r in farebox.items("receipts", selector=f"farebox.dev/name={name}")
                     if r.get("status", {}).get("credited") == "500"]
            return found[0] if found else None
        receipt = farebox.wait_until("the stream is shown as a Receipt", shown)
        self.assertEqual(receipt["status"]["function"], f"{farebox.FUNCTIONS}/{name}")
        self.assertEqual(receipt["status"]["totalReceived"], "500")
        self.assertEqual(farebox.condition(receipt, "Verified")["status"], "True")
        table = farebox.kubectl("get", "receipts", "-n", farebox.FUNCTIONS, "-l", f"farebox.dev/name={name}")
        self.assertIn("500", table)

        # While the balance is positive, the author is paid.
        status, answer = self.payer.query(path)
        self.assertEqual(status, 200, answer)
        status, worth = self.payer.verify(self.wallet.receive("alice", 70))
        self.assertEqual((status, worth["amount"]), (200, "70"))
        self.assertEqual(worth["spspEndpoint"], self.wallet.pointer("alice"))

    def test_a_receipt_by_kubectl_counts_once(self) -> None:
        """A Receipt that is applied twice is credited once, a forged one is refused, and the difference of a newer one counts"""
        name = self.deploy("stall")
        self.assertEqual(self.payer.query(f"/{OWNER}/stall")[0], 200)
        connection = self.wallet.latest("host")
        receipt = connection.receive(300)

        self.apply_receipt("stall-first", receipt)
        status = self.settled("stall-first", "Credited")
        self.assertEqual((status["credited"], status["totalReceived"]), ("300", "300"))
        self.assertEqual(status["function"], f"{farebox.FUNCTIONS}/{name}")
        self.apply_receipt("stall-first", receipt)
        self.apply_receipt("stall-again", receipt)
        status = self.settled("stall-again", "NothingNew")
        self.assertEqual(status["credited"], "0")

        forged = bytearray(base64.b64decode(receipt))
        forged[-1] ^= 1
        self.apply_receipt("stall-forged", base64.b64encode(forged).decode())
        status = self.settled("stall-forged", "Forged")
        verified = [c for c in status["conditions"] if c["type"] == "Verified"]
        self.assertEqual(verified[0]["status"], "False")

        self.apply_receipt("stall-first", connection.receive(50))
        farebox.wait_until(
            "the difference is credited",
            lambda: farebox.get("receipt", "stall-first")["status"].get("credited") == "350")
        farebox.wait_until("the balance is 350", lambda: farebox.get("function", name)["status"]["balance"] == "350")

    def test_a_price_in_another_asset_is_named(self) -> None:
        """A price that nobody can pay is named in the status, and no call is let through"""
        name = f"{OWNER}-dollars"
        manifest = farebox.function(
            name, self.image, payment={"required": True, "price": {**PRICE, "assetCode": "USD", "assetScale": 2}})
        farebox.apply(manifest)
        self.addCleanup(farebox.kubectl, "delete", "function", name, "-n", farebox.FUNCTIONS, "--wait=false")

        farebox.wait_until("the asset is named", lambda: condition(name, "Funded")["reason"] == "AssetNotAccepted")
        self.assertIn("XRP/9", condition(name, "Funded")["message"])
        farebox.wait_until("it runs", lambda: farebox.is_ready("function", name))
        status = farebox.wait_until("the gateway knows it", lambda: (s := farebox.call(f"/function/{name}")[0]) != 404 and s)
        self.assertIn(status, (402, 503))


if __name__ == "__main__":
    unittest.main()
