"""Reads and writes objects of the API server over a connection that is kept.

kubectl costs a tenth of a second of CPU for each answer, and the tests ask several times a second for minutes.
"""

import base64
import contextlib
import functools
import http.client
import json
import pathlib
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse
from typing import Any

# Where a kind is looked for, in this order.
GROUPS = ["api/v1", "apis/farebox.dev/v1alpha1", "apis/apps/v1", "apis/batch/v1", "apis/networking.k8s.io/v1",
          "apis/coordination.k8s.io/v1", "apis/node.k8s.io/v1", "apis/bitnami.com/v1alpha1"]
_kept = threading.local()


@functools.cache
def _server() -> tuple[str, ssl.SSLContext]:
    """The server's host:port, and how it and we are known to each other, from the current context of KUBECONFIG."""
    view = json.loads(subprocess.run(["kubectl", "config", "view", "--raw", "--flatten", "--minify", "-o", "json"],
                                     capture_output=True, check=True).stdout)
    cluster, user = view["clusters"][0]["cluster"], view["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.TemporaryDirectory(prefix="farebox-test-") as folder:
        pair = []
        for name in ("client-certificate-data", "client-key-data"):
            path = pathlib.Path(folder) / name
            path.write_bytes(base64.b64decode(user[name]))
            pair.append(path)
        context.load_cert_chain(*pair)
    return urllib.parse.urlsplit(cluster["server"]).netloc, context


def read(path: str) -> dict[str, Any]:
    """Returns what the API server answers to GET; anything but 200 is an AssertionError with its words."""
    return _ask("GET", path, None)


def write(method: str, path: str, document: dict[str, Any]) -> dict[str, Any]:
    """Returns what the API server answers to a write; anything but 200 and 201 is an AssertionError with its words."""
    return _ask(method, path, document)


def seconds_to_answer(path: str) -> float:
    """Returns how long the API server takes from a GET to the beginning of its answer, on a connection of its own."""
    host, context = _server()
    with contextlib.closing(http.client.HTTPSConnection(host, context=context, timeout=600)) as connection:
        connection.connect()
        begun = time.monotonic()
        connection.request("GET", "/" + path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        seconds = time.monotonic() - begun
        answer.read()
    if answer.status != 200:
        raise AssertionError(f"GET /{path}: {answer.status}")
    return seconds


def _ask(method: str, path: str, document: dict[str, Any] | None) -> dict[str, Any]:
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    content = None if document is None else json.dumps(document)
    for attempt in range(2):
        connection = getattr(_kept, "connection", None)
        if connection is None:
            host, context = _server()
            connection = _kept.connection = http.client.HTTPSConnection(host, context=context, timeout=600)
        try:
            connection.request(method, "/" + path, content, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            _kept.connection = None
            if attempt or method == "POST":  # which is not harmless twice
                raise
            continue  # it was closed while it was kept
        if answer.status not in (200, 201):
            raise AssertionError(f"{method} /{path}: {answer.status} {body.decode(errors='replace')[:500]}")
        return json.loads(body)
    raise AssertionError("unreachable")


@functools.cache
def _collection(kind: str) -> tuple[str, str, bool]:
    """The group's path, the plural and whether objects lie in namespaces, of a kind by any of its names."""
    for group in GROUPS:
        try:
            resources = read(group)["resources"]
        except AssertionError:
            continue  # the cluster has no such group, or not yet
        for one in resources:
            if kind in (one["name"], one["singularName"], one["kind"].lower(), *one.get("shortNames", [])):
                return group, one["name"], one["namespaced"]
    raise AssertionError(f"no kind '{kind}' in {', '.join(GROUPS)}")


def path(kind: str, namespace: str, name: str = "", selector: str = "") -> str:
    group, plural, is_namespaced = _collection(kind)
    folder = f"{group}/namespaces/{namespace}/{plural}" if is_namespaced else f"{group}/{plural}"
    query = f"?labelSelector={urllib.parse.quote(selector)}" if selector else ""
    return folder + (f"/{name}" if name else "") + query
