"""Every kind of store that bytes can be kept in, empty."""

from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

import pytest

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.ports import Arrivals, BlobStore, Inventory
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server

KINDS: Final = ("directory", "s3", "s3-versioned")


class Store(BlobStore, Inventory, Arrivals, Protocol):
    """What every adapter is."""


def store_of(
    kind: str, request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """A store of this kind; a bucket's is on the server of the session."""
    if kind == "directory":
        return DirectoryBlobStore(folder)
    server: S3Server = request.getfixturevalue("s3_server")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    name = server.new_bucket(f"blobs-{uuid4()}", is_versioned=kind == "s3-versioned")
    bucket = Bucket(S3Settings(name, server.endpoint, uses_path_style=True))
    return S3BlobStore(bucket, part_bytes=SMALLEST_PART)


def read(store: BlobStore, key: str, size_bytes: int) -> bytes:
    """All bytes under the key."""
    with store.open(key, size_bytes=size_bytes) as reader:
        return b"".join(reader.chunks(0, size_bytes))
