#!/usr/bin/env python3
"""Keeps an image of a registry in a folder, and gives it back to another registry: no second build of the same image.

    kept_image.py save REGISTRY/REPOSITORY:TAG FOLDER     FOLDER is made, whole or not at all
    kept_image.py load REGISTRY/REPOSITORY:TAG FOLDER     prints the digest, which is the one it had

The registry speaks plain http (the trial cluster's does); USER:PASSWORD is read from standard input. The protocol is the OCI
Distribution Specification, "Pulling manifests", "Pushing blobs".
"""

import base64
import hashlib
import http.client
import json
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

MANIFEST_TYPES = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
SECONDS = 60
CHUNK_BYTES = 1 << 20


class Registry:
    """One repository of a registry."""

    def __init__(self, image: str, credentials: str) -> None:
        self.host, _, rest = image.partition("/")
        self.repository, _, self.tag = rest.rpartition(":")
        self.authorization = "Basic " + base64.b64encode(credentials.strip().encode()).decode()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> http.client.HTTPResponse:
        """Sends one request; ends the program when the answer is an error other than 404."""
        connection = http.client.HTTPConnection(self.host, timeout=SECONDS)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers={"Authorization": self.authorization} | names)
        response = connection.getresponse()
        if response.status >= 400 and response.status != 404:
            sys.exit(f"{method} http://{self.host}{path}: {response.status} {response.read(500).decode(errors='replace')}")
        return response

    def path(self, rest: str) -> str:
        """Returns a path of the repository."""
        return f"/v2/{self.repository}/{rest}"

    def manifest(self) -> tuple[str, bytes]:
        """Returns the manifest's media type and bytes."""
        response = self.ask("GET", self.path(f"manifests/{self.tag}"), Accept=", ".join(MANIFEST_TYPES))
        if response.status == 404:
            sys.exit(f"http://{self.host} has no {self.repository}:{self.tag}")
        return response.headers["Content-Type"], response.read()

    def fetch(self, digest: str, file: Path) -> None:
        """Reads a blob into a file."""
        response = self.ask("GET", self.path(f"blobs/{digest}"))
        with file.open("wb") as out:
            shutil.copyfileobj(response, out, CHUNK_BYTES)
        check(digest, file)

    def give(self, digest: str, file: Path) -> None:
        """Uploads a blob that the registry does not have."""
        if self.ask("HEAD", self.path(f"blobs/{digest}")).status == 200:
            return
        begun = urlsplit(self.ask("POST", self.path("blobs/uploads/"), Content_Length="0").headers["Location"])
        query = f"{begun.query}&digest={digest}".lstrip("&")
        with file.open("rb") as content:
            size = str(file.stat().st_size)
            self.ask("PUT", f"{begun.path}?{query}", content, Content_Type="application/octet-stream", Content_Length=size)


def check(digest: str, file: Path) -> None:
    """Ends the program when a file is not what its digest says."""
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != f"sha256:{found}":
        sys.exit(f"{file} has the digest sha256:{found}, not {digest}")


def blobs(manifest: bytes) -> list[str]:
    """Returns the digests that a manifest names."""
    document = json.loads(manifest)
    return [blob["digest"] for blob in (document["config"], *document["layers"])]


def save(registry: Registry, folder: Path) -> None:
    """Keeps the image in a folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as making:
        image = Path(making) / "image"
        image.mkdir()
        media_type, manifest = registry.manifest()
        (image / "type").write_text(media_type)
        (image / "manifest").write_bytes(manifest)
        for digest in blobs(manifest):
            registry.fetch(digest, image / digest)
        image.rename(folder)


def load(registry: Registry, folder: Path) -> None:
    """Gives the kept image to the registry, and prints its digest."""
    manifest = (folder / "manifest").read_bytes()
    for digest in blobs(manifest):
        check(digest, folder / digest)
        registry.give(digest, folder / digest)
    media_type = (folder / "type").read_text()
    registry.ask("PUT", registry.path(f"manifests/{registry.tag}"), manifest, Content_Type=media_type)
    print(f"sha256:{hashlib.sha256(manifest).hexdigest()}")


def main() -> int:
    if len(sys.argv) != 4 or sys.argv[1] not in ("save", "load"):
        print(__doc__, file=sys.stderr)
        return 2
    action = {"save": save, "load": load}[sys.argv[1]]
    action(Registry(sys.argv[2], sys.stdin.read()), Path(sys.argv[3]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
