"""A disk that lies, or a forger with a shell: bytes that are others are not handed out."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from django.core.management import call_command

from artifacts.models import Blob
from tests.environment import SCRATCH
from tests.journeys.conftest import Answer, Shop

Curl = Callable[..., Answer]
SMALL, LARGE = b"a small artifact", os.urandom(5 * 1024 * 1024)


def stored(data: bytes) -> Path:
    return SCRATCH / "blobs" / Blob.objects.get(sha256=sha256(data).hexdigest()).key


def uploaded(shop: Shop, curl: Curl, file: Path, data: bytes) -> str:
    file.write_bytes(data)
    answer = curl("-T", str(file), shop.upload_url(file.name), token=shop.tokens.uploader)
    shop.attest()
    return shop.web.at(answer.json["urls"]["download"])


def flip(path: Path, place: int) -> None:
    with path.open("r+b") as blob:
        blob.seek(place)
        byte = blob.read(1)
        blob.seek(place)
        blob.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("place", [0, -1])
def test_refuses_a_small_damaged_blob(shop: Shop, curl: Curl, tmp_path: Path, place: int) -> None:
    url = uploaded(shop, curl, tmp_path / f"small{place}", SMALL + bytes([place % 256]))
    path = stored(SMALL + bytes([place % 256]))
    assert curl(url, token=shop.tokens.reader).status == 200

    flip(path, place % len(SMALL))
    answer = curl(url, token=shop.tokens.reader)

    assert answer.status == 503
    assert answer.is_problem("blob-damaged")
    assert curl("-I", url, token=shop.tokens.reader).status == 503
    assert curl("-r", "1-2", url, token=shop.tokens.reader).is_problem("blob-damaged")
    flip(path, place % len(SMALL))
    call_command("mend_blobs")
    assert curl(url, token=shop.tokens.reader).status == 200


@pytest.mark.parametrize("place", [0, len(LARGE) - 1])
def test_never_completes_the_download_of_a_large_damaged_blob(
    shop: Shop, curl: Curl, tmp_path: Path, place: int
) -> None:
    data = LARGE + bytes([place % 256])
    url = uploaded(shop, curl, tmp_path / f"large{place}", data)
    assert curl(url, token=shop.tokens.reader).body == data

    flip(stored(data), place)
    answer = curl(url, token=shop.tokens.reader)

    assert answer.error  # curl complains about the end, and its exit status is not 0
    assert len(answer.body) < len(data)


def test_mends_a_damaged_blob_by_the_same_upload_again(
    shop: Shop, curl: Curl, tmp_path: Path
) -> None:
    data = LARGE + b"mended"
    url = uploaded(shop, curl, tmp_path / "mended", data)
    flip(stored(data), 7)
    assert curl(url, token=shop.tokens.reader).error

    again = curl(
        "-T", str(tmp_path / "mended"), shop.upload_url("mended"), token=shop.tokens.uploader
    )

    assert again.status == 200
    assert curl(url, token=shop.tokens.reader).body == data
