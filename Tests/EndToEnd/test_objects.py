"""The custom resources as an administrator meets them: columns, explain, wait, scale, refusals, reasons, recovery."""

import re
import unittest

import platform_under_test as farebox

# They share one probe function.
LANE = "probe"


class Objects(unittest.TestCase):
    """Functions applied by hand, from an image that is in the registry."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.image = farebox.Probe.deploy()

    def apply(self, name: str, image: str | None = None, **spec: object) -> None:
        farebox.apply(farebox.function(name, image or self.image, **spec))
        self.addCleanup(farebox.kubectl, "delete", "function", name, "-n", farebox.FUNCTIONS, "--ignore-not-found")

    def reason(self, name: str, wanted: str) -> dict:
        return farebox.wait_until(f"{name} says {wanted}", lambda: (lambda c: c if c["reason"] == wanted else None)(
            farebox.condition(farebox.get("function", name), "Ready")))

    def columns(self, *arguments: str) -> list[str]:
        return re.split(r"\s{2,}", farebox.kubectl("get", "-n", farebox.FUNCTIONS, *arguments).splitlines()[0].strip())

    def test_columns(self) -> None:
        """kubectl get shows the columns of the design"""
        self.assertEqual(self.columns("functions"), ["NAME", "READY", "URL", "REPLICAS", "COMMIT", "BALANCE", "AGE"])
        self.assertEqual(self.columns("repositories"),
                         ["NAME", "READY", "BRANCH", "COMMIT", "FUNCTIONS", "REASON", "AGE"])
        wide = self.columns("functions", "-o", "wide")
        self.assertTrue({"IMAGE", "RUNTIMECLASS", "REASON"} <= set(wide), wide)

    def test_explain(self) -> None:
        """kubectl explain teaches about a field"""
        text = farebox.kubectl("explain", "function.spec.scale")

        self.assertIn("DESCRIPTION", text)
        self.assertIn("min", text)

    def test_wait_and_scale(self) -> None:
        """kubectl wait and kubectl scale work"""
        self.apply("scaled")

        farebox.kubectl("wait", "--for=condition=Ready", "function/scaled", "-n", farebox.FUNCTIONS, farebox.PATIENTLY)
        farebox.kubectl("scale", "function/scaled", "--replicas=2", "-n", farebox.FUNCTIONS)
        farebox.wait_until("two replicas are available", lambda: farebox.get("function", "scaled")["status"].get(
            "availableReplicas") == 2)

    def test_invalid_objects_are_refused_by_name(self) -> None:
        """The API server refuses an invalid object and names the field"""
        for field, spec in [("spec.image", {"image": ""}), ("spec.scale.min", {"image": "x", "scale": {"min": -1}}),
                            ("spec.environment", {"image": "x", "environment": ["A"]})]:
            with self.subTest(field=field):
                thing = farebox.function("invalid", "x")
                thing["spec"] = spec
                answer = farebox.kubectl("apply", "-f", "-", text=farebox.json.dumps(thing), check=False)
                self.assertIn(field, answer)
                self.assertNotIn("created", answer)

    def test_a_missing_runtime_class_stalls_and_recovers(self) -> None:
        """A missing RuntimeClass stalls the Function, never runs it unsandboxed, and clears when the class appears"""
        self.apply("classless", runtimeClassName="not-there")
        stalled = self.reason("classless", "RuntimeClassMissing")
        self.assertIn("not-there", stalled["message"])
        self.assertEqual(farebox.items("pods", selector="farebox.dev/name=classless"), [])

        farebox.apply({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "not-there"},
                       "handler": "runc"})
        self.addCleanup(farebox.kubectl, "delete", "runtimeclass", "not-there")
        farebox.wait_until("it runs", lambda: farebox.is_ready("function", "classless"))

    def test_a_missing_secret_is_named_and_recovers(self) -> None:
        """A missing Secret is named, and the Function runs once it is there"""
        self.apply("secretive", secrets=["late"])
        self.assertIn("late", self.reason("secretive", "SecretMissing")["message"])

        farebox.kubectl("create", "secret", "generic", "late", "-n", farebox.FUNCTIONS, "--from-literal=late=value")
        self.addCleanup(farebox.kubectl, "delete", "secret", "late", "-n", farebox.FUNCTIONS)
        farebox.wait_until("it runs", lambda: farebox.is_ready("function", "secretive"))

    def test_a_bad_image_is_named_and_recovers(self) -> None:
        """An image that cannot be had is a named reason, and a good one afterwards runs"""
        self.apply("imageless", image=self.image.split("@")[0] + ":no-such-tag")
        farebox.wait_until("a reason about the image", lambda: "mage" in farebox.condition(
            farebox.get("function", "imageless"), "Ready")["reason"])

        self.apply("imageless")
        farebox.wait_until("it runs", lambda: farebox.is_ready("function", "imageless"))

    def test_drift_is_repaired_and_deletion_is_complete(self) -> None:
        """A child that somebody changed or deleted comes back, and deleting the Function deletes all of it"""
        self.apply("owner")
        farebox.wait_until("it runs", lambda: farebox.is_ready("function", "owner"))

        farebox.kubectl("delete", "networkpolicy", "-n", farebox.FUNCTIONS, "-l", "farebox.dev/name=owner")
        farebox.wait_until("the policy is back", lambda: farebox.items(
            "networkpolicies", selector="farebox.dev/name=owner"))
        farebox.kubectl("delete", "function", "owner", "-n", farebox.FUNCTIONS)
        farebox.wait_until("nothing is left", lambda: not [
            thing for kind in ("deployments", "services", "networkpolicies", "pods", "secrets")
            for thing in farebox.items(kind, selector="farebox.dev/name=owner")])
