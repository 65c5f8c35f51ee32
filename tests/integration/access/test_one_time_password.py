"""The administrator's one-time password opens one door: the one to choose another."""

from urllib.parse import urlencode

import pytest
from django.test import Client

from access.models import User

pytestmark = pytest.mark.django_db
ONE_TIME, CHOSEN = "the-one-time-password", "a-password-of-my-own-7"
PAGES = ["/admin/", "/admin/artifacts/build/", "/admin/provenance/attestationrequest/", "/"]


@pytest.fixture
def client() -> Client:
    User.objects.create_superuser("admin", password=ONE_TIME, must_change_password=True)
    client = Client()
    assert client.login(username="admin", password=ONE_TIME)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_opens_nothing_else(client: Client, page: str) -> None:
    response = client.get(page)

    assert response.status_code == 302
    assert response["Location"] == f"/password?{urlencode({'next': page})}"


def test_opens_the_rest_once_another_is_chosen(client: Client) -> None:
    form = {"current": ONE_TIME, "new": CHOSEN, "repeated": CHOSEN, "next": "/admin/"}
    assert b"one-time password" in client.get("/password").content

    changed = client.post("/password", form)

    assert (changed.status_code, changed.get("Location")) == (302, "/admin/")
    assert [client.get(page).status_code for page in PAGES] == [200] * len(PAGES)
    assert not Client().login(username="admin", password=ONE_TIME)


def test_refuses_the_api_to_a_one_time_password(client: Client) -> None:
    assert client.get("/api/v1/whoami").status_code == 302


@pytest.mark.parametrize(
    "model",
    [
        "access/invitation",
        "access/issuer",
        "access/membership",
        "access/token",
        "access/trustedpublisher",
        "access/user",
        "artifacts/artifact",
        "artifacts/blob",
        "artifacts/organization",
        "artifacts/project",
        "audit/auditrecord",
        "audit/auditseal",
        "outbox/heartbeat",
        "outbox/outboxevent",
        "provenance/attestation",
        "provenance/storeddecision",
        "provenance/storedpolicy",
        "provenance/storedtrustmap",
        "provenance/storedtrustroot",
    ],
)
def test_shows_staff_every_table_and_lets_them_change_none(model: str) -> None:
    User.objects.create_superuser("staff", password=CHOSEN)
    client = Client()
    client.login(username="staff", password=CHOSEN)

    assert client.get(f"/admin/{model}/").status_code == 200
    assert client.get(f"/admin/{model}/add/").status_code == 403
