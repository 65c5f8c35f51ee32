"""A push straight to a bucket, against stores and addresses that lie."""

from pathlib import Path
from typing import Any

import pytest

from client.bucket import Address, Bucket
from client.build import Build
from client.direct import Sent, Way, await_measured, send_direct, way_of
from client.errors import (
    AnswerNotUnderstood,
    FileChanged,
    NotMeasuredInTime,
    StoredOtherwise,
    StoreRefused,
    UploadNotStored,
)
from client.files import Hashed
from client.origin import Origin
from client.outgoing import Outgoing
from tests.factories.builds import digest_of
from tests.unit.client.test_http import Server, answer, serve, server

__all__ = ["serve", "server"]

DATA = b"some bytes"
OTHER = digest_of(b"other bytes").hex
UPLOAD = "6e0f7a52-2b0e-4f0e-8f57-3a4f3b1a0c11"
GENUINE = {
    "id": UPLOAD,
    "state": "open",
    "sha256": digest_of(DATA).hex,
    "size_bytes": len(DATA),
    "part_bytes": len(DATA),
    "arrived": [],
    "measured_bytes": 0,
}
STORED = {
    **GENUINE,
    "state": "stored",
    "stored": {"sha256": digest_of(DATA).hex, "size_bytes": len(DATA)},
}


@pytest.fixture
def file(tmp_path: Path) -> Hashed:
    made = tmp_path / "file"
    made.write_bytes(DATA)
    return Hashed("dist/file", made, len(DATA), digest_of(DATA))


@pytest.fixture
def way(server: Server) -> Way:
    build = Build(UPLOAD, "open", {})
    return way_of(server.store(), build, jobs=1, on_bytes=lambda _sent: None)


def await_it(way: Way, file: Hashed) -> None:
    await_measured(way, Sent(file, UPLOAD), on_measured=lambda _count: None, stalled_seconds=0.05)


def test_takes_the_digest_that_the_store_measured(server: Server, way: Way, file: Hashed) -> None:
    server.behaviours = [answer(200, STORED)]

    await_it(way, file)


@pytest.mark.parametrize(
    "stored",
    [{"sha256": OTHER, "size_bytes": len(DATA)}, {"sha256": digest_of(DATA).hex, "size_bytes": 1}],
)
def test_notices_a_store_that_measured_something_else(
    server: Server, way: Way, file: Hashed, stored: dict[str, Any]
) -> None:
    server.behaviours = [answer(200, {**STORED, "stored": stored})]

    with pytest.raises(StoredOtherwise):
        await_it(way, file)


def test_does_not_believe_that_it_is_stored_without_a_digest(
    server: Server, way: Way, file: Hashed
) -> None:
    server.behaviours = [answer(200, {**STORED, "stored": None})]

    with pytest.raises(AnswerNotUnderstood):
        await_it(way, file)


def test_blames_the_way_when_the_file_is_the_same(server: Server, way: Way, file: Hashed) -> None:
    refused = {"code": "digest-mismatch", "measured": OTHER}
    server.behaviours = [answer(200, {**GENUINE, "state": "refused", "refused": refused})]

    with pytest.raises(StoredOtherwise) as found:
        await_it(way, file)

    assert found.value.facts["confirmed_sha256"] == OTHER


def test_blames_the_file_when_it_changed(server: Server, way: Way, file: Hashed) -> None:
    file.file.write_bytes(b"other")
    refused = {"code": "digest-mismatch", "measured": OTHER}
    server.behaviours = [answer(200, {**GENUINE, "state": "refused", "refused": refused})]

    with pytest.raises(FileChanged):
        await_it(way, file)


def test_says_that_an_upload_was_given_up(server: Server, way: Way, file: Hashed) -> None:
    server.behaviours = [answer(200, {**GENUINE, "state": "aborted"})]

    with pytest.raises(UploadNotStored):
        await_it(way, file)


def test_does_not_wait_for_a_store_that_gets_no_further(
    server: Server, way: Way, file: Hashed
) -> None:
    server.behaviours = [answer(200, {**GENUINE, "state": "measuring"})]

    with pytest.raises(NotMeasuredInTime):
        await_it(way, file)


@pytest.mark.parametrize(
    "lie",
    [{"sha256": OTHER}, {"size_bytes": 1}, {"part_bytes": 0}, {"part_bytes": "x"}, {"state": None}],
    ids=str,
)
def test_sends_nothing_to_an_upload_that_is_none_of_this_file(
    server: Server, way: Way, file: Hashed, lie: dict[str, Any]
) -> None:
    server.behaviours = [answer(201, GENUINE), answer(200, {**GENUINE, **lie})]

    with pytest.raises(AnswerNotUnderstood):
        send_direct(way, file)

    assert all(DATA not in body for body in server.bodies)


@pytest.mark.parametrize("parts", [[], None, [{"number": 2, "url": "http://x", "headers": {}}]])
def test_sends_nothing_without_an_address_for_the_part(
    server: Server, way: Way, file: Hashed, parts: object
) -> None:
    server.behaviours = [
        answer(201, GENUINE),
        answer(200, GENUINE),
        answer(200, {"parts": parts}),
    ]

    with pytest.raises(AnswerNotUnderstood):
        send_direct(way, file)


def outgoing(file: Hashed) -> Outgoing:
    return Outgoing(file.file, file.size_bytes, file.digest)


def test_shows_the_bucket_no_token(server: Server, file: Hashed) -> None:
    server.behaviours = [answer(200)]

    Bucket(Origin(server.url)).put(Address(f"{server.url}/part", {"x-amz-a": "b"}), outgoing(file))

    assert server.seen == [("PUT", "/part", None)]
    assert server.bodies == [DATA]


def test_gives_the_buckets_own_code_and_follows_nothing(server: Server, file: Hashed) -> None:
    bucket, address = Bucket(Origin(server.url)), Address(f"{server.url}/part", {})
    server.behaviours = [
        answer(403, b"<Error><Code>AccessDenied</Code></Error>"),
        answer(307, Location=f"{server.url}/elsewhere"),
    ]

    with pytest.raises(StoreRefused) as denied:
        bucket.put(address, outgoing(file))
    with pytest.raises(StoreRefused) as moved:
        bucket.put(address, outgoing(file))

    assert (denied.value.status, denied.value.facts["reason"]) == (403, "AccessDenied")
    assert moved.value.status == 307
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://bucket.example/part",
        "file:///etc/passwd",
        "https://user:secret@bucket.example/part",
    ],
)
def test_sends_nothing_to_an_address_that_is_unsafe(file: Hashed, url: str) -> None:
    with pytest.raises(AnswerNotUnderstood):
        Bucket(Origin("https://store.example")).put(Address(url, {}), outgoing(file))
