"""Two trust roots compared: an ordinary rotation, and another store's keys."""

import json
from datetime import timedelta
from typing import Any

import pytest

from client.verification.errors import MalformedTrustRoot
from client.verification.trust_root import differences, keys_of, only_adds, summary
from tests.factories.bundles import AT, Instance

STORE = Instance()


def changed(**members: Any) -> bytes:
    return json.dumps({**json.loads(STORE.trust_root()), **members}).encode()


def rotated() -> bytes:
    """The old log has an end, and a new one is there beside it."""
    ended = json.loads(STORE.trust_root(log_end=AT + timedelta(days=1)))
    ended["tlogs"] += json.loads(Instance().trust_root())["tlogs"]
    return json.dumps(ended).encode()


def test_shows_every_key() -> None:
    shown = summary(keys_of(STORE.trust_root()))

    assert [line.split(" http")[0].strip()[:-17] for line in shown] == [
        "certificate authority",
        "certificate log",
        "signature log",
    ]


def test_sees_no_difference_in_another_spelling() -> None:
    old, new = STORE.trust_root(), json.dumps(json.loads(STORE.trust_root()), indent=2).encode()

    assert old != new
    assert differences(keys_of(old), keys_of(new)) == []
    assert only_adds(keys_of(old), keys_of(new))


def test_tells_a_rotation() -> None:
    old, new = keys_of(STORE.trust_root()), keys_of(rotated())

    assert [line[:15] for line in differences(old, new)] == ["~ signature log", "+ signature log"]
    assert only_adds(old, new)
    assert not only_adds(new, old)


def test_tells_keys_of_somebody_else() -> None:
    old, new = keys_of(STORE.trust_root()), keys_of(Instance().trust_root())

    assert [line[0] for line in differences(old, new)] == ["-", "-", "-", "+", "+", "+"]
    assert not only_adds(old, new)


def test_tells_an_end_that_was_taken_back() -> None:
    old, new = keys_of(STORE.trust_root(log_end=AT)), keys_of(STORE.trust_root())

    assert [line[:15] for line in differences(old, new)] == ["~ signature log"]
    assert not only_adds(old, new)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        changed(tlogs=[]),
        changed(certificateAuthorities=[]),
        changed(mediaType="application/json"),
        changed(tlogs=[{"baseUrl": "x"}]),
    ],
)
def test_refuses_what_verifies_nothing(content: bytes) -> None:
    with pytest.raises(MalformedTrustRoot):
        keys_of(content)
