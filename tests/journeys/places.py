"""A web server with a store of its own, and what that store holds."""

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from tests.factories.holdings import Holdings, SweptStore
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.journeys.conftest import Web, running_web

METRICS_TOKEN = "m" * 40


@dataclass(frozen=True)
class Place:
    """The server, its store, and how many files or uploads in parts are on their way to it."""

    web: Web
    store: SweptStore
    count_temporary: Callable[[], int]

    def holdings(self) -> Holdings:
        return Holdings.of(self.store, self.count_temporary)

    def uploads_ended(self) -> float:
        """How many requests to upload have come to an end, whatever it was."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.web.url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            lines = answer.read().decode().splitlines()
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith("strongroom_uploads_total{")
        )


@contextmanager
def in_directory(root: Path) -> Iterator[Place]:
    """Its bytes are below this folder."""
    incoming = root / "incoming"
    with running_web(
        STRONGROOM_BLOB_DIRECTORY=str(root), STRONGROOM_METRICS_TOKEN=METRICS_TOKEN
    ) as web:
        yield Place(web, DirectoryBlobStore(root), lambda: len(list(incoming.glob("*"))))


@contextmanager
def in_bucket(server: S3Server, *, endpoint: str = "", most_archives: int = 4) -> Iterator[Place]:
    """Its bytes are in a new bucket of this server, which it may reach at another endpoint."""
    name = server.new_bucket(f"place-{uuid4()}")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patched.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        near = Bucket(S3Settings(name, server.endpoint, uses_path_style=True))
        with running_web(
            STRONGROOM_BLOB_DIRECTORY="",
            STRONGROOM_METRICS_TOKEN=METRICS_TOKEN,
            STRONGROOM_S3_BUCKET=name,
            STRONGROOM_S3_ENDPOINT=endpoint or server.endpoint,
            STRONGROOM_S3_PATH_STYLE="true",
            STRONGROOM_S3_PART_BYTES=str(SMALLEST_PART),
            STRONGROOM_MAX_OPEN_ARCHIVES=str(most_archives),
        ) as web:
            store = S3BlobStore(near, part_bytes=SMALLEST_PART)
            yield Place(web, store, lambda: len(list(near.uploads())))
