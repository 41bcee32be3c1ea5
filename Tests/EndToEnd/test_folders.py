"""Folders: what a person starts, builds and deploys with nothing but a kubeconfig."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import platform_under_test as farebox

SECONDS = 45
EXAMPLES = farebox.REPOSITORY_ROOT / "examples"


class Folders(unittest.TestCase):
    """The command line in a folder of its own, on the cluster's builder."""

    def setUp(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="farebox-folders-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def farebox(self, *words: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
        surroundings = {**os.environ, "FAREBOX_RUNTIMES": str(farebox.REPOSITORY_ROOT / "runtimes")}
        done = subprocess.run([farebox.executable(), *words], cwd=self.folder / folder, env=surroundings, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=farebox.PATIENCE_SECONDS)
        print(f"    (farebox {' '.join(words)}: exit {done.returncode})", flush=True)
        return done

    def deploy(self, folder: str, name: str) -> str:
        """Deploys a folder and returns the URL that was printed."""
        self.addCleanup(
            farebox.kubectl, "delete", "function", name, "-n", farebox.FUNCTIONS, "--ignore-not-found", "--wait=false")
        begun = time.monotonic()
        done = self.farebox("up", farebox.PATIENTLY, folder=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        print(f"    ({name} deployed in {time.monotonic() - begun:.0f} s)", flush=True)
        return done.stdout.strip()

    def test_1_four_commands_from_nothing_to_an_answer(self) -> None:
        """new, up, invoke: a function answers, the log came along, and doing it again builds nothing"""
        self.assertEqual(self.farebox("new", "--runtime", "python3", "starter").returncode, 0)

        url = self.deploy("starter", "starter")

        self.assertEqual(url, f"http://{farebox.ROOT_DOMAIN}/function/starter.{farebox.FUNCTIONS}")
        answer = self.farebox("invoke", "starter", folder="starter")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("Hello from", answer.stdout)
        before = farebox.get("function", "starter")
        self.assertIn("@sha256:", before["spec"]["image"])
        again = self.farebox("up", folder="starter")
        self.assertEqual(again.returncode, 0, again.stderr)
        after = farebox.get("function", "starter")
        self.assertEqual(after["metadata"]["generation"], before["metadata"]["generation"])

    @unittest.skipUnless("FAREBOX_E2E_LONG" in os.environ, "installs a web framework twice: set FAREBOX_E2E_LONG")
    def test_2_folders_of_faaso_answer_unchanged(self) -> None:
        """Folders with a funko.yml are deployed as they are, and answer at /funko/<name>/"""
        for name in ("quotes", "dice"):
            with self.subTest(name=name):
                shutil.copytree(EXAMPLES / "funko" / name, self.folder / name)

                self.deploy(name, name)

                status, _, body = farebox.call(f"/funko/{name}/")
                self.assertEqual(status, 200, body)

    def test_3_what_a_repository_deploys_is_left_alone(self) -> None:
        """A Function that a Repository deploys is refused before anything is built, with exit code 4"""
        farebox.apply({
            "apiVersion": "farebox.dev/v1alpha1", "kind": "Function",
            "metadata": {"name": "pushed", "namespace": farebox.FUNCTIONS},
            "spec": {"image": "example.com/none:1", "suspend": True, "source": {"repository": "shop"}}})
        self.addCleanup(farebox.kubectl, "delete", "function", "pushed", "-n", farebox.FUNCTIONS, "--wait=false")
        self.assertEqual(self.farebox("new", "-r", "bash", "pushed").returncode, 0)

        done = self.farebox("up", folder="pushed")

        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("shop", done.stderr)

    def test_4_a_dockerfile_that_fails_says_why(self) -> None:
        """A build that fails ends with exit code 1, the log and the reason; nothing is deployed"""
        self.assertEqual(self.farebox("new", "-r", "dockerfile", "failing").returncode, 0)
        (self.folder / "failing/failing/Dockerfile").write_text("FROM python:3-slim\nRUN echo so-it-goes && false\n")

        done = self.farebox("up", folder="failing")

        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("so-it-goes", done.stderr)
        self.assertEqual(farebox.kubectl("get", "functions", "-n", farebox.FUNCTIONS, "-o", "name").count("/failing"), 0)

    @unittest.skipUnless("FAREBOX_E2E_LONG" in os.environ and shutil.which("buildah"),
                         "builds an image on this machine: set FAREBOX_E2E_LONG, apt-get install buildah")
    def test_5_an_export_builds_and_runs_without_farebox(self) -> None:
        """An exported folder is built by buildah, which knows nothing of Farebox, and its container answers"""
        mirror = self.folder / "registries.conf"
        mirror.write_text(
            'unqualified-search-registries = ["docker.io"]\n[[registry]]\nlocation = "docker.io"\n'
            f'[[registry.mirror]]\nlocation = "{os.environ["FAREBOX_MIRROR"]}"\ninsecure = true\n')
        self.assertEqual(self.farebox("export", str(EXAMPLES / "funko/quotes"), "exported").returncode, 0)

        # In network and processes of its own: the port is free there, and everything ends with it.
        script = f"""
            set -eu
            buildah="buildah --storage-driver vfs --root {self.folder}/store --runroot {self.folder}/run"
            $buildah build --isolation chroot --network host --tag quotes {self.folder}/exported >&2
            container=$($buildah from localhost/quotes)
            run="ip link set lo up; $buildah run --isolation chroot --network host $container -- sh run.sh >&2 &
                curl -fsS --retry 60 --retry-connrefused --retry-delay 1 --max-time 90 http://127.0.0.1:3000/ping"
            unshare --net --pid --fork --kill-child --mount-proc sh -c "$run"
        """
        built = subprocess.run(
            ["sh", "-c", script], env={**os.environ, "CONTAINERS_REGISTRIES_CONF": str(mirror)}, text=True,
            capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=farebox.PATIENCE_SECONDS)

        self.assertEqual((built.returncode, built.stdout), (0, "OK\n"), built.stderr[-4000:])
