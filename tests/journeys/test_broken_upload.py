"""A CI job whose upload ends early, is too large, or is answered before its end …"""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from artifacts.models import Artifact, Build
from tests.environment import SCRATCH
from tests.journeys.conftest import (
    Answer,
    Shop,
    Web,
    declare,
    digest_of,
    half_received,
    running_web,
)

Curl = Callable[..., Answer]
MEBIBYTE = 1024 * 1024


def is_stored(data: bytes) -> bool:
    digest = digest_of(data).hex
    return (SCRATCH / "blobs" / "blobs" / "sha256" / digest[:2] / digest).exists()


def raw(shop: Shop, request: bytes, *, is_cut: bool = False) -> bytes:
    """Send exactly these bytes and read the answer; `is_cut` ends the sending side there."""
    address = urlsplit(shop.web.url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        connection.sendall(request)
        if is_cut:
            connection.shutdown(socket.SHUT_WR)
        connection.settimeout(30)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def head(shop: Shop, *headers: str) -> bytes:
    path = urlsplit(shop.upload_url("cut")).path
    lines = [
        f"PUT {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {shop.tokens.uploader}",
        "Connection: close",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_is_not_believed_when_the_body_is_cut(shop: Shop) -> None:
    answer = raw(shop, head(shop, "Content-Length: 1000") + b"x" * 999, is_cut=True)

    assert b" 400 " in answer.splitlines()[0]
    assert b'"code": "upload-truncated"' in answer
    assert b'"announced_bytes": 1000' in answer
    assert b'"received_bytes": 999' in answer
    assert Artifact.objects.count() == 0
    assert half_received() == []
    assert not is_stored(b"x" * 999)


def test_is_not_believed_when_a_stream_is_cut(shop: Shop) -> None:
    whole = b"x" * 2000
    cut = b"3e8\r\n" + b"x" * 1000 + b"\r\n" + b"3e8\r\n" + b"x" * 10
    declared = f"Repr-Digest: {digest_of(whole).field}"

    answer = raw(shop, head(shop, "Transfer-Encoding: chunked", declared) + cut, is_cut=True)

    assert b" 201 " not in answer
    assert Artifact.objects.count() == 0
    assert half_received() == []


def test_is_believed_when_the_same_stream_is_whole(shop: Shop) -> None:
    whole = b"x" * 2000
    body = (b"3e8\r\n" + b"x" * 1000 + b"\r\n") * 2 + b"0\r\n\r\n"
    declared = f"Repr-Digest: {digest_of(whole).field}"

    answer = raw(shop, head(shop, "Transfer-Encoding: chunked", declared) + body)

    assert b" 201 " in answer.splitlines()[0]


def test_leaves_nothing_when_it_dies_in_the_middle(shop: Shop) -> None:
    address = urlsplit(shop.web.url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        connection.sendall(head(shop, "Content-Length: 1000000") + b"x" * 500)
        await_until(lambda: len(half_received()) == 1)
        # RST instead of FIN: what a killed runner or a dropped link looks like.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    await_until(lambda: half_received() == [])
    assert Build.objects.count() == 0


def await_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def small(django_db_setup: None) -> Iterator[Web]:  # noqa: ARG001 - the tables are there
    """A server that takes one mebibyte."""
    with running_web(STRONGROOM_MAX_UPLOAD_BYTES=str(MEBIBYTE)) as server:
        yield server


def test_reads_the_answer_however_much_it_was_going_to_send(
    shop: Shop, curl: Curl, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    for size in (100_000, 1_000_000, 5_000_000, 40_000_000) * 5:
        file.write_bytes(b"x" * size)
        # Without Expect, and without a token: refused before the first byte is read.
        answer = curl("-H", "Expect:", "-T", str(file), shop.upload_url("x"))

        assert answer.error == ""
        assert answer.is_problem("project-not-found")


@pytest.mark.parametrize("expect", ["100-continue", ""])
@pytest.mark.parametrize("size", [MEBIBYTE + 1, 40 * MEBIBYTE])
def test_is_told_the_limit_and_who_can_raise_it(
    *, shop: Shop, small: Web, curl: Curl, tmp_path: Path, expect: str, size: int
) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"x" * size)
    url = f"{small.url}/api/v1/projects/{shop.project}/artifacts/x"

    answer = curl("-H", f"Expect: {expect}", "-T", str(file), url, token=shop.tokens.uploader)

    assert answer.error == ""
    assert answer.status == 413
    assert answer.is_problem("upload-too-large")
    assert answer.json["limit_bytes"] == MEBIBYTE
    assert answer.json["observed_bytes"] == size
    assert answer.json["setting"] == "STRONGROOM_MAX_UPLOAD_BYTES"
    assert answer.json["raised_by"]
    limits = curl(f"{small.url}/api/v1/limits").json
    assert limits["upload"]["limit_bytes"] == MEBIBYTE


def test_is_stopped_at_the_limit_in_a_stream(shop: Shop, small: Web, curl: Curl) -> None:
    data = b"x" * (20 * MEBIBYTE)
    url = f"{small.url}/api/v1/projects/{shop.project}/artifacts/x"

    answer = curl("-T", "-", *declare(data), url, stdin=data, token=shop.tokens.uploader)

    assert answer.error == ""
    assert answer.status == 413
    assert answer.is_problem("upload-too-large")
    assert half_received() == []


def test_sends_exactly_the_limit(shop: Shop, small: Web, curl: Curl, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * MEBIBYTE)
    url = f"{small.url}/api/v1/projects/{shop.project}/artifacts/x"

    assert curl("-T", str(file), url, token=shop.tokens.uploader).status == 201


def test_gets_an_early_answer_without_sending_the_body(shop: Shop) -> None:
    wrong = head(shop, "Content-Length: 5000000", "Expect: 100-continue", "Content-Encoding: gzip")

    answer = raw(shop, wrong)

    assert b" 415 " in answer.splitlines()[0]
    assert b"100 Continue" not in answer


def test_holds_nobody_up_when_it_leaves_before_the_answer(shop: Shop, curl: Curl) -> None:
    address = urlsplit(shop.web.url)
    wrong = head(shop, "Content-Length: 5000000", "Content-Encoding: gzip")
    for _ in range(20):  # more than the server has threads
        with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
            connection.sendall(wrong + b"x" * 10)

    assert curl(f"{shop.web.url}/api/v1/").status == 200
