"""Issuers and publishers over HTTP: shown, changed, ended, by those who administer them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access.models import Issuer, TrustedPublisher
from access.usecases.create_token import create_token
from artifacts.models import Project
from kernel.actor import Actor, Grant, Permission
from tests.factories.ci_issuer import CiIssuer

pytestmark = pytest.mark.django_db

ADMIN = Actor("user:admin", frozenset({Grant(Permission.ADMINISTER)}))


def ask(client: Client, method: str, path: str, body: object = None) -> tuple[int, Any]:
    data = json.dumps(body) if body is not None else ""
    answer = client.generic(method, path, data, content_type="application/json")
    return answer.status_code, answer.json() if answer.content else None


def as_administrator(project: Project | None) -> Client:
    made = create_token(
        name="setup",
        project=project,
        permissions=[Permission.ADMINISTER],
        life=timedelta(hours=1),
        actor=ADMIN,
        now=timezone.now(),
    )
    return Client(headers={"Authorization": f"Bearer {made.secret}"})


def test_adds_a_publisher_by_its_repositorys_name(issuer: Issuer, project: Project) -> None:
    client, path = as_administrator(project), f"/api/v1/projects/{project}/publishers"
    body = {
        "issuer": issuer.name,
        "repository": "acme/widget",
        "workflow_path": ".github/workflows/release.yml",
        "wait_seconds": 86_400,
    }

    status, added = ask(client, "POST", path, body)

    assert status == 201
    assert (added["repository"], added["repository_id"]) == ("acme/widget", "")
    assert added["pending_until"] is not None
    assert added["pinned_at"] is None
    assert ask(client, "GET", f"{path}/{added['id']}") == (200, added)
    for wrong in (60, 10**8):
        refused = ask(client, "POST", path, {**body, "wait_seconds": wrong})
        assert (refused[0], refused[1]["code"]) == (422, "publisher-not-allowed")


def test_shows_when_a_publisher_was_recorded_and_used(
    client: Client, publisher: TrustedPublisher, ci: CiIssuer
) -> None:
    administrator = as_administrator(publisher.project)
    path = f"/api/v1/projects/{publisher.project}/publishers/{publisher.pk}"
    assert ask(administrator, "GET", path)[1]["last_used_at"] is None

    assert ask(client, "POST", "/_/oidc/mint-token", {"token": ci.token()})[0] == 200

    assert ask(administrator, "GET", path)[1]["last_used_at"] is not None


def test_removes_a_publisher_once(publisher: TrustedPublisher) -> None:
    client = as_administrator(publisher.project)
    path = f"/api/v1/projects/{publisher.project}/publishers/{publisher.pk}"

    assert ask(client, "DELETE", path) == (204, None)

    again = ask(client, "DELETE", path)
    assert (again[0], again[1]["code"]) == (404, "publisher-not-found")


def test_distrusts_a_publisher(publisher: TrustedPublisher) -> None:
    client = as_administrator(publisher.project)
    path = f"/api/v1/projects/{publisher.project}/publishers/{publisher.pk}/distrust"

    assert ask(client, "POST", path) == (200, {"removed_publishers": 1})


def test_changes_an_issuers_limits_and_nothing_else(issuer: Issuer) -> None:
    client, path = as_administrator(None), f"/api/v1/issuers/{issuer.name}"

    status, changed = ask(client, "PATCH", path, {"longest_life_seconds": 600})

    assert (status, changed["longest_life_seconds"]) == (200, 600)
    assert ask(client, "GET", path) == (200, changed)
    wrong: list[dict[str, object]] = [
        {},
        {"url": "https://evil.example"},
        {"name": "other", "longest_life_seconds": 700},
        {"platform": "generic"},
        {"longest_life_seconds": "x"},
    ]
    for body in wrong:
        refused = ask(client, "PATCH", path, body)
        assert (refused[0], refused[1]["code"]) == (400, "malformed-request")
    beyond = ask(client, "PATCH", path, {"algorithms": ["none"]})
    assert (beyond[0], beyond[1]["code"]) == (422, "issuer-not-allowed")
    assert ask(client, "GET", path) == (200, changed)


def test_switches_an_issuer_off_and_on(issuer: Issuer) -> None:
    client, path = as_administrator(None), f"/api/v1/issuers/{issuer.name}"

    assert ask(client, "POST", f"{path}/disable")[1]["disabled_at"] is not None
    assert ask(client, "POST", f"{path}/enable")[1]["disabled_at"] is None
    assert ask(client, "POST", "/api/v1/issuers/absent/enable")[0] == 404


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_tells_nobody_else_which_issuers_there_are(
    issuer: Issuer, project: Project, method: str
) -> None:
    way = "/disable" if method == "POST" else ""
    for client in (Client(), as_administrator(project)):
        answers = [
            ask(client, method, f"/api/v1/issuers/{name}{way}", {})
            for name in (issuer.name, "absent")
        ]
        assert [status for status, _ in answers] in ([401, 401], [403, 403])
        assert answers[0][1]["code"] == answers[1][1]["code"]
