"""What repositories say of their functions: a whole stack file, a folder with a funko.yml, and sealed Secrets."""

import json
import unittest

import platform_under_test as farebox

SECONDS = 100
HANDLER = """import http.server, json, os, pathlib

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        files = {str(p): p.read_text() for f in ("/srv", "/secrets") for p in pathlib.Path(f).rglob("*") if p.is_file()}
        body = json.dumps({"path": self.path, "environment": dict(os.environ), "files": files}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("", int(os.environ.get("LISTEN", 8080))), Handler).serve_forever()
"""
DOCKERFILE = 'FROM python:3-slim\nCOPY . /srv/\nUSER 12000\nCMD ["python3", "/srv/handler.py"]\n'
STACK = """
version: 1.0
provider: {name: openfaas}
functions:
  whole:
    lang: Dockerfile
    handler: ./whole
    image: ${FAREBOX_OWNER,,}/whole:${TAG:-1.0}
    fprocess: python3 handler.py
    environment: {PLACE: inline, COMMIT: "${FAREBOX_COMMIT:0:7}", HOME_OF: "${HOME}", PRICE: "5$ $${x}"}
    environment_file: [env/common.yml]
    labels: {com.openfaas.scale.max: "3", role: openfaas-system}
    limits: {memory: 64Mi}
configuration:
  copy: [shared]
"""
FUNKO = "name: Funny\nenvironment: {LISTEN: 3000}\nsecrets: [key]\n"
SEALED = """
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: erin-key, namespace: kube-system, annotations: {sealedsecrets.bitnami.com/cluster-wide: "true"}}
spec:
  encryptedData: {value: QUJD}
  template: {type: Opaque, metadata: {labels: {role: admin}}}
"""
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "sealedsecrets.bitnami.com"},
    "spec": {"group": "bitnami.com", "scope": "Namespaced",
             "names": {"kind": "SealedSecret", "plural": "sealedsecrets", "singular": "sealedsecret"},
             "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                 "type": "object", "properties": {
                     "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}}}]}}


class Stack(unittest.TestCase):
    """One repository with everything a stack may have; the test plays the Sealed Secrets controller."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = farebox.GitHost()
        cls.tree = cls.host.create("Erin", "all")
        for path, text in {
            "stack.yml": STACK, "env/common.yml": "environment: {PLACE: file, MORE: 1.10}\n", "shared/note": "shared\n",
            "whole/Dockerfile": DOCKERFILE, "whole/handler.py": HANDLER, "deep/er/funko.yml": FUNKO,
            "deep/er/Dockerfile": DOCKERFILE, "deep/er/handler.py": HANDLER, "secrets.yml": SEALED,
        }.items():
            cls.tree.write(path, text)
        cls.commit = cls.tree.commit("Everything")
        cls.tree.push()
        farebox.apply(farebox.repository("all", cls.tree.url, interval="1h", build={"args": {"TAG": "2.0"}}))
        farebox.wait_until("the function without a secret runs", lambda: farebox.is_ready("function", "erin-whole"))

    @classmethod
    def tearDownClass(cls) -> None:
        farebox.kubectl("delete", "repository", "all", "-n", farebox.FUNCTIONS, "--ignore-not-found")
        farebox.kubectl("delete", "crd", "sealedsecrets.bitnami.com", "--ignore-not-found")
        farebox.kubectl("delete", "secret", "erin-key", "-n", farebox.FUNCTIONS, "--ignore-not-found")
        cls.host.close()

    def test_1_a_stack_file_is_read_as_faas_cli_reads_it(self) -> None:
        """Variables, environment files, fprocess and the scale of a stack file reach the function"""
        function = farebox.get("function", "erin-whole")["spec"]
        answer = json.loads(farebox.call("/whole", f"erin.{farebox.ROOT_DOMAIN}")[2])

        environment = answer["environment"]
        self.assertEqual((environment["PLACE"], environment["MORE"]), ("file", "1.10"))
        self.assertEqual(environment["COMMIT"], self.commit[:7])
        self.assertEqual((environment["HOME_OF"], environment["PRICE"]), ("", "5$ ${x}"))
        self.assertEqual(environment["fprocess"], "python3 handler.py")
        self.assertEqual(answer["files"]["/srv/shared/note"], "shared\n")
        self.assertIn("all-whole", function["image"])
        self.assertEqual(function["scale"]["max"], 3)
        self.assertNotIn("role", function.get("labels", {}))

    def test_2_a_function_waits_for_its_sealed_secret(self) -> None:
        """Without Sealed Secrets the Repository says so; with them the Secret is applied, and the function starts"""
        told = farebox.wait_until("the missing kind is named", lambda: farebox.condition(
            farebox.get("repository", "all"), "SecretsApplied")["reason"] == "SealedSecretsUnavailable" or None)
        farebox.apply(DEFINITION)
        sealed = farebox.wait_until(
            "the SealedSecret is there", lambda: farebox.get("sealedsecret", "erin-key"))
        # It is told from when the function is built.
        farebox.wait_until("the function waits for it", lambda: farebox.condition(
            farebox.get("function", "erin-funny"), "Ready")["reason"] == "SecretMissing")
        farebox.apply({"apiVersion": "v1", "kind": "Secret", "stringData": {"value": "opened"},
                       "metadata": {"name": "erin-key", "namespace": farebox.FUNCTIONS,
                                    "annotations": sealed["spec"]["template"]["metadata"]["annotations"]}})

        farebox.wait_until("everything runs", lambda: farebox.deployed("all", self.commit))

        self.assertTrue(told)
        self.assertEqual(list(sealed["metadata"]["annotations"]), ["farebox.dev/owner"])
        self.assertEqual(sealed["metadata"]["annotations"]["farebox.dev/owner"].lower(), "erin")
        self.assertEqual(sealed["spec"]["encryptedData"], {"value": "QUJD"})
        self.assertNotIn("role", sealed["spec"]["template"]["metadata"]["labels"])
        self.assertEqual(farebox.kubectl("get", "sealedsecrets", "-n", "kube-system", "-o", "name"), "")

    def test_3_a_folder_with_a_funko_is_a_function(self) -> None:
        """A folder with a funko.yml is a function on port 3000 whose secrets are in /secrets"""
        spec = farebox.get("function", "erin-funny")["spec"]
        answer = json.loads(farebox.call("/funny", f"erin.{farebox.ROOT_DOMAIN}")[2])

        self.assertEqual((spec["port"], spec["health"]["path"]), (3000, "/ping"))
        self.assertEqual(answer["files"]["/secrets/value"], "opened")

    def test_4_a_name_in_two_places_is_refused_with_both(self) -> None:
        """A name that the stack file and a folder both have is refused, naming both, and what runs stays"""
        self.tree.write("other/funko.yml", "name: WHOLE\n")
        commit = self.tree.commit("Once more")
        self.tree.push()

        ready = farebox.wait_until("the push is refused", lambda: (
            farebox.get("repository", "all")["status"].get("observedCommit") == commit
            and farebox.condition(farebox.get("repository", "all"), "Stalled")["status"] == "True"
            and farebox.condition(farebox.get("repository", "all"), "Ready")))

        self.assertEqual(ready["reason"], "StackInvalid")
        self.assertIn("stack.yml and in other/funko.yml", ready["message"])
        self.assertEqual(farebox.call("/whole", f"erin.{farebox.ROOT_DOMAIN}")[0], 200)


if __name__ == "__main__":
    unittest.main()
