"""The web server during a large upload …

Measured on the worker itself: its peak of resident memory (VmHWM, reset through clear_refs)
while two gibibytes pass through it, against what it had before.
"""

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from artifacts.models import Blob
from kernel.digest import Sha256
from tests.environment import SCRATCH
from tests.journeys.conftest import Answer, Shop

MEBIBYTE: Final = 1024 * 1024
PIECES: Final = 2048
ALLOWED_BYTES: Final = 64 * MEBIBYTE
RESET_PEAK: Final = "5"  # proc(5), /proc/pid/clear_refs


def pieces() -> Iterator[bytes]:
    """Two gibibytes that never exist at once, and compress to nothing that could hide."""
    body = bytes(range(256)) * (MEBIBYTE // 256)
    for number in range(PIECES):
        yield number.to_bytes(8, "big") + body[8:]


def memory_of(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise AssertionError(field)


def put(shop: Shop, path: str, *, declared: Sha256 | None) -> tuple[int, bytes]:
    """Send the stream: with its length, or chunked with its digest."""
    address = urlsplit(shop.upload_url(path))
    headers = {"Authorization": f"Bearer {shop.tokens.uploader}"}
    if declared is None:
        headers["Content-Length"] = str(PIECES * MEBIBYTE)
    else:
        headers["Repr-Digest"] = declared.field
    with closing(http.client.HTTPConnection(address.netloc, timeout=280)) as connection:
        connection.request(
            "PUT",
            address.path,
            body=pieces(),
            headers=headers,
            encode_chunked=declared is not None,
        )
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture
def warm(shop: Shop, curl: Callable[..., Answer], tmp_path: Path) -> Shop:
    """A worker that has done each thing once: imports and pools are no part of an upload."""
    file = tmp_path / "warm"
    file.write_bytes(b"warm")
    for number in range(8):
        url = shop.upload_url(f"warm-{number}")
        assert curl("-T", str(file), url, token=shop.tokens.uploader).status == 201
    return shop


@pytest.fixture
def digest() -> Sha256:
    measured = sha256()
    for piece in pieces():
        measured.update(piece)
    return Sha256(measured.hexdigest())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["with its length", "chunked"])
def test_keeps_its_memory(
    *,
    warm: Shop,
    digest: Sha256,
    kind: str,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    [worker] = warm.web.workers()
    idle = memory_of(worker, "VmRSS")
    Path(f"/proc/{worker}/clear_refs").write_text(RESET_PEAK)

    status, body = put(warm, "large", declared=digest if kind == "chunked" else None)

    peak = memory_of(worker, "VmHWM")
    assert status == 201, body
    blob = Blob.objects.get(sha256=digest.hex)
    assert blob.size_bytes == PIECES * MEBIBYTE
    (SCRATCH / "blobs" / blob.key).unlink()
    figures = f"idle {idle / MEBIBYTE:.1f} MiB, peak {peak / MEBIBYTE:.1f} MiB"
    with capsys.disabled():
        pytestconfig.get_terminal_writer().line(f" 2 GiB {kind}: {figures}")
    assert peak - idle <= ALLOWED_BYTES
