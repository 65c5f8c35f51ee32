"""A CI job that vanishes in the middle of its upload, at each kind of byte …

Nothing of it is visible, nothing that it sent stays behind, and the same upload succeeds when the
job comes back. Only who vanishes after the file's last byte has uploaded it, and finds that then:
its length or its declared digest proves that all of it arrived, whatever should have followed.
"""

import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.models import Artifact, Build
from tests.environment import SCRATCH
from tests.factories.holdings import Holdings, sweep
from tests.factories.raw_client import RawUpload, chunked, with_length
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.factories.stores import Store
from tests.factories.tables import Table, new_table
from tests.journeys.conftest import Shop, Web, running_web

METRICS_TOKEN = "m" * 40
SMALL = bytes(range(256)) * 400
# Longer than a part: in a bucket an upload in parts has begun when half of it has arrived.
LARGE = bytes(range(256)) * (2 * SMALLEST_PART // 256 + 100)
LENGTH = ("in the headers", "no byte of the body", "one byte of the body", "half of the body")
ENDS = ("the last byte missing", "the answer unread")
# The file is whole, and proven to be: by its length, or by its digest.
PROVEN = {
    "Content-Length": ("the answer unread",),
    "chunked": ("no last chunk", "in the last chunk", *ENDS),
}
CHUNKS = (
    *("in the headers", "no byte of the body", "in a chunk's header", "one byte of the body"),
    *("in a chunk", "behind a chunk's data", "between chunks", "in the second chunk's header"),
    *("no last chunk", "in the last chunk"),
)
WAYS: dict[str, Callable[[str, str, bytes], RawUpload]] = {
    "Content-Length": with_length,
    "chunked": chunked,
}
CASES = [
    *(("Content-Length", "small", cut) for cut in (*LENGTH, *ENDS)),
    *(("Content-Length", "large", cut) for cut in ("half of the body", *ENDS)),
    *(("chunked", "small", cut) for cut in (*CHUNKS, *ENDS)),
    *(("chunked", "large", cut) for cut in ("no last chunk", *ENDS)),
]


@dataclass(frozen=True)
class Place:
    """A web server, and what its store holds."""

    web: Web
    store: Store
    count_temporary: Callable[[], int]

    def holdings(self) -> Holdings:
        return Holdings.of(self.store, self.count_temporary)

    def uploads_ended(self) -> float:
        """How many requests to upload have come to an end, whatever it was."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.web.url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith("strongroom_uploads_total{")
        )


@pytest.fixture(scope="module")
def directory(django_db_setup: None) -> Iterator[Place]:  # noqa: ARG001 - the tables are there
    root = SCRATCH / "vanished"
    with running_web(
        STRONGROOM_BLOB_DIRECTORY=str(root), STRONGROOM_METRICS_TOKEN=METRICS_TOKEN
    ) as web:
        yield Place(web, DirectoryBlobStore(root), lambda: len(list((root / "incoming").glob("*"))))


@pytest.fixture(scope="module")
def bucket(django_db_setup: None, s3_server: S3Server) -> Iterator[Place]:  # noqa: ARG001 - as above
    name = s3_server.new_bucket(f"vanished-{uuid4()}")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patched.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        near = Bucket(S3Settings(name, s3_server.endpoint, uses_path_style=True))
        with running_web(
            STRONGROOM_BLOB_DIRECTORY="",
            STRONGROOM_METRICS_TOKEN=METRICS_TOKEN,
            STRONGROOM_S3_BUCKET=name,
            STRONGROOM_S3_ENDPOINT=s3_server.endpoint,
            STRONGROOM_S3_PATH_STYLE="true",
            STRONGROOM_S3_PART_BYTES=str(SMALLEST_PART),
        ) as web:
            store = S3BlobStore(near, part_bytes=SMALLEST_PART)
            yield Place(web, store, lambda: len(list(near.uploads())))


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """One of the two, empty again at the end."""
    found: Place = request.getfixturevalue(request.param)
    yield found
    for one in found.store.page(after=""):
        found.store.remove(one.key)


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Table:
    return new_table(
        request.config,
        "A client that vanishes: one file, cut off once, and sent again",
        *("bytes in", "framing", "file", "cut", "connection", "visible then"),
        "stored, temporary then",
        *("sent again", "visible", "stored, temporary", "the same after the sweep"),
    )


@pytest.mark.slow
@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("place", ["directory", "bucket"], indirect=True)
@pytest.mark.parametrize(("framing", "size", "cut"), CASES, ids=["-".join(one) for one in CASES])
def test_leaves_nothing_half_visible(
    *,
    request: pytest.FixtureRequest,
    shop: Shop,
    place: Place,
    table: Table,
    framing: str,
    size: str,
    cut: str,
    is_reset: bool,
) -> None:
    here = replace(shop, web=place.web)
    data = SMALL if size == "small" else LARGE
    upload = WAYS[framing](here.upload_url("dist/file"), shop.tokens.uploader, data)
    is_whole = cut in PROVEN[framing]
    ended = place.uploads_ended()

    upload.vanish(cut, is_reset=is_reset)
    if cut != "in the headers":  # of such a request we never hear
        await_until(lambda: place.uploads_ended() == ended + 1)
    vanished = place.holdings()
    answer = upload.send()
    back = place.holdings()
    sweep(inventory=place.store, staging=place.store, now=timezone.now())
    swept = place.holdings()

    kind = request.node.callspec.params["place"]
    status = answer.split(maxsplit=2)[1].decode()
    table.rows.append(
        (
            *(kind, framing, size, cut, "reset" if is_reset else "closed", vanished.visible),
            f"{vanished.stored}, {vanished.temporary}",
            *(status, back.visible, f"{back.stored}, {back.temporary}"),
            f"{swept.stored}, {swept.temporary}",
        )
    )
    one = Holdings(visible=1, blobs=1, stored=1, temporary=0)
    assert vanished == (one if is_whole else Holdings(0, 0, 0, 0))
    assert status == ("200" if is_whole else "201")
    assert back == swept == one
    assert Build.objects.count() == 1


def await_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
