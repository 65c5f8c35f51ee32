"""What an organization has and may have, as its administrators are told."""

from typing import Any

import pytest
from django.test import Client

from access.models import User
from kernel.actor import Actor
from tests.factories.builds import send, start
from tests.factories.people import personal_token
from tests.fakes.blob_store import MemoryBlobStore

ORGANIZATION, PROJECT = "/api/v1/organizations/acme", "/api/v1/projects/acme/widget"


@pytest.fixture
def root(client: Client) -> Client:
    """With an administrator's token."""
    token = personal_token(User.objects.create_superuser("root"))
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def put(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.put(path, body, content_type="application/json")


def test_shows_files_and_bytes_with_those_of_distinct_digests_apart(
    first: Actor, store: MemoryBlobStore, root: Client
) -> None:
    build = start(first, "build").build
    for path, data in (("a", b"a" * 10), ("again", b"a" * 10), ("b", b"b")):
        send(first, build, store, path, data)
    use = {"files": 3, "logical_bytes": 21, "physical_bytes": 11}

    shown = root.get(f"{ORGANIZATION}/usage").json()

    assert shown == {
        "name": "acme",
        "use": use,
        "arriving_bytes": 0,
        "pending_free_bytes": 0,
        "quota": None,
        "standing": "within",
        "refused_from": None,
        "projects": [{"project": "widget", **use}],
    }
    assert root.get(f"{PROJECT}/usage").json()["use"] == use


def test_shows_how_the_use_stands_to_the_quota_that_was_set(
    first: Actor, store: MemoryBlobStore, root: Client
) -> None:
    send(first, start(first, "build").build, store, "a", b"a" * 10)

    shown = put(root, f"{PROJECT}/quota", {"bytes": {"warn": 5, "hard": 20}}).json()

    assert shown["quota"]["bytes"] == {"warn": 5, "soft": None, "hard": 20}
    assert shown["standing"] == "warned"
    over = put(root, f"{ORGANIZATION}/quota", {"bytes": {"soft": 9}}).json()
    assert over["standing"] == "over-soft"
    assert over["refused_from"] is not None
    none = put(root, f"{ORGANIZATION}/quota", {"bytes": None}).json()
    assert (none["quota"], none["refused_from"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"bytes": {"warn": 9, "hard": 8}}, "quota-malformed"),
        ({"bytes": {"hard": 0}}, "malformed-request"),
        ({"files": {"hard": -1}}, "malformed-request"),
        ({"bytes": {"hard": 2**70}}, "malformed-request"),
        ({"bytes": "much"}, "malformed-request"),
    ],
)
@pytest.mark.usefixtures("project")
def test_refuses_limits_that_are_none(root: Client, body: dict[str, Any], code: str) -> None:
    answer = put(root, f"{ORGANIZATION}/quota", body)

    assert (answer.status_code // 100, answer.json()["code"]) == (4, code)
