"""When something is tried again, how long is waited, and when patience ends."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from client.credentials import Anonymous, ApiToken
from client.errors import StoreRefused, StoreUnreachable
from client.persistence import MOST_RENEWALS, Persistence
from client.schedule import Patience, is_passing, retry_after

NOW = datetime(2026, 11, 21, 8, 0, 0, tzinfo=UTC)


def refused(status: int, code: str = "x", wait: float | None = None) -> StoreRefused:
    made = StoreRefused(status=status, code=code, title="No.", facts={})
    made.retry_after = wait
    return made


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Renewable:
    """Credentials that have a next token whenever one is rejected."""

    def __init__(self) -> None:
        self.number = 0

    def token(self) -> str | None:
        return f"token {self.number}"

    def renew(self, rejected: str | None, *, code: str) -> bool:
        assert rejected == f"token {self.number}"
        self.number += 1
        return code == "token-expired"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def persistence(clock: Clock) -> Persistence:
    return Persistence(clock=clock.read, sleep=clock.sleep)


def failing(*failures: Exception) -> Callable[[int, str | None], str]:
    """Fails so, one attempt after the other, and then gives the token."""
    left = list(failures)

    def act(_attempt: int, token: str | None) -> str:
        if left:
            raise left.pop(0)
        return str(token)

    return act


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507])
def test_tries_again_what_passes(persistence: Persistence, clock: Clock, status: int) -> None:
    assert persistence.do(failing(refused(status), refused(status)), ApiToken("t")) == "t"
    assert len(clock.slept) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 411, 413, 415, 422, 501])
def test_takes_no_for_an_answer(persistence: Persistence, clock: Clock, status: int) -> None:
    with pytest.raises(StoreRefused):
        persistence.do(failing(refused(status)), ApiToken("t"))

    assert clock.slept == []


def test_waits_as_long_as_it_is_asked_to(persistence: Persistence, clock: Clock) -> None:
    persistence.do(failing(refused(503, wait=42.0)), Anonymous())

    assert clock.slept == [42.0]


def test_gives_up_at_once_when_it_is_asked_for_more_than_it_has(
    persistence: Persistence, clock: Clock
) -> None:
    with pytest.raises(StoreRefused):
        persistence.do(failing(refused(503, wait=10_000.0)), Anonymous())

    assert clock.slept == []


def test_gives_up_when_patience_ends(persistence: Persistence, clock: Clock) -> None:
    persistence.do(failing(), Anonymous())
    with pytest.raises(StoreUnreachable):
        persistence.do(failing(*[StoreUnreachable(reason="gone")] * 1000), Anonymous())

    assert 280 < sum(clock.slept) <= 300


def test_gives_up_sooner_on_a_store_that_never_answered(
    persistence: Persistence, clock: Clock
) -> None:
    with pytest.raises(StoreUnreachable):
        persistence.do(failing(*[StoreUnreachable(reason="gone")] * 1000), Anonymous())

    assert 40 < sum(clock.slept) <= 60


def test_goes_on_with_another_token_when_one_is_rejected(
    persistence: Persistence, clock: Clock
) -> None:
    token = persistence.do(failing(refused(401, "token-expired")), Renewable())

    assert (token, clock.slept) == ("token 1", [])


def test_does_not_renew_for_ever(persistence: Persistence) -> None:
    expired = [refused(401, "token-expired")] * (MOST_RENEWALS + 1)

    with pytest.raises(StoreRefused):
        persistence.do(failing(*expired), Renewable())


def test_waits_longer_each_time_and_never_the_same_for_all() -> None:
    patience = Patience()

    waits = [patience.wait(failures, asked=None, draw=1.0) for failures in range(1, 9)]

    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
    assert patience.wait(3, asked=None, draw=0.0) == 1.0
    assert patience.wait(10**6, asked=None, draw=1.0) == 15.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Sat, 21 Nov 2026 08:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 07:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("9" * 5000, 999_999_999.0),
    ],
)
def test_reads_how_long_it_is_asked_to_wait(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, now=NOW) == seconds


def test_tries_an_upload_again_that_was_cut_off_behind_a_proxy() -> None:
    assert is_passing(400, "upload-truncated")
    assert not is_passing(400, "malformed-request")
