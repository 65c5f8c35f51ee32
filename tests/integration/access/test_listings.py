"""What there is to see: each list shows an actor what exists for it, in pages, and nothing else."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from access.domain.roles import Role
from access.queries import organization_place, project_place
from artifacts.domain.visibility import may_see
from artifacts.models import Organization, Project
from artifacts.queries import projects_seen_by
from kernel.actor import ANONYMOUS, Actor, Grant, Permission
from kernel.audit.models import AuditRecord
from tests.factories.people import account, member, personal_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere(now: datetime) -> Project:
    owner = Organization.objects.create(slug="zeta", created_at=now)
    return Project.objects.create(organization=owner, slug="open", is_public=True, created_at=now)


def as_person(name: str, *roles: Any) -> dict[str, str]:
    person = account(name, *roles)
    return {"Authorization": f"Bearer {personal_token(person)}"}


def listed(client: Client, what: str, headers: dict[str, str]) -> list[str]:
    rows = client.get(f"/api/v1/{what}", headers=headers).json()[what.partition("?")[0]]
    if what.startswith("projects"):
        return [f"{row['organization']}/{row['project']}" for row in rows]
    return [row["organization"] for row in rows]


def test_lists_what_exists_for_the_asker(
    client: Client, project: Project, other_project: Project, elsewhere: Project
) -> None:
    acme = organization_place(project.organization)
    people: list[tuple[dict[str, str], list[str], list[str]]] = [
        ({}, ["zeta"], ["zeta/open"]),
        (as_person("stranger"), ["zeta"], ["zeta/open"]),
        (
            as_person("reader", project_place(project), Role.READER),
            ["acme", "zeta"],
            ["acme/widget", "zeta/open"],
        ),
        (
            as_person("member", acme, Role.READER),
            ["acme", "zeta"],
            ["acme/other", "acme/widget", "zeta/open"],
        ),
    ]
    for headers, organizations, projects in people:
        assert listed(client, "organizations", headers) == organizations
        assert listed(client, "projects", headers) == projects
    assert {other_project.slug, elsewhere.slug} == {"other", "open"}


def test_narrows_projects_to_an_organization(client: Client, elsewhere: Project) -> None:
    assert listed(client, "projects?organization=zeta", {}) == [str(elsewhere)]
    for absent in ("acme", "Not%20a%20slug", "a%00b"):
        assert listed(client, f"projects?organization={absent}", {}) == []


@pytest.mark.parametrize("what", ["organizations", "projects"])
def test_turns_pages(client: Client, now: datetime, what: str) -> None:
    for number in range(150):
        owner = Organization.objects.create(slug=f"o{number:03}", created_at=now)
        Project.objects.create(organization=owner, slug="p", is_public=True, created_at=now)

    first = client.get(f"/api/v1/{what}")
    link = first["Link"].partition(">")[0].removeprefix("<http://store.test")
    second = client.get(link)

    rows = first.json()[what] + second.json()[what]
    assert [len(first.json()[what]), len(second.json()[what])] == [100, 50]
    assert [row["organization"] for row in rows] == [f"o{number:03}" for number in range(150)]
    assert "Link" not in second


@pytest.mark.parametrize("what", ["organizations", "projects", "organizations/acme/members"])
@pytest.mark.parametrize("cursor", ["%FF", "!!", "AA", "x" * 300])
def test_refuses_a_cursor_that_is_none(
    client: Client, organization: Organization, what: str, cursor: str
) -> None:
    headers = as_person("o", organization_place(organization), Role.OWNER)

    answer = client.get(f"/api/v1/{what}?cursor={cursor}", headers=headers)

    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed-request"


def test_lets_owners_create_projects_and_say_who_may_read_them(
    client: Client, organization: Organization
) -> None:
    place = organization_place(organization)
    owner = as_person("o", place, Role.OWNER)
    maintainer = as_person("m", place, Role.MAINTAINER)
    new = {"organization": "acme", "project": "made"}
    public = {"is_public": True}

    def send(method: str, path: str, body: object, headers: dict[str, str]) -> int:
        answer: Any = getattr(client, method)(
            f"/api/v1/{path}", body, content_type="application/json", headers=headers
        )
        return int(answer.status_code)

    assert send("post", "projects", new, maintainer) == 403
    assert send("post", "projects", new, owner) == 201
    assert send("patch", "projects/acme/made", public, maintainer) == 403
    assert send("patch", "projects/acme/made", {}, owner) == 400
    assert send("patch", "projects/acme/made", public, owner) == 200
    assert send("patch", "projects/acme/made", public, owner) == 200
    assert Project.objects.get(slug="made").is_public
    told = AuditRecord.objects.get(action="project.change-visibility")
    private = {"is_public": False, "transparency": "private-log"}
    assert (told.facts["before"], told.facts["after"]) == (private, {**private, **public})


def test_tells_a_person_who_they_are(client: Client, organization: Organization) -> None:
    headers = as_person("alice", organization_place(organization), Role.READER)

    answer = client.get("/api/v1/me", headers=headers).json()

    assert answer["actor"] == "user:alice"
    assert [(one["place"], one["role"]) for one in answer["memberships"]] == [("acme", "reader")]


def test_shows_members_their_names_and_roles(client: Client, project: Project) -> None:
    place = project_place(project)
    headers = as_person("alice", place, Role.READER)

    answer = client.get(f"/api/v1/projects/{project}/members", headers=headers).json()

    assert [(one["member"], one["role"]) for one in answer["members"]] == [("alice", "reader")]


def test_goes_through_an_invitation_over_http(client: Client, project: Project) -> None:
    maintainer = as_person("m", project_place(project), Role.MAINTAINER)
    body = {"organization": "acme", "project": "widget", "invitee": "dave", "role": "reader"}
    account_data = {"username": "dave", "password": "a-password-of-my-own-7"}

    def post(path: str, body: object, **more: Any) -> Any:
        return client.post(f"/api/v1/{path}", body, content_type="application/json", **more)

    made = post("invitations", body, headers=maintainer)
    listed = client.get("/api/v1/invitations", headers=maintainer).json()["invitations"]
    accepted = post("invitations/accept", {"secret": made.json()["secret"], **account_data})
    token = post("login", account_data).json()["token"]
    seen = client.get(f"/api/v1/projects/{project}", headers={"Authorization": f"Bearer {token}"})

    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    assert [one["id"] for one in listed] == [made.json()["id"]]
    assert "secret" not in listed[0]
    assert accepted.json() == {"place": "acme/widget", "member": "dave", "role": "reader"}
    assert seen.status_code == 200


def test_wants_the_csrf_token_of_a_session(project: Project) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(account("m", project_place(project), Role.MAINTAINER))
    path = f"/api/v1/projects/{project}/policy"

    assert client.get(path).status_code == 200
    refused = client.put(path, {"enforcement": "observe"}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf-failed")
    cookie = client.get("/logout").cookies["csrftoken"].value
    changed = client.put(
        path,
        {"enforcement": "observe"},
        content_type="application/json",
        headers={"X-CSRFToken": cookie, "Referer": "http://testserver/"},
    )
    assert changed.status_code == 200


def test_finds_by_query_what_the_rule_says(
    project: Project, other_project: Project, elsewhere: Project
) -> None:
    """The query and the pure rule are two spellings of one sentence."""
    place = project_place(project)
    actors = [
        ANONYMOUS,
        Actor("nobody's"),
        *(Actor("one", frozenset({Grant(one, project.pk)})) for one in Permission),
        *(Actor("all", frozenset({Grant(one)})) for one in Permission),
        member("member", place, Role.READER),
        member("owner", organization_place(project.organization), Role.OWNER),
    ]
    for actor in actors:
        for one in (project, other_project, elsewhere):
            exists = may_see(actor, project=one.pk, is_public=one.is_public)
            assert projects_seen_by(actor).filter(pk=one.pk).exists() is exists, actor
