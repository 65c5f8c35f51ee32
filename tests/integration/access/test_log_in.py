"""Logging in: a token for twelve hours, and no more guesses than a person needs."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.domain.attempts import MOST_BY_ADDRESS, MOST_BY_NAME, WINDOW, check_attempts
from access.errors import LoginFailed, PasswordIsOneTime, TooManyAttempts
from access.models import LoginAttempt, User
from access.usecases.authenticate import authenticate
from access.usecases.collect_login_attempts import collect_login_attempts
from access.usecases.create_token import CreatedToken
from access.usecases.log_in import log_in
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.django_db
Enter = Callable[..., CreatedToken]


@pytest.fixture(autouse=True)
def fast_hasher(settings: pytest.FixtureRequest) -> None:
    settings.PASSWORD_HASHERS = [  # type: ignore[attr-defined]  # pytest-django's own object
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", password=PASSWORD)


@pytest.fixture
def enter(now: datetime) -> Enter:
    def run(
        name: str = "alice",
        password: str = PASSWORD,
        *,
        address: str = "192.0.2.1",
        later: timedelta = timedelta(0),
    ) -> CreatedToken:
        return log_in(username=name, password=password, address=address, now=now + later)

    return run


def fail(enter: Enter, times: int, **how: str) -> None:
    for _ in range(times):
        with pytest.raises(LoginFailed):
            enter(password="wrong", **how)


def test_gives_a_token_for_twelve_hours(alice: User, enter: Enter, now: datetime) -> None:
    made = enter()

    assert authenticate(secret=made.secret, now=now).person == alice.pk
    assert made.token.expires_at == now + timedelta(hours=12)
    assert not LoginAttempt.objects.exists()


def test_answers_unknown_names_like_wrong_passwords(alice: User, enter: Enter) -> None:
    User.objects.create_user("gone", password=PASSWORD, is_active=False)
    answers, counts = set(), set()
    for name, password in (("alice", "wrong"), ("nobody", "wrong"), ("gone", PASSWORD)):
        with CaptureQueriesContext(connection) as queries, pytest.raises(LoginFailed) as refused:
            enter(name, password)
        answers.add(str(refused.value))
        counts.add(len(queries))

    assert len(answers) == 1
    assert len(counts) == 1
    assert alice.is_active


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_looks_at_no_more_than_ten_guesses_of_a_name(enter: Enter, name: str) -> None:
    fail(enter, MOST_BY_NAME, name=name)

    with pytest.raises(TooManyAttempts) as refused:
        enter(name, PASSWORD, address="198.51.100.9")

    assert refused.value.facts == {"retry_after_seconds": WINDOW.total_seconds()}
    assert LoginAttempt.objects.count() == MOST_BY_NAME  # who is refused prolongs nothing


@pytest.mark.usefixtures("alice")
def test_lets_the_owner_in_when_the_window_has_passed(enter: Enter) -> None:
    fail(enter, MOST_BY_NAME - 1)
    assert enter().secret
    fail(enter, 1)
    with pytest.raises(TooManyAttempts):
        enter(later=WINDOW - timedelta(seconds=1))

    assert enter(later=WINDOW).secret


@pytest.mark.usefixtures("alice")
def test_looks_at_no_more_than_fifty_guesses_of_an_address(enter: Enter) -> None:
    for number in range(MOST_BY_ADDRESS):
        fail(enter, 1, name=f"name{number}")

    with pytest.raises(TooManyAttempts):
        enter()
    assert enter(address="198.51.100.9").secret


def test_keeps_a_one_time_password_for_choosing_another(alice: User, enter: Enter) -> None:
    User.objects.filter(pk=alice.pk).update(must_change_password=True)

    with pytest.raises(PasswordIsOneTime):
        enter()
    with pytest.raises(LoginFailed):
        enter(password="wrong")


def test_forgets_attempts_that_no_longer_count(enter: Enter, now: datetime) -> None:
    fail(enter, 2)

    assert collect_login_attempts(now=now + WINDOW) == 0
    assert collect_login_attempts(now=now + 3 * WINDOW) == 2


def test_counts_by_when_the_next_is_free(now: datetime) -> None:
    minutes = [now - timedelta(minutes=one) for one in (14, 10, 5, 0)]

    check_attempts(minutes, most=4, now=now)
    with pytest.raises(TooManyAttempts) as refused:
        check_attempts(minutes, most=2, now=now)

    assert refused.value.facts["retry_after_seconds"] == 5 * 60


@pytest.mark.usefixtures("alice")
def test_answers_over_http(client: Client) -> None:
    def ask(**body: object) -> tuple[int, str, str | None]:
        answer = client.post("/api/v1/login", body, content_type="application/json")
        return answer.status_code, answer.json().get("code", ""), answer.get("Retry-After")

    right, wrong = {"username": "alice", "password": PASSWORD}, {"username": "x", "password": "y"}
    assert ask(**right) == (201, "", None)
    assert ask(username="alice") == (400, "malformed-request", None)
    assert ask(username="a\0", password="\ud800") == (400, "malformed-request", None)
    assert {ask(**wrong) for _ in range(MOST_BY_NAME)} == {(401, "login-failed", None)}
    status, code, retry_after = ask(**wrong)
    assert (status, code) == (429, "too-many-attempts")
    assert 0 < int(retry_after or 0) <= WINDOW.total_seconds()
