"""A bucket of its own, or a CI platform's API, for each test that asks for it."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from tests.factories.platform_doubles import PlatformDouble, running_platform
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.factories.stores import Store
from tests.fakes.blob_store import MemoryBlobStore


@pytest.fixture
def bucket(
    request: pytest.FixtureRequest, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> Bucket:
    """A new bucket; versioned where the test asks for that."""
    is_versioned = getattr(request, "param", False) is True
    return _new_bucket(s3_server, monkeypatch, is_versioned=is_versioned)


@pytest.fixture
def versioned_bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A new bucket that keeps old versions."""
    return _new_bucket(s3_server, monkeypatch, is_versioned=True)


def _new_bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch, *, is_versioned: bool) -> Bucket:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    name = server.new_bucket(f"blobs-{uuid4()}", is_versioned=is_versioned)
    return Bucket(S3Settings(name, server.endpoint, uses_path_style=True))


@pytest.fixture
def platform() -> Iterator[PlatformDouble]:
    with running_platform() as double:
        yield double


@pytest.fixture(params=["memory", "directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    match request.param:
        case "memory":
            return MemoryBlobStore()
        case "directory":
            return DirectoryBlobStore(tmp_path)
        case _:
            return S3BlobStore(request.getfixturevalue("bucket"), part_bytes=SMALLEST_PART)
