"""A CI job whose store has no room left …: it is told so, and nothing of its file is kept."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from django.utils import timezone

from artifacts.models import Artifact
from tests.factories.holdings import Holdings, sweep
from tests.factories.s3_server import is_installed, running_s3
from tests.factories.small_disk import small_disk
from tests.factories.tables import Table, new_table
from tests.journeys.conftest import Answer, Shop
from tests.journeys.places import Place, in_bucket, in_directory

MEBIBYTE = 1024**2
FITS, FITS_NOT = b"x" * MEBIBYTE, b"y" * (9 * MEBIBYTE)


@pytest.fixture(params=["directory", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A store on eight mebibytes."""
    with ExitStack() as opened:
        disk = opened.enter_context(small_disk(tmp_path / "small", mebibytes=8))
        if request.param == "directory":
            yield opened.enter_context(in_directory(disk / "blobs"))
        else:
            if not is_installed():
                pytest.skip("versitygw is not on PATH: .ci/run installs it")
            yield opened.enter_context(in_bucket(opened.enter_context(running_s3(disk / "s3"))))


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Table:
    return new_table(
        request.config,
        "A full disk: a file that fits, one that does not, and one that fits again",
        *("bytes in", "tried", "answers", "acknowledged", "visible", "stored, temporary"),
        "the same after the sweep",
    )


@pytest.mark.slow
def test_keeps_nothing_of_what_has_no_room(
    *,
    request: pytest.FixtureRequest,
    shop: Shop,
    place: Place,
    curl: Callable[..., Answer],
    tmp_path: Path,
    table: Table,
) -> None:
    kind = request.node.callspec.params["place"]
    here = replace(shop, web=place.web)

    def put(name: str, data: bytes) -> Answer:
        file = tmp_path / "file"
        file.write_bytes(data)
        return curl("-T", str(file), here.upload_url(name), token=shop.tokens.uploader)

    answers = [put("first", FITS), put("too-large", FITS_NOT), put("second", FITS[::2])]
    before = place.holdings()
    sweep(place.store, now=timezone.now())
    after = place.holdings()

    statuses = [answer.status for answer in answers]
    table.rows.append(
        (
            *(kind, len(answers), statuses, statuses.count(201), before.visible),
            *(f"{before.stored}, {before.temporary}", f"{after.stored}, {after.temporary}"),
        )
    )
    assert statuses == [201, 507, 201]
    assert answers[1].is_problem("storage-full")
    assert int(answers[1].headers["retry-after"]) > 0
    assert set(Artifact.objects.values_list("path", flat=True)) == {"first", "second"}
    assert before == after == Holdings(visible=2, blobs=2, stored=2, temporary=0)
