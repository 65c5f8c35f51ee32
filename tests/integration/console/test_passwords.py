"""Passwords: changed by whoever knows the old one, which ends every other session."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from pytest_django import Settings

from access.models import LoginAttempt, User
from kernel.audit.models import AuditRecord
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.django_db
CHOSEN = "correct-horse-battery"


@pytest.fixture(autouse=True)
def dora(settings: Settings) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_user("dora", "dora-at-acme@acme.test", password=PASSWORD)


def session() -> Client:
    client = Client()
    assert client.login(username="dora", password=PASSWORD)
    return client


def change(client: Client, **changed: str) -> int:
    form = {"current": PASSWORD, "new": CHOSEN, "repeated": CHOSEN, **changed}
    return client.post("/password", form).status_code


def test_ends_every_session_but_the_one_it_is_changed_in() -> None:
    here, elsewhere = session(), session()

    assert change(here, next="/about") == 302

    assert b"Log out" in here.get("/").content
    assert b"Log out" not in elsewhere.get("/").content
    assert not Client().login(username="dora", password=PASSWORD)
    assert Client().login(username="dora", password=CHOSEN)
    told = AuditRecord.objects.get(action="password.change")
    assert (told.actor, told.target) == ("user:dora", "dora")
    assert CHOSEN not in str([*AuditRecord.objects.values()])


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"current": "wrong"}, 401, b"This is not your current password."),
        ({"repeated": "another-password-7"}, 422, b"The two new ones differ."),
        ({"new": "short", "repeated": "short"}, 422, b"at least 12 characters"),
        ({"new": "dora-at-acme", "repeated": "dora-at-acme"}, 422, b"similar to the email"),
        ({"new": PASSWORD, "repeated": PASSWORD}, 422, b"It is the current one."),
        ({"new": "", "repeated": ""}, 422, b"at least 12 characters"),
        ({"new": "\x00" * 12, "repeated": "\x00" * 12}, 400, b"malformed-request"),
    ],
)
def test_keeps_the_old_one_and_says_why(changed: dict[str, str], status: int, said: bytes) -> None:
    client = session()
    form = {"current": PASSWORD, "new": CHOSEN, "repeated": CHOSEN, **changed}

    response = client.post("/password", form)

    assert response.status_code == status
    assert said in response.content
    assert Client().login(username="dora", password=PASSWORD)
    assert not AuditRecord.objects.exists()


def test_counts_guesses_with_those_of_logging_in() -> None:
    client = session()
    for _guess in range(10):
        assert change(client, current="wrong") == 401

    assert change(client) == 429
    login = Client().post("/login", {"username": "dora", "password": PASSWORD})
    assert login.status_code == 429


def test_asks_whoever_is_not_there_to_log_in_and_takes_no_form_of_another_site() -> None:
    stranger = Client().get("/password")

    assert (stranger.status_code, stranger["Location"]) == (302, "/login?next=%2Fpassword")
    assert change(Client()) == 302
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(User.objects.get())
    assert change(forged) == 403
    assert Client().login(username="dora", password=PASSWORD)


def test_has_nothing_to_change_for_who_logs_in_elsewhere(dora: User) -> None:
    dora.set_unusable_password()
    dora.save()
    SocialAccount.objects.create(user=dora, provider="https://login.test", uid="1")
    client = Client()
    client.force_login(dora)

    page = client.get("/password").content.decode()

    assert "another provider, which keeps yours" in page
    assert 'type="password"' not in page
    assert change(client) == 401
    dora.refresh_from_db()
    assert not dora.has_usable_password()


def test_sends_staff_to_the_one_login_where_guesses_are_counted() -> None:
    User.objects.create_superuser("admin", password=PASSWORD)
    client = Client()

    turned = client.get("/admin/access/token/", follow=True)
    target = "/login?next=%2Fadmin%2Faccess%2Ftoken%2F"
    assert [one for one, _status in turned.redirect_chain][-1] == target
    guess = client.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    assert guess.status_code == 405
    wrong = client.post("/login", {"username": "admin", "password": "wrong"})
    assert (wrong.status_code, LoginAttempt.objects.count()) == (401, 1)
    form = {"username": "admin", "password": PASSWORD, "next": "/admin/access/token/"}
    assert client.post("/login", form)["Location"] == "/admin/access/token/"
    assert client.get("/admin/login/?next=/admin/", follow=True).status_code == 200
    changing = client.get("/admin/password_change/")
    assert changing["Location"] == "/password?next=/admin/"


def test_tells_who_is_not_staff_instead_of_sending_them_round() -> None:
    response = session().get("/admin/", follow=True)

    assert response.status_code == 403
    assert b"permission-missing" in response.content


@pytest.mark.parametrize("wanted", ["https://evil.test", "//evil.test", "/login"])
def test_sends_staff_to_own_paths_only(wanted: str) -> None:
    turned = Client().get("/admin/login/", {"next": wanted})

    assert turned["Location"] == "/login?next=%2F"
