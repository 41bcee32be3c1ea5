"""Optional parts of manifests/components, installed for a test: with an image of their own Dockerfile, and on no volume.

No volume can be claimed on the trial's node, and it pulls from its own registry alone.
"""

import json
import os
import pathlib
import tempfile
import unittest

import platform_under_test as farebox
from test_builder_api import Answer, request_tar

COMPONENTS = farebox.REPOSITORY_ROOT / "manifests/components"


def install(test: unittest.TestCase, folder: str, name: str, volume: str) -> None:
    """Builds and installs the part in `folder`, waits until it runs, and takes it away after the test.

    `name` is what its image is called in the manifests, and `farebox-<name>` its Deployment; `volume` is the one that is a claim
    there.
    """
    image = f"{os.environ['FAREBOX_REGISTRY']}/farebox/{name}"
    dockerfile = (COMPONENTS / folder / "Dockerfile").read_bytes()
    made = Answer("POST", "/build", request_tar(image + ":1", {"Dockerfile": dockerfile})).objects[-1]
    test.assertEqual(made["status"], "success", made)
    patch = {"apiVersion": "apps/v1", "kind": "Deployment",
             "metadata": {"name": f"farebox-{name}", "namespace": farebox.SYSTEM},
             "spec": {"template": {"spec": {"volumes": [
                 {"name": volume, "persistentVolumeClaim": None, "emptyDir": {"sizeLimit": "4Gi"}}]}}}}
    with tempfile.TemporaryDirectory(prefix="overlay-") as overlay:
        (pathlib.Path(overlay) / "no-volume.yaml").write_text(json.dumps(patch))
        (pathlib.Path(overlay) / "kustomization.yaml").write_text(json.dumps({
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "bases": [os.path.relpath(COMPONENTS / folder, overlay)],  # they must be named by relative paths
            "images": [{"name": name, "newName": image, "digest": made["digest"]}],
            "patchesStrategicMerge": ["no-volume.yaml"]}))
        manifest = farebox.kubectl("kustomize", overlay)
    test.addCleanup(farebox.kubectl, "delete", "--wait=false", "--ignore-not-found", "-f", "-", text=manifest)
    farebox.kubectl("apply", "-f", "-", text=manifest)
    farebox.kubectl("rollout", "status", f"deployment/farebox-{name}", "-n", farebox.SYSTEM, farebox.PATIENTLY)
