"""Calls that do not wait: taken on, made, and their answers posted."""

import http.server
import json
import os
import threading
import unittest

import platform_under_test as farebox

SECONDS = 15
# They share one probe function.
LANE = "scale"


class Answers(http.server.BaseHTTPRequestHandler):
    """Takes answers, and keeps them by the ids of their calls."""

    received: dict[str, tuple[dict[str, str], bytes]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = {name.lower(): value for name, value in self.headers.items()}
        Answers.received[fields.get("x-call-id", "")] = (fields, body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class AsyncCalls(unittest.TestCase):
    """The probe function, called without waiting."""

    @classmethod
    def setUpClass(cls) -> None:
        farebox.SecondProbe.deploy()
        cls.server = http.server.ThreadingHTTPServer((os.environ["FAREBOX_CLUSTER_HOST_ADDRESS"], 0), Answers)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        host, port = cls.server.server_address[:2]
        cls.url = f"http://{host}:{port}/answers"

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.shutdown()
        cls.server.server_close()

    def accept(self, identifier: str, path: str = farebox.SecondProbe.NAME, **headers: str) -> None:
        status, fields, body = farebox.call(
            f"/async-function/{path}", method="POST", body=b"{}",
            headers={"X-Call-Id": identifier, **{name.replace("_", "-"): value for name, value in headers.items()}})
        self.assertEqual(status, 202, body)
        self.assertEqual(fields["x-call-id"], identifier)
        self.assertGreater(int(fields["x-start-time"]), 1_700_000_000_000_000_000)

    def test_answers_are_posted(self) -> None:
        """A hundred calls are taken on, each is made, and each answer is posted with its call's id"""
        for number in range(100):
            self.accept(f"e2e-{number}", X_Callback_Url=self.url)
        expected = {f"e2e-{number}" for number in range(100)}
        farebox.wait_until("every answer is posted", lambda: expected <= Answers.received.keys())
        fields, body = Answers.received["e2e-42"]
        self.assertEqual(fields["x-function-status"], "200")
        self.assertEqual(fields["x-function-name"], f"{farebox.SecondProbe.NAME}.{farebox.FUNCTIONS}")
        self.assertRegex(fields["x-duration-seconds"], r"^\d+\.\d{6}$")
        self.assertTrue(body)

    def test_unknown_functions_and_bad_callbacks_are_refused(self) -> None:
        """An unknown function is 404 and a callback that is no URL 400: neither is taken on"""
        self.assertEqual(farebox.call("/async-function/nothing", method="POST")[0], 404)
        self.assertEqual(
            farebox.call(f"/async-function/{farebox.SecondProbe.NAME}", method="POST", headers={"X-Callback-Url": "here"})[0], 400)

    def test_a_callback_to_the_inside_is_never_posted_and_can_be_dropped(self) -> None:
        """An answer for an address inside the cluster is put away unsent, listed by `farebox async list`, and dropped"""
        def command(*words: str) -> str:
            return farebox.kubectl("exec", "-n", farebox.SYSTEM, "deployment/farebox-gateway", "--", "farebox", "async", *words)

        self.accept("e2e-inside", X_Callback_Url=f"http://{farebox.cluster_address('farebox-gateway')}/")

        def dead() -> list[dict[str, object]]:
            lines = [json.loads(line) for line in command("list", "--format", "json").splitlines()]
            return [line for line in lines if line["callId"] == "e2e-inside"]

        [call] = farebox.wait_until("the answer is put away", dead, every=1)
        self.assertEqual(call["kind"], "callback")
        self.assertIn("not public", call["reason"])
        command("drop", "--id", call["id"])
        self.assertEqual(dead(), [])
