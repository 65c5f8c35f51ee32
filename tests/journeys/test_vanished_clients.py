"""A CI job that vanishes in the middle of its upload, at each kind of byte …

Nothing of it is visible, nothing that it sent stays behind, and the same upload succeeds when the
job comes back. Only who vanishes after the file's last byte has uploaded it, and finds that then:
its length or its declared digest proves that all of it arrived, whatever should have followed.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.utils import timezone

from artifacts.adapters.s3.store import SMALLEST_PART
from artifacts.models import Build
from tests.environment import SCRATCH
from tests.factories.holdings import Holdings, sweep
from tests.factories.raw_client import RawUpload, chunked, with_length
from tests.factories.s3_server import S3Server
from tests.factories.tables import Table, new_table
from tests.journeys.conftest import Shop
from tests.journeys.places import Place, in_bucket, in_directory

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


@pytest.fixture(scope="module")
def directory(django_db_setup: None) -> Iterator[Place]:  # noqa: ARG001 - the tables are there
    with in_directory(SCRATCH / "vanished") as place:
        yield place


@pytest.fixture(scope="module")
def bucket(django_db_setup: None, s3_server: S3Server) -> Iterator[Place]:  # noqa: ARG001 - as above
    with in_bucket(s3_server) as place:
        yield place


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
    sweep(place.store, now=timezone.now())
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
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
