"""A consumer who looks into an archive …"""

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artifacts.api.pages import PAGE_MEMBERS
from artifacts.models import Blob, Download
from kernel.digest import Sha256
from provenance.domain.policy import Enforcement
from tests.environment import SCRATCH
from tests.journeys.conftest import Answer, Shelf, Shop, digest_of
from tests.journeys.test_download import demand_provenance

NOTES = b"notes " * 1000
WIDGET = bytes(range(256)) * 20_000


def wheel() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", NOTES)
        archive.writestr("../up", b"x")
        archive.writestr("large", WIDGET)
        archive.writestr(zipfile.ZipInfo("dist/stored"), b"0123456789", zipfile.ZIP_STORED)
    return made.getvalue()


def put(shop: Shop, curl: Callable[..., Answer], tmp_path: Path, data: bytes) -> Shelf:
    file = tmp_path / "archive"
    file.write_bytes(data)
    sent = curl("-T", str(file), shop.upload_url("dist/a.whl"), token=shop.tokens.uploader)
    shop.attest()
    return Shelf(shop, curl, sent.json)


@pytest.fixture
def box(shop: Shop, curl: Callable[..., Answer], tmp_path: Path) -> Shelf:
    return put(shop, curl, tmp_path, wheel())


def member(box: Shelf, path: str, *arguments: str) -> Answer:
    return box.curl(*arguments, f"{box.url('members')}/{path}", token=box.shop.tokens.reader)


def test_sees_what_is_in_it(box: Shelf) -> None:
    answer = box.get("members")

    assert answer.status == 200, answer
    assert answer.headers["strongroom-verification"].startswith("passed")
    assert answer.json["format"] == "zip"
    assert answer.json["sha256"] == box.artifact["sha256"]
    rows: list[dict[str, Any]] = answer.json["members"]
    assert [row["path"] for row in rows] == ["notes.txt", "../up", "large", "dist/stored"]
    assert [row["is_fetchable"] for row in rows] == [True, False, True, True]


def test_gets_one_file_with_its_own_digest(box: Shelf) -> None:
    for path, data in (("notes.txt", NOTES), ("large", WIDGET), ("dist/stored", b"0123456789")):
        answer = member(box, path)

        assert (answer.status, answer.body) == (200, data), path
        assert answer.headers["repr-digest"] == digest_of(data).field
        assert answer.headers["content-length"] == str(len(data))
        whole = Sha256(box.artifact["sha256"]).field
        assert answer.headers["strongroom-part-of"] == f"{whole}; measured=?1"
        assert answer.headers["strongroom-verification"].startswith("passed")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"
        known = member(box, path, "-H", f"If-None-Match: {answer.headers['etag']}")
        assert (known.status, known.body) == (304, b"")
        head = member(box, path, "--head")
        assert (head.status, head.headers["content-length"]) == (200, str(len(data)))


def test_gets_a_range_of_what_is_stored_as_it_is(box: Shelf) -> None:
    part = member(box, "dist/stored", "-r", "3-5")
    packed = member(box, "notes.txt", "-r", "3-5")

    assert (part.status, part.body) == (206, b"345")
    assert part.headers["content-range"] == "bytes 3-5/10"
    assert part.headers["repr-digest"] == digest_of(b"0123456789").field
    assert (packed.status, packed.body) == (200, NOTES)
    assert member(box, "dist/stored", "-r", "10-").status == 416


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nothing", 404, "archive-member-not-found"),
        ("..%2Fup", 422, "archive-member-not-fetchable"),
        ("", 400, "malformed-request"),
        ("%00", 400, "malformed-request"),
    ],
)
def test_is_told_what_it_cannot_get(box: Shelf, path: str, status: int, code: str) -> None:
    answer = member(box, path, "--path-as-is")

    assert answer.status == status
    assert answer.is_problem(code)


def test_gets_nothing_of_it_where_the_policy_is_not_met(box: Shelf) -> None:
    demand_provenance(box, Enforcement.ENFORCE)

    for answer in (box.get("members"), member(box, "notes.txt"), member(box, "nothing")):
        assert answer.status == 403
        assert answer.is_problem("policy-not-met")


def test_gets_nothing_of_bytes_that_are_others_by_now(box: Shelf) -> None:
    path = SCRATCH / "blobs" / Blob.objects.get().key
    damaged = bytearray(path.read_bytes())
    damaged[50] ^= 1
    path.write_bytes(damaged)

    for answer in (box.get("members"), member(box, "dist/stored")):
        assert answer.status == 503
        assert answer.is_problem("blob-damaged")
    path.unlink()


def test_pages_through_many(shop: Shop, curl: Callable[..., Answer], tmp_path: Path) -> None:
    made = io.BytesIO()
    names = [f"{number:05d}" for number in range(PAGE_MEMBERS + 5)]
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    box = put(shop, curl, tmp_path, made.getvalue())

    first = box.get("members")
    *_, more = first.headers["link"].split(", <")
    second = box.curl(shop.web.at(more[: more.index(">")]), token=shop.tokens.reader)

    assert more.endswith('rel="next"')
    rows = first.json["members"] + second.json["members"]
    assert [row["path"] for row in rows] == names
    assert 'rel="next"' not in second.headers.get("link", "")


def test_is_told_that_it_is_none(shelf: Shelf) -> None:
    answer = shelf.get("members")

    assert answer.status == 415
    assert answer.is_problem("not-an-archive")


def test_is_in_the_log_with_the_member(box: Shelf) -> None:
    member(box, "notes.txt")
    member(box, "nothing")

    # Only of this artifact: the server may still be writing lines of the test before.
    logged = Download.objects.filter(artifact_id=box.artifact["id"]).order_by("at")
    deadline = time.monotonic() + 60
    while logged.count() < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(logged.values_list("way", "member", "reason")) == [
        ("member", "notes.txt", ""),
        ("none", "", "archive-member-not-found"),
    ]
