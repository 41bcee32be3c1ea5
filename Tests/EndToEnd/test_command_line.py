"""What a person types, with nothing but a kubeconfig: the executable that was installed, against the cluster."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Callable

import platform_under_test as farebox

SECONDS = 55
# It deploys the probe's image.
LANE = "probe"


class CommandLine(unittest.TestCase):
    """One function's life by the hands of a person with a terminal."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.image = farebox.Probe.deploy()
        cls.addClassCleanup(farebox.kubectl, "delete", "function/typed", "secret/typed", "-n", farebox.FUNCTIONS,
                            "--ignore-not-found", check=False)
        farebox.apply(farebox.function("typed", cls.image))

    def test_1_status(self) -> None:
        """A function is waited for, listed for people and for programs, and told about"""
        told = farebox.type_command("status", "typed", "--wait", farebox.PATIENTLY)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("Ready", told.stdout)
        listed = json.loads(farebox.type_command("list", "-o", "json").stdout)
        self.assertIn("typed", [item["metadata"]["name"] for item in listed["items"]])
        self.assertIn("function.farebox.dev/typed\n", farebox.type_command("list", "-o", "name").stdout)

    def test_2_invoke(self) -> None:
        """A function is called from where its URL leads nowhere, through the API server, and its answer comes out alone"""
        for words in (["typed"], ["typed", "--via", "cluster"], [f"{farebox.Probe.NAME}"]):
            answer = farebox.type_command("invoke", *words, "--path", "/sandbox")
            self.assertEqual(answer.returncode, 0, answer.stderr)
            self.assertIn("kernel", json.loads(answer.stdout))
        self.assertEqual(farebox.type_command("invoke", "no-such-function").returncode, 3)

    def test_3_logs(self) -> None:
        """The log of a function comes out, and of a build that has ended it is said where it is"""
        self.assertEqual(farebox.type_command("logs", "typed", "--since", "10m").returncode, 0)
        build = farebox.type_command("logs", farebox.Probe.NAME, "--build")
        self.assertIn(build.returncode, (0, 3), build.stderr)

    def test_4_scale_and_rollback(self) -> None:
        """Replicas are set and waited for; the image in use is known, and none before it"""
        self.assertEqual(farebox.type_command("scale", "typed", "2", "--wait").returncode, 0)
        self.assertEqual(farebox.get("function", "typed")["spec"]["replicas"], 2)
        history = farebox.type_command("rollback", "typed", "--list", "-o", "name")
        self.assertEqual(history.stdout.strip(), self.image)
        self.assertEqual(farebox.type_command("rollback", "typed").returncode, 3)

    def test_5_secret(self) -> None:
        """A Secret's value is read from standard input and never shown"""
        made = farebox.type_command("secret", "set", "typed", text="hunter2\n")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertNotIn("hunter2", farebox.type_command("secret", "list", "-o", "yaml").stdout)
        self.assertEqual(farebox.get("secret", "typed")["data"], {"typed": "aHVudGVyMg=="})
        self.assertEqual(farebox.type_command("secret", "rm", "typed").returncode, 0)

    def test_6_refusals(self) -> None:
        """What a repository deploys is not removed, and somebody without rights is told so with 4"""
        refused = farebox.type_command("remove", farebox.Probe.NAME)
        self.assertEqual(refused.returncode, 4)
        self.assertIn(farebox.Probe.REPOSITORY, refused.stderr)
        configuration = json.loads(farebox.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        configuration["users"][0]["user"]["as"] = "stranger"
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(configuration, file)
            file.flush()
            stranger = farebox.type_command("list", "--kubeconfig", file.name)
        self.assertEqual(stranger.returncode, 4, stranger.stderr)
        self.assertIn("you may not do that", stranger.stderr)

    def test_7_doctor(self) -> None:
        """The doctor finds the installation well; with a minute's probe also its policies and nodes"""
        words = ["--probe"] if os.environ.get("FAREBOX_E2E_LONG") else []

        def findings() -> dict[str, str]:
            found = json.loads(farebox.type_command("doctor", *words, "-o", "json").stdout)
            return {finding["check"]: finding["outcome"] for finding in found}

        # Other lanes end processes of the installation, which the doctor rightly minds until they are back.
        wanted = ["Kubernetes", "Kinds", "operator", "gateway", "builder", "Sandbox", "Registry", "Gateway", "Events"]
        wanted += ["Policies", "Builds"] if words else []
        farebox.wait_until("all is well", lambda: all(findings().get(check) == "ok" for check in wanted), every=2)

    def test_8_server(self) -> None:
        """Without a kubeconfig, after a login, the same words go to the REST API; a wrong password opens nothing"""
        url = f"http://{farebox.cluster_address('farebox-admin')}"
        data = farebox.get("secret", "farebox-admin", farebox.SYSTEM)["data"]
        name, password = (base64.b64decode(data[key]).decode() for key in ("basic-auth-user", "basic-auth-password"))
        home = tempfile.mkdtemp(prefix="farebox-home-")
        self.addCleanup(shutil.rmtree, home)

        def type_there(*words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
            return farebox.type_command(*words, text=text, surroundings={"HOME": home})

        self.assertEqual(type_there("login", url, "-u", name, text="wrong-" + password).returncode, 4)
        self.assertEqual(type_there("list").returncode, 1)  # there is neither a login nor a kubeconfig
        payload = farebox.get("secret", "farebox-builder-payload", farebox.SYSTEM)["data"]["payload-secret"]
        pathlib.Path(home, "payload").write_bytes(base64.b64decode(payload))
        logged_in = type_there(
            "login", url, "-u", name, "--builder", f"http://{farebox.cluster_address('farebox-builder')}:8080",
            "--payload-secret", home + "/payload", "--registry", os.environ["FAREBOX_REGISTRY"] + "/there",
            text=password + "\n")
        self.assertEqual(logged_in.returncode, 0, logged_in.stderr)
        self.assertNotIn(password, logged_in.stdout + logged_in.stderr)
        kept = pathlib.Path(home, ".config/farebox/servers.json")
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)

        self.assertIn("function.farebox.dev/typed\n", type_there("list", "-o", "name").stdout)
        self.assertIn("typed", type_there("list", "-A").stdout)
        self.assertIn("take calls", type_there("status", "typed", "--wait").stdout)
        answer = type_there("invoke", "typed", "--path", "/sandbox")
        self.assertIn("kernel", json.loads(answer.stdout), answer.stderr)
        scaled = type_there("scale", "typed", "1", "--wait")
        self.assertEqual(scaled.returncode, 0, scaled.stderr)
        self.assertEqual(farebox.get("function", "typed")["spec"]["replicas"], 1)
        self.assertEqual(type_there("logs", "typed", "--tail", "5").returncode, 0)
        self.assertEqual(type_there("secret", "set", "typed-there", text="hunter2\n").returncode, 0)
        self.assertEqual(farebox.get("secret", "typed-there")["data"], {"typed-there": "aHVudGVyMg=="})
        self.assertIn("secret/typed-there\n", type_there("secret", "list", "-o", "name").stdout)
        self.assertEqual(type_there("secret", "remove", "typed-there").returncode, 0)
        refused = type_there("remove", farebox.Probe.NAME)
        self.assertEqual(refused.returncode, 4, refused.stderr)
        self.assertEqual(type_there("status", "no-such-function").returncode, 3)
        self.up_there(home, type_there)
        self.assertEqual(type_there("rollback", "typed").returncode, 2)
        self.assertEqual(type_there("logout").returncode, 0)
        self.assertNotIn(password, kept.read_text())

    def up_there(self, home: str, type_there: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
        """A folder of FaaSO's kind, on port 3000 with /ping, by the REST API and the builder's address"""
        folder = pathlib.Path(home, "uploaded")
        folder.mkdir()
        (folder / "funko.yml").write_text("name: uploaded\nruntime: dockerfile\n")
        (folder / "Dockerfile").write_text(
            f"FROM python:3-slim\nRUN mkdir /srv/www && echo {os.urandom(4).hex()} > /srv/www/ping\nUSER 12000\n"
            'CMD ["python3", "-m", "http.server", "3000", "--directory", "/srv/www"]\n')
        self.addCleanup(farebox.kubectl, "delete", "function", "uploaded", "-n", farebox.FUNCTIONS,
                        "--ignore-not-found", "--wait=false")

        up = type_there("up", str(folder), farebox.PATIENTLY)

        self.assertEqual(up.returncode, 0, up.stderr)
        self.assertTrue(up.stdout.strip().endswith(f"/function/uploaded.{farebox.FUNCTIONS}"), up.stdout)
        function = farebox.get("function", "uploaded")
        self.assertIn("@sha256:", function["spec"]["image"])
        self.assertEqual((function["spec"]["port"], function["spec"]["health"]["path"]), (3000, "/ping"))
        self.assertEqual(type_there("invoke", "uploaded", "--path", "/ping").returncode, 0)
        again = type_there("up", str(folder), farebox.PATIENTLY)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(farebox.get("function", "uploaded")["metadata"]["generation"], function["metadata"]["generation"])

    def test_9_remove(self) -> None:
        """A function is removed and waited for"""
        self.assertEqual(farebox.type_command("remove", "typed", "--wait").returncode, 0)
        self.assertEqual(farebox.type_command("status", "typed").returncode, 3)
