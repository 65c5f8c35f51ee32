"""Sessions: begun by a password that is counted like the API's, ended by whoever has them."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from access.models import LoginAttempt, User
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def dora(settings: pytest.FixtureRequest) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]
    return User.objects.create_user("dora", password=PASSWORD)


def log_in(client: Client, password: str = PASSWORD, wanted: str = "", name: str = "dora") -> int:
    form = {"username": name, "password": password, "next": wanted}
    response = client.post("/login", form)
    assert response.status_code != 302 or response["Location"].startswith("/")
    return response.status_code


def test_begins_a_session_and_goes_on_to_where_one_wanted_to_be() -> None:
    client = Client()
    form = {"username": "dora", "password": PASSWORD, "next": "/about?x=1"}

    response = client.post("/login", form)

    assert (response.status_code, response["Location"]) == (302, "/about?x=1")
    assert b"dora" in client.get("/").content
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize("wanted", ["https://evil.test", "//evil.test", "/\\evil.test", "/login"])
def test_goes_on_to_own_paths_only(wanted: str) -> None:
    response = Client().post("/login", {"username": "dora", "password": PASSWORD, "next": wanted})

    assert response["Location"] == "/"


def test_says_no_in_the_same_words_to_a_wrong_password_and_an_unknown_name(dora: User) -> None:
    User.objects.create_user("off", password=PASSWORD, is_active=False)
    said = set()
    for name, password in (("dora", "wrong"), ("nobody", PASSWORD), ("off", PASSWORD)):
        client = Client()
        response = client.post("/login", {"username": name, "password": password})
        assert response.status_code == 401
        assert "_auth_user_id" not in client.session
        said.add(b"Name and password do not belong together" in response.content)

    assert said == {True}
    assert dora.is_active


def test_counts_guesses_with_those_at_the_api() -> None:
    for _guess in range(10):
        assert log_in(Client(), "wrong") == 401

    assert log_in(Client()) == 429
    api = Client().post(
        "/api/v1/login",
        {"username": "dora", "password": PASSWORD},
        content_type="application/json",
    )
    assert api.status_code == 429
    LoginAttempt.objects.update(at=timezone.now() - timedelta(hours=1))
    assert log_in(Client()) == 302


def test_refuses_a_form_of_another_site() -> None:
    client = Client(enforce_csrf_checks=True)

    assert log_in(client) == 403
    assert client.post("/login/oidc").status_code == 403


def test_ends_a_session_only_when_it_is_asked_to(dora: User) -> None:
    client = Client()
    client.force_login(dora)

    assert client.get("/logout").status_code == 200
    assert "_auth_user_id" in client.session
    assert client.post("/logout").status_code == 302
    assert "_auth_user_id" not in client.session


def test_ends_with_the_account(dora: User) -> None:
    client = Client()
    client.force_login(dora)
    User.objects.update(is_active=False)

    assert b"Log out" not in client.get("/").content


def test_tells_everybody_what_their_session_shows_them(dora: User) -> None:
    somebody, administrator = Client(), Client()
    somebody.force_login(dora)
    administrator.force_login(User.objects.create_superuser("admin"))

    invited, overseeing = (client.get("/").content for client in (somebody, administrator))

    assert b"You have no role anywhere yet." in invited
    assert b"You administer this store" not in invited
    assert b"You have no role anywhere yet." not in overseeing
    assert b"every project is yours to see" in overseeing
