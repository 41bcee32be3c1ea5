"""Makes container images from root file systems, without a builder.

    image.py layer FOLDER LAYER                      a root file system to a compressed layer, and LAYER.json about it
    image.py store LAYER STORAGE CONFIG NAME:TAG…    into a registry's storage folder (the layout of docker-registry 2)
    image.py archive LAYER FILE CONFIG NAME          to an archive that `ctr images import` takes (OCI layout)

CONFIG is the image's configuration as JSON: {"Cmd": ["bash"], "Env": […], "User": "1000:1000", …}. One layer each.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, BinaryIO

LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CHUNK_BYTES = 1 << 20
# The same files give the same layer, so the date of the build is not in it.
EPOCH = "1970-01-01T00:00:00Z"


class HashingWriter(io.RawIOBase):
    """Passes bytes on, and knows their digest and number."""

    def __init__(self, target: BinaryIO | io.BufferedIOBase) -> None:
        self.target = target
        self.sha256 = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        """Tells that this takes bytes."""
        return True

    def write(self, data: Any) -> int:
        """Takes bytes."""
        self.sha256.update(data)
        self.size += len(data)
        self.target.write(data)
        return len(data)

    def digest(self) -> str:
        """Returns the digest of all bytes so far."""
        return f"sha256:{self.sha256.hexdigest()}"


def make_layer(folder: str, layer: str) -> None:
    """Packs a folder; file capabilities are kept."""
    capabilities = ["--xattrs", "--xattrs-include=security.capability"]
    command = ["tar", "-C", folder, "--numeric-owner", "--sort=name", *capabilities, "-cf", "-", "."]
    with open(layer, "wb") as file, subprocess.Popen(command, stdout=subprocess.PIPE) as tar:
        packed = HashingWriter(file)
        with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=4, filename="", mtime=0) as zipped:
            plain = HashingWriter(zipped)
            assert tar.stdout is not None
            shutil.copyfileobj(tar.stdout, plain, CHUNK_BYTES)
    if tar.returncode != 0:
        sys.exit(f"tar of {folder} failed with {tar.returncode}")
    description = {"diff_id": plain.digest(), "digest": packed.digest(), "size": packed.size}
    Path(f"{layer}.json").write_text(json.dumps(description), encoding="utf-8")


def descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    """Describes a blob."""
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}", "size": len(blob)}


def documents(layer: str, configuration: str) -> tuple[bytes, bytes]:
    """Returns an image's configuration and manifest."""
    about = json.loads(Path(f"{layer}.json").read_text(encoding="utf-8"))
    config = {
        "created": EPOCH,
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
        "os": "linux",
        "config": json.loads(configuration),
        "rootfs": {"type": "layers", "diff_ids": [about["diff_id"]]},
        "history": [{"created": EPOCH, "created_by": "farebox hack/cluster"}],
    }
    config_bytes = json.dumps(config).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(CONFIG_TYPE, config_bytes),
        "layers": [{"mediaType": LAYER_TYPE, "digest": about["digest"], "size": about["size"]}],
    }
    return config_bytes, json.dumps(manifest).encode()


def write(path: Path, data: bytes) -> None:
    """Writes a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def store(layer: str, storage: str, configuration: str, names: list[str]) -> None:
    """Writes what a registry would have written for a push."""
    root = Path(storage, "docker/registry/v2")
    config, manifest = documents(layer, configuration)
    layer_digest = json.loads(Path(f"{layer}.json").read_text(encoding="utf-8"))["digest"]
    digests = {}
    for kind, blob in (("config", config), ("manifest", manifest)):
        digests[kind] = descriptor("", blob)["digest"]
        write(blob_path(root, digests[kind]), blob)
    data = blob_path(root, layer_digest)
    if not data.exists():
        data.parent.mkdir(parents=True, exist_ok=True)
        os.link(layer, data)
    for name in names:
        repository, tag = name.rsplit(":", 1)
        folder = root / "repositories" / repository
        for digest in (layer_digest, digests["config"]):
            write(folder / "_layers" / path_of(digest) / "link", digest.encode())
        digest = digests["manifest"]
        manifests = folder / "_manifests"
        for place in (f"revisions/{path_of(digest)}", f"tags/{tag}/index/{path_of(digest)}", f"tags/{tag}/current"):
            write(manifests / place / "link", digest.encode())


def path_of(digest: str) -> str:
    """Turns sha256:HEX into sha256/HEX."""
    return digest.replace(":", "/")


def blob_path(root: Path, digest: str) -> Path:
    """Returns where a registry keeps a blob."""
    algorithm, value = digest.split(":")
    return root / "blobs" / algorithm / value[:2] / value / "data"


def archive(layer: str, file: str, configuration: str, name: str) -> None:
    """Writes an OCI layout as a tar."""
    config, manifest = documents(layer, configuration)
    index = {
        "schemaVersion": 2,
        "manifests": [
            {**descriptor(MANIFEST_TYPE, manifest), "annotations": {"io.containerd.image.name": name}},
        ],
    }
    blobs = {f"blobs/{path_of(descriptor('', blob)['digest'])}": blob for blob in (config, manifest)}
    blobs["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    blobs["index.json"] = json.dumps(index).encode()
    with tarfile.open(file, "w") as tar:
        for path, blob in blobs.items():
            member = tarfile.TarInfo(path)
            member.size = len(blob)
            tar.addfile(member, io.BytesIO(blob))
        digest = json.loads(Path(f"{layer}.json").read_text(encoding="utf-8"))["digest"]
        tar.add(layer, f"blobs/{path_of(digest)}")


def main() -> None:
    """Does what the arguments say."""
    match sys.argv[1:]:
        case ["layer", folder, layer]:
            make_layer(folder, layer)
        case ["store", layer, storage, configuration, *names] if names:
            store(layer, storage, configuration, names)
        case ["archive", layer, file, configuration, name]:
            archive(layer, file, configuration, name)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
