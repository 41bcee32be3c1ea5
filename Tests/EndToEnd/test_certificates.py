"""Certificates that the gateway shows: Secrets of one namespace, as they come, break, are renewed and go."""

import base64
import pathlib
import socket
import ssl
import subprocess
import tempfile
import unittest

import platform_under_test as farebox

SECONDS = 10
NAMESPACE = "farebox-certificates"
SECRET = "of-the-tests"
HOST = "shop.certificates.test"


class Pair:
    """A certificate for a name, signed by itself, and its key."""

    def __init__(self, name: str) -> None:
        with tempfile.TemporaryDirectory(prefix="certificate-") as folder:
            certificate, key = pathlib.Path(folder) / "tls.crt", pathlib.Path(folder) / "tls.key"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=tests", "-addext", "subjectAltName=DNS:" + name],
                check=True, capture_output=True, timeout=farebox.PATIENCE_SECONDS)
            self.certificate, self.key = certificate.read_bytes(), key.read_bytes()

    @property
    def binary(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(self.certificate.decode())

    def put(self) -> None:
        """Makes it what the tests' Secret holds."""
        farebox.apply({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": SECRET, "namespace": NAMESPACE},
            "data": {"tls.crt": base64.b64encode(self.certificate).decode(), "tls.key": base64.b64encode(self.key).decode()}})


def shown(name: str) -> bytes | None:
    """The certificate that the gateway shows to a caller who asks for a name; nothing where it has none at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((farebox.cluster_address("farebox-gateway"), 443), timeout=farebox.PATIENCE_SECONDS) as connection, \
                context.wrap_socket(connection, server_hostname=name) as secure:
            return secure.getpeercert(binary_form=True)
    except (ssl.SSLError, ConnectionError):
        return None


class Certificates(unittest.TestCase):
    """One Secret's life, as callers see it."""

    def test_lifecycle(self) -> None:
        """A certificate is shown as soon as it is applied, kept when it breaks, renewed, and gone with its Secret"""
        remove = ("delete", "secret", SECRET, "-n", NAMESPACE, "--ignore-not-found")
        self.addCleanup(farebox.kubectl, *remove, check=False)
        first, second = Pair(HOST), Pair("*.certificates.test")
        first.put()
        farebox.wait_until("the certificate is shown", lambda: shown(HOST) == first.binary)
        farebox.kubectl("patch", "secret", SECRET, "-n", NAMESPACE, "-p", '{"data": {"tls.key": "bm9uc2Vuc2U="}}')
        uid = farebox.get("secret", SECRET, NAMESPACE)["metadata"]["uid"]
        farebox.wait_until("an event says what is wrong", lambda: [
            event for event in farebox.items("event", NAMESPACE)
            if event["involvedObject"].get("uid") == uid
            and event["reason"] == "CertificateRefused" and "the one before it stays" in event["message"]])
        self.assertEqual(shown(HOST), first.binary)
        second.put()
        farebox.wait_until("the new one is shown", lambda: shown(HOST) == second.binary)
        self.assertEqual(shown("www.certificates.test"), second.binary)
        farebox.kubectl(*remove)
        farebox.wait_until("it is gone", lambda: shown(HOST) != second.binary)

    def test_rights(self) -> None:
        """The gateway may read the Secrets of that namespace, and of no other"""
        account = "--as=system:serviceaccount:farebox-system:farebox-gateway"
        for namespace, answer in ((NAMESPACE, "yes"), (farebox.SYSTEM, "no"), (farebox.FUNCTIONS, "no"), ("farebox-builds", "no")):
            said = farebox.kubectl("auth", "can-i", "list", "secrets", account, "-n", namespace, check=False)
            self.assertEqual(said.strip().splitlines()[-1], answer, namespace)


if __name__ == "__main__":
    unittest.main()
