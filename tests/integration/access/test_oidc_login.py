"""People log in with another provider: known by issuer and subject, and by nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from access.domain.oidc_people import OidcProvider
from access.models import Membership, User
from kernel.audit.models import AuditRecord
from tests.factories.identity_tokens import rsa_key
from tests.factories.oidc_provider import CLIENT, SECRET, Provider, running_provider
from tests.factories.people import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("provider")]
CALLBACK = "/login/oidc/callback"


@pytest.fixture
def provider(settings: Settings, tmp_path: Path) -> Iterator[Provider]:
    secret = tmp_path / "client-secret"
    secret.write_text(f"{SECRET}\n")
    with running_provider() as running:
        settings.LOGIN_OIDC = OidcProvider(
            running.url, CLIENT, secret, "Acme SSO", admits_new_people=True
        )
        yield running


def leave(client: Client, wanted: str = "") -> str:
    """Press the button; the provider's address that the browser is sent to."""
    response = client.post("/login/oidc", {"next": wanted})
    assert response.status_code == 200, response.content.decode()
    return response["Refresh"].partition("url=")[2]


def come_back(client: Client, provider_address: str) -> HttpResponse:
    """Log in over there, and follow the way back."""
    there = requests.get(provider_address, allow_redirects=False, timeout=60)
    back = urlsplit(there.headers["Location"])
    return client.get(f"{back.path}?{back.query}")  # type: ignore[return-value] # a plain one


def log_in(client: Client, wanted: str = "") -> HttpResponse:
    return come_back(client, leave(client, wanted))


def is_logged_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_admits_a_new_person_without_any_right(provider: Provider) -> None:
    provider.claims = {
        "preferred_username": "Dora",
        "email": "dora@acme.test",
        "email_verified": True,
        "is_staff": True,
        "is_superuser": True,
        "groups": ["admin"],
    }
    client = Client()

    response = log_in(client, "/about")

    person = User.objects.get()
    assert (response.status_code, response["Location"]) == (302, "/about")
    assert is_logged_in(client)
    assert person.username == "dora@127.0.0.1"
    assert (person.email, person.is_staff, person.is_superuser) == ("dora@acme.test", False, False)
    assert not person.has_usable_password()
    assert not Membership.objects.exists()
    assert AuditRecord.objects.get(action="person.admitted").facts["subject"] == "248289761001"


def test_knows_the_same_person_again_by_issuer_and_subject(provider: Provider) -> None:
    provider.claims = {"preferred_username": "dora"}
    log_in(Client())
    provider.claims = {"preferred_username": "renamed", "email": "other@acme.test"}

    again = Client()
    log_in(again)

    assert User.objects.count() == 1
    assert is_logged_in(again)


def test_never_takes_an_account_by_its_name_or_e_mail(provider: Provider) -> None:
    admin = User.objects.create_superuser("dora@127.0.0.1", "boss@acme.test", PASSWORD)
    provider.claims = {
        "preferred_username": "dora",
        "email": "boss@acme.test",
        "email_verified": True,
    }
    client = Client()

    log_in(client)

    assert client.session["_auth_user_id"] != str(admin.pk)
    assert User.objects.get(username="dora-2@127.0.0.1").is_staff is False


def test_keeps_no_e_mail_that_the_provider_has_not_verified(provider: Provider) -> None:
    for subject, verified in (("1", None), ("2", False), ("3", "true")):
        provider.claims = {"sub": subject, "email": "x@acme.test", "email_verified": verified}
        log_in(Client())

    assert list(User.objects.values_list("email", flat=True)) == ["", "", ""]


def test_tells_the_same_subject_of_another_issuer_apart(settings: Settings) -> None:
    log_in(Client())
    with running_provider() as other:
        settings.LOGIN_OIDC = replace(settings.LOGIN_OIDC, issuer=other.url)

        log_in(Client())

    assert User.objects.count() == 2
    assert SocialAccount.objects.values("uid").distinct().count() == 1


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another-client"}, "another audience"),
        ({"aud": [CLIENT, "another-client"]}, "another audience"),
        ({"aud": [CLIENT], "azp": "another-client"}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"iss": "https://login.evil.test"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"nonce": "of-another-login"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"exp": 1_000_000_000}, "ExpiredSignatureError"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"sub": None}, "no usable subject"),
        ({"sub": ""}, "no usable subject"),
        ({"sub": 7}, "InvalidSubjectError"),
        ({"sub": "x" * 192}, "no usable subject"),
    ],
)
def test_refuses_a_token_that_proves_something_else(
    provider: Provider, claims: dict[str, Any], reason: str
) -> None:
    provider.claims = claims
    client = Client()

    response = log_in(client)

    assert response.status_code == 401
    assert reason in response.content.decode()
    assert not is_logged_in(client)
    assert not User.objects.exists()


def test_refuses_a_token_that_another_key_has_signed(provider: Provider) -> None:
    provider.signing_key = rsa_key("second")
    client = Client()

    assert log_in(client).status_code == 401
    assert not is_logged_in(client)


def test_refuses_a_provider_that_describes_itself_as_another(provider: Provider) -> None:
    provider.discovery = {"issuer": "https://login.evil.test"}

    response = Client().post("/login/oidc")

    assert response.status_code == 401
    assert "describes another issuer" in response.content.decode()


def test_refuses_a_provider_that_cannot_be_reached(settings: Settings) -> None:
    settings.LOGIN_OIDC = replace(settings.LOGIN_OIDC, issuer="http://127.0.0.1:9")

    assert Client().post("/login/oidc").status_code == 401


def test_refuses_a_state_of_another_browser() -> None:
    victim, attacker = Client(), Client()
    of_the_attacker = leave(attacker)

    response = come_back(victim, of_the_attacker)

    assert response.status_code == 401
    assert "another login&#x27;s state" in response.content.decode()
    assert not is_logged_in(victim)


def test_takes_a_way_back_once() -> None:
    client = Client()
    there = requests.get(leave(client), allow_redirects=False, timeout=60)
    back = urlsplit(there.headers["Location"])
    client.get(f"{back.path}?{back.query}")
    client.logout()

    assert client.get(f"{back.path}?{back.query}").status_code == 401
    assert not is_logged_in(client)


@pytest.mark.parametrize("changed", [{"error": "access_denied"}, {"state": "made-up"}])
def test_ends_when_the_provider_says_no(provider: Provider, changed: dict[str, str]) -> None:
    provider.instead_of_code = changed
    client = Client()

    assert log_in(client).status_code == 401
    assert not is_logged_in(client)


def test_leaves_disabled_accounts_out() -> None:
    log_in(Client())
    User.objects.update(is_active=False)
    client = Client()

    response = log_in(client)

    assert response.status_code == 403
    assert "account-disabled" in response.content.decode()
    assert not is_logged_in(client)


def test_refuses_new_people_where_the_operator_says_so(settings: Settings) -> None:
    settings.LOGIN_OIDC = replace(settings.LOGIN_OIDC, admits_new_people=False)

    response = log_in(Client())

    assert response.status_code == 403
    assert "person-unknown" in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "wanted", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:x", "/login"]
)
def test_goes_on_to_own_paths_only(wanted: str) -> None:
    assert log_in(Client(), wanted)["Location"] == "/"


def test_asks_for_a_nonce_a_state_and_pkce_of_each_login() -> None:
    client = Client()

    asked = [parse_qs(urlsplit(leave(client)).query) for _ in range(2)]

    for name in ("nonce", "state", "code_challenge"):
        assert len({one[name][0] for one in asked}) == 2
    assert asked[0]["redirect_uri"] == [f"http://store.test{CALLBACK}"]
    assert set(asked[0]["scope"][0].split()) == {"openid", "profile", "email"}


def test_is_not_there_without_a_provider(settings: Settings) -> None:
    settings.LOGIN_OIDC = None

    assert Client().post("/login/oidc").status_code == 404
    assert Client().get(CALLBACK).status_code == 404


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_says_that_the_operator_has_to_act_where_the_secret_is_not_readable(
    settings: Settings, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    client = Client()
    address = leave(client)
    file = settings.LOGIN_OIDC.client_secret_file
    file.unlink()
    if content is not None:
        file.write_bytes(content)

    answers: list[Any] = [client.post("/login/oidc"), come_back(client, address)]

    for answer in answers:
        assert answer.status_code == 503
        assert b"oidc-login-unavailable" in answer.content
        assert str(file).encode() not in answer.content
    told = [one for one in caplog.records if one.message == "client secret not readable"]
    assert {getattr(one, "file", None) for one in told} == {str(file)}
    assert not is_logged_in(client)
    assert Client().get("/login").status_code == 200
