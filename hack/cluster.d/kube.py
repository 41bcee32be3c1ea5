"""A mirror of some of the API server's objects, kept by watches: what the node's DNS and its policies are made from.

One list per kind at the start, then one watch each: a settled cluster costs no request.
"""

import http.client
import json
import ssl
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

Object = dict[str, Any]
Key = tuple[str, str]  # namespace, name

RETRY_SECONDS = 0.5
WATCH_SECONDS = 3600


def key(item: Object) -> Key:
    """Names an object within its kind."""
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


class Server:
    """Where the API is, and who asks."""

    def __init__(self, url: str, pki: str, identity: str) -> None:
        self.address = urlsplit(url)
        self.context = ssl.create_default_context(cafile=f"{pki}/ca.crt")
        self.context.load_cert_chain(f"{pki}/{identity}.crt", f"{pki}/{identity}.key")

    def get(self, path: str) -> http.client.HTTPResponse:
        """Asks for a path; anything but 200 is an error."""
        connection = http.client.HTTPSConnection(
            self.address.hostname or "", self.address.port, context=self.context, timeout=WATCH_SECONDS + 60
        )
        connection.request("GET", path, headers={"User-Agent": "farebox-cluster-network"})
        response = connection.getresponse()
        if response.status != 200:
            raise OSError(f"GET {path}: {response.status} {response.reason}")
        return response


class Mirror:
    """All objects of one kind, as the API server has them. `changed` is called, outside the lock, after each change."""

    def __init__(self, server: Server, path: str, changed: Callable[[], None]) -> None:
        self.server = server
        self.path = path
        self.changed = changed
        self.synced = threading.Event()
        self._lock = threading.Lock()
        self._items: dict[Key, Object] = {}
        threading.Thread(target=self._run, daemon=True).start()

    def items(self) -> list[Object]:
        """Returns what is known now."""
        with self._lock:
            return list(self._items.values())

    def has(self, name: Key) -> bool:
        """Tells whether an object is known."""
        with self._lock:
            return name in self._items

    def _run(self) -> None:
        while True:
            try:
                self._watch(self._list())
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                print(f"{self.path}: {error}; list again", file=sys.stderr, flush=True)
                time.sleep(RETRY_SECONDS)

    def _list(self) -> str:
        answer = json.load(self.server.get(self.path))
        with self._lock:
            self._items = {key(item): item for item in answer["items"]}
        self.synced.set()
        self.changed()
        return str(answer["metadata"]["resourceVersion"])

    def _watch(self, version: str) -> None:
        while True:
            query = f"?watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={WATCH_SECONDS}"
            for line in self.server.get(self.path + query):
                event = json.loads(line)
                item = event["object"]
                if event["type"] == "ERROR":
                    raise OSError(item.get("message", "the watch ended with an error"))
                version = item["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._apply(event["type"], item)

    def _apply(self, kind: str, item: Object) -> None:
        with self._lock:
            if kind == "DELETED":
                self._items.pop(key(item), None)
            else:
                self._items[key(item)] = item
        self.changed()
