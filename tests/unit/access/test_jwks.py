"""Key sets: the usable signing keys of a stranger's document, whatever else stands in it."""

from typing import Any

import pytest

from access.adapters.jwks import parse_keys
from tests.factories.identity_tokens import b64, ec_key, jwk, rsa_key

RSA = jwk(rsa_key())
EC = jwk(ec_key())


def keys(*entries: Any) -> list[tuple[str, str]]:
    return list(parse_keys({"keys": list(entries)}))


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8 or 1, "big"))


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_reads_the_keys_of_both_algorithms() -> None:
    assert keys(RSA, EC) == [("key-1", "RS256"), ("key-1", "ES256")]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in (RSA, EC) for name in kind],
    ids=lambda given: given if isinstance(given, str) else given["kty"],
)
@pytest.mark.parametrize("value", [5, True, [], {}, "", "\n", "\ud800", nested(2000)])
def test_passes_over_a_key_with_an_unusable_member(kind: Any, name: str, value: Any) -> None:
    assert keys({**kind, name: value}, jwk(ec_key(), "other")) == [("other", "ES256")]
    assert len(keys(kind, jwk(ec_key(), "other"))) == 2


@pytest.mark.parametrize("change", [" ", "\n", "!", "=a", "==="])
@pytest.mark.parametrize(("kind", "name"), [(RSA, "n"), (RSA, "e"), (EC, "x"), (EC, "y")])
def test_passes_over_a_number_that_is_no_base64url(kind: Any, name: str, change: str) -> None:
    assert keys({**kind, name: kind[name] + change}) == []
    assert keys({**kind, name: kind[name] + "=" * (-len(kind[name]) % 4)}) != []


@pytest.mark.parametrize("exponent", [0, 1, 2, 65536])
def test_passes_over_a_key_that_anybody_could_sign_with(exponent: int) -> None:
    assert keys({**RSA, "e": number(exponent)}) == []


@pytest.mark.parametrize("bits", [512, 1024, 2047, 8193, 400_000])
def test_passes_over_a_key_that_is_too_small_or_too_costly(bits: int) -> None:
    assert keys({**RSA, "n": number(2 ** (bits - 1) + 1)}) == []
    assert keys({**RSA, "n": number(2**2047 + 1)}) != []


def test_passes_over_a_point_that_is_not_on_the_curve() -> None:
    assert keys({**EC, "x": EC["y"], "y": EC["x"]}) == []
    assert keys({**EC, "x": b64(bytes(32)), "y": b64(bytes(32))}) == []


@pytest.mark.parametrize("depth", [100, 900, 960, 2000])
@pytest.mark.parametrize("name", ["x5c", "other"])
def test_does_not_mind_what_it_does_not_read(depth: int, name: str) -> None:
    assert keys({**RSA, name: nested(depth)}) == [("key-1", "RS256")]
