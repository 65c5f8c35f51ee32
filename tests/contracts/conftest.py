"""A bucket of its own, or a CI platform's API, for each test that asks for it."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from tests.contracts import promises
from tests.factories.platform_doubles import PlatformDouble, running_platform
from tests.factories.s3_server import ACCESS_KEY, S3_SERVERS, SECRET_KEY, S3Server
from tests.factories.stores import Store
from tests.fakes.blob_store import MemoryBlobStore


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Each test's outcome goes into the table of adapters and promises."""
    report = yield
    if call.when == "call" and not report.skipped:
        promises.note(item, is_kept=report.passed)
    return report


@pytest.fixture(scope="session", autouse=True)
def table() -> Iterator[None]:
    """When all have run, the table is compared."""
    yield
    promises.settle()


FIXTURES: Final = {"versitygw": "s3_server", "minio": "minio_server"}


@pytest.fixture(params=S3_SERVERS)
def server(request: pytest.FixtureRequest) -> S3Server:
    """Each S3 server that there is."""
    return server_named(request, request.param)


def server_named(request: pytest.FixtureRequest, name: str) -> S3Server:
    """A running server by its name."""
    found: S3Server = request.getfixturevalue(FIXTURES[name])
    return found


@pytest.fixture
def bucket(
    request: pytest.FixtureRequest, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> Bucket:
    """A new bucket; versioned where the test asks for that."""
    is_versioned = getattr(request, "param", False) is True
    return new_bucket(server, monkeypatch, is_versioned=is_versioned)


@pytest.fixture
def versioned_bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A new bucket that keeps old versions."""
    return new_bucket(server, monkeypatch, is_versioned=True)


@pytest.fixture
def locked_bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A new bucket with object lock."""
    return new_bucket(server, monkeypatch, is_versioned=True, has_object_lock=True)


def new_bucket(
    server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_versioned: bool,
    has_object_lock: bool = False,
) -> Bucket:
    """A bucket on this server, with the credentials to use it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    name = server.new_bucket(
        f"blobs-{uuid4()}", is_versioned=is_versioned, has_object_lock=has_object_lock
    )
    return Bucket(S3Settings(name, server.endpoint, uses_path_style=True))


@pytest.fixture
def platform() -> Iterator[PlatformDouble]:
    with running_platform() as double:
        yield double


@pytest.fixture(params=["memory", "directory", *S3_SERVERS])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    match request.param:
        case "memory":
            return MemoryBlobStore()
        case "directory":
            return DirectoryBlobStore(tmp_path)
        case name:
            bucket = new_bucket(server_named(request, name), monkeypatch, is_versioned=False)
            return S3BlobStore(bucket, part_bytes=SMALLEST_PART)
