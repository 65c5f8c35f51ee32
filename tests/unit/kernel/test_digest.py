"""Digests and their RFC 9530 header fields."""

import base64
import hashlib

import pytest

from kernel.digest import MalformedDigest, Sha256, parse_digest_field

EMPTY = Sha256(hashlib.sha256(b"").hexdigest())


def test_reads_back_the_field_that_it_writes() -> None:
    assert EMPTY.field == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    assert parse_digest_field(EMPTY.field, header="Repr-Digest") == EMPTY


def test_finds_sha_256_among_other_algorithms() -> None:
    value = f"sha-512=:{base64.b64encode(b'x' * 64).decode()}:, {EMPTY.field};q=1"

    assert parse_digest_field(value, header="Repr-Digest") == EMPTY


def test_passes_over_a_field_without_sha_256() -> None:
    assert parse_digest_field("md5=:AAAA:", header="Repr-Digest") is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "sha-256",
        "sha-256=abc",
        "sha-256=:!!!:",
        "sha-256=:AAAA:",
        "sha-256=:AAA:",
        f"sha-256=:{base64.b64encode(b'x' * 33).decode()}:",
        f"{EMPTY.field}, sha-256=:{base64.b64encode(b'x' * 32).decode()}:",
        EMPTY.hex,
    ],
)
def test_refuses_a_field_that_cannot_be_read(value: str) -> None:
    with pytest.raises(MalformedDigest):
        parse_digest_field(value, header="Repr-Digest")


@pytest.mark.parametrize("text", ["", "ab", "AB" * 32, "g" * 64, "0" * 65, "0" * 64 + "\n"])
def test_refuses_what_is_no_digest(text: str) -> None:
    with pytest.raises(MalformedDigest):
        Sha256(text)
