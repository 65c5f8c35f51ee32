"""The audit trail over HTTP: administrators read all of it, owners what is their organization's."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access.domain.roles import Role
from access.models import User
from access.queries import organization_place
from access.usecases.change_role import change_role
from artifacts.models import Organization
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from kernel.actor import ANONYMOUS
from kernel.audit.models import AuditCheckpoint
from kernel.audit.record import record
from tests.factories.actors import administrator
from tests.factories.people import account, personal_token

pytestmark = pytest.mark.django_db

PATH = "/api/v1/audit"


def bearer(person: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {personal_token(person)}"}


@pytest.fixture
def acme() -> Organization:
    now = timezone.now()
    for name in ("acme", "zeta"):
        create_organization(actor=administrator(), slug=name, now=now)
        create_project(actor=administrator(), organization=name, slug="p", is_public=True, now=now)
    return Organization.objects.get(slug="acme")


@pytest.fixture
def owner(acme: Organization) -> dict[str, str]:
    return bearer(account("o", organization_place(acme), Role.OWNER))


@pytest.fixture
def root() -> dict[str, str]:
    return bearer(User.objects.create_superuser("root"))


def actions(client: Client, headers: dict[str, str], **query: str) -> list[str]:
    answer = client.get(PATH, query, headers=headers)
    assert answer.status_code == 200, answer.content
    return [f"{one['action']} {one['target']}" for one in answer.json()["records"]]


@pytest.mark.usefixtures("acme")
def test_shows_owners_their_organization_and_administrators_everything(
    client: Client, owner: dict[str, str], root: dict[str, str]
) -> None:
    own = ["project.create acme/p", "organization.create acme"]

    assert actions(client, owner) == own
    assert actions(client, owner, organization="acme") == own
    assert len(actions(client, root)) == 6
    assert actions(client, root, organization="acme") == own


def test_shows_nobody_else_anything(client: Client, acme: Organization) -> None:
    maintainer = bearer(account("m", organization_place(acme), Role.MAINTAINER))

    def ask(headers: dict[str, str], **query: str) -> tuple[int, str]:
        answer = client.get(PATH, query, headers=headers)
        return answer.status_code, answer.json()["code"]

    assert ask(maintainer) == (403, "permission-missing")
    assert ask(maintainer, organization="acme") == (403, "permission-missing")
    assert ask({}) == (401, "unauthenticated")
    assert ask(maintainer, organization="absent") == (404, "organization-not-found")


@pytest.mark.usefixtures("acme")
def test_exports_to_each_what_they_may_read(
    client: Client, owner: dict[str, str], root: dict[str, str]
) -> None:
    def exported(headers: dict[str, str], **query: str) -> list[str]:
        answer = client.get(f"{PATH}/export", query, headers=headers)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
        lines = [json.loads(line) for line in answer.getvalue().splitlines()]
        assert lines[0]["export"]["whole"] is (headers == root and not query)
        return [line["unsealed"]["action"] for line in lines if "unsealed" in line]

    own = ["organization.create", "project.create"]
    assert exported(owner) == own
    assert exported(owner, organization="acme", action=own[1]) == own[1:]
    assert len(exported(root)) == 6
    assert client.get(f"{PATH}/export", {"organization": "zeta"}, headers=owner).status_code == 403
    assert client.get(f"{PATH}/export").status_code == 401


@pytest.mark.usefixtures("acme")
def test_exports_a_table(client: Client, owner: dict[str, str], root: dict[str, str]) -> None:
    answer = client.get(f"{PATH}/export", {"format": "csv"}, headers=owner)

    assert answer["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert len(answer.getvalue().splitlines()) == 3
    refused = client.get(f"{PATH}/export", {"format": "xlsx"}, headers=root)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed-request")


def test_records_from_where_and_why(client: Client, root: dict[str, str]) -> None:
    client.post(
        "/api/v1/organizations",
        {"organization": "acme"},
        content_type="application/json",
        headers={
            **root,
            "Strongroom-Reason": "a new customer, 100% sure: Gr%C3%B6%C3%9Fe%097",
        },
    )

    found = client.get(PATH, {"address": "127.0.0.1"}, headers=root).json()["records"]
    assert [(one["action"], one["facts"]["reason"]) for one in found] == [
        ("organization.create", "a new customer, 100% sure: Größe7")
    ]
    assert actions(client, root, address="192.0.2.1") == []


def test_shows_checkpoints_to_everybody(client: Client) -> None:
    for number in range(1, 103):
        AuditCheckpoint.objects.create(
            number=number, seal=number, seal_sha256="ab" * 32, made_at=timezone.now(), bundle=b"{}"
        )

    first = client.get(f"{PATH}/checkpoints")
    second = client.get(f"{PATH}/checkpoints", {"after": "100"})

    assert first.content == b"{}\n" * 100
    assert first["Link"] == '<http://store.test/api/v1/audit/checkpoints?after=100>; rel="next"'
    assert (second.content, "Link" in second) == (b"{}\n" * 2, False)
    for after in ("x", "-1", "9" * 19):
        refused = client.get(f"{PATH}/checkpoints", {"after": after})
        assert (refused.status_code, refused.json()["code"]) == (400, "malformed-request")


@pytest.mark.usefixtures("acme")
def test_keeps_an_owner_out_of_other_organizations(client: Client, owner: dict[str, str]) -> None:
    assert client.get(PATH, {"organization": "zeta"}, headers=owner).status_code == 403


def test_filters_exactly(client: Client, acme: Organization, root: dict[str, str]) -> None:
    account("alice", organization_place(acme), Role.READER)
    change_role(
        place=organization_place(acme),
        member="alice",
        role=Role.UPLOADER,
        actor=administrator(),
        now=timezone.now(),
    )

    assert actions(client, root, action="member.change-role") == ["member.change-role acme"]
    assert actions(client, root, action="member") == []
    assert actions(client, root, target="acme/p") == ["project.create acme/p"]
    assert len(actions(client, root, actor="administrator")) == 5
    assert actions(client, root, since="2100-01-01T00:00:00Z") == []
    assert len(actions(client, root, until="2100-01-01T00:00:00Z")) >= 6


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    "query",
    [{"since": "yesterday"}, {"actor": "a\0"}, {"cursor": "AA"}, {"cursor": "x"}],
)
def test_refuses_what_it_cannot_read(
    client: Client, root: dict[str, str], query: dict[str, str]
) -> None:
    answer = client.get(PATH, query, headers=root)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")


def test_turns_pages_and_keeps_the_filter(client: Client, root: dict[str, str]) -> None:
    for number in range(150):
        record(ANONYMOUS, "test", str(number), now=timezone.now())
        record(ANONYMOUS, "other", str(number), now=timezone.now())

    first: Any = client.get(PATH, {"action": "test"}, headers=root)
    link = first["Link"].partition(">")[0].removeprefix("<http://store.test")
    second: Any = client.get(link, headers=root)

    targets = [one["target"] for one in first.json()["records"] + second.json()["records"]]
    assert targets == [str(number) for number in reversed(range(150))]
    assert "Link" not in second
    assert first.json()["last_seal"] is None
