"""A CI job proves who it is and gets a token for its project; a forger does not."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from access.usecases.create_token import create_token
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from kernel.actor import Actor, Grant, Permission
from tests.factories.ci_issuer import JWKS, CiIssuer, respond, running_issuer
from tests.factories.identity_tokens import rsa_key, signed

pytestmark = pytest.mark.django_db

MINT = "/_/oidc/mint-token"
PUBLISHER = {
    "issuer": "development",
    "repository_id": "4242",
    "owner_id": "77",
    "workflow_path": ".github/workflows/release.yml",
}


def post(client: Client, path: str, body: object, **more: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json", **more)


@pytest.fixture
def ci(client: Client) -> Iterator[CiIssuer]:
    """An administrator has added the issuer, the project and its trusted publisher."""
    now = datetime.now(tz=UTC)
    operator = Actor("operator", frozenset({Grant(Permission.ADMINISTER)}))
    create_organization(actor=operator, slug="acme", now=now)
    for slug in ("widget", "other"):
        create_project(actor=operator, organization="acme", slug=slug, is_public=False, now=now)
    made = create_token(
        name="setup",
        project=None,
        permissions=[Permission.ADMINISTER],
        life=timedelta(hours=1),
        actor=operator,
        now=now,
    )
    headers = {"Authorization": f"Bearer {made.secret}"}
    with running_issuer() as issuer:
        new = {"name": "development", "url": issuer.url, "platform": "github"}
        added = post(client, "/api/v1/issuers", {**new, "is_development": True}, headers=headers)
        assert added.status_code == 201, added.content
        publishers = "/api/v1/projects/acme/widget/publishers"
        added = post(client, publishers, PUBLISHER, headers=headers)
        assert added.status_code == 201, added.content
        yield issuer


def test_gives_a_ci_job_an_upload_token_for_its_project(client: Client, ci: CiIssuer) -> None:
    audience = client.get("/_/oidc/audience").json()["audience"]

    minted = post(client, MINT, {"token": ci.token(aud=audience)})

    answer = minted.json()
    fifteen_minutes = datetime.now(tz=UTC) + timedelta(minutes=15)
    assert audience == settings.PUBLIC_URL
    assert minted.status_code == 200
    assert minted["Cache-Control"] == "no-store"
    assert answer["success"] is True
    assert answer["project"] == "acme/widget"
    assert abs(answer["expires"] - fifteen_minutes.timestamp()) < 30
    headers = {"Authorization": f"Bearer {answer['token']}"}
    me = client.get("/api/v1/whoami", headers=headers).json()
    assert me["actor"] == "ci:acme/widget#9000000001"
    assert {grant["permission"] for grant in me["grants"]} == {"read", "upload"}
    assert me["job"]["workflow_path"] == ".github/workflows/release.yml"


def test_lets_the_job_see_its_project_and_no_other(client: Client, ci: CiIssuer) -> None:
    secret = post(client, MINT, {"token": ci.token()}).json()["token"]
    headers = {"Authorization": f"Bearer {secret}"}

    assert client.get("/api/v1/projects/acme/widget", headers=headers).status_code == 200
    assert client.get("/api/v1/projects/acme/other", headers=headers).status_code == 404
    assert client.get("/api/v1/tokens", headers=headers).status_code == 403
    assert client.get("/api/v1/projects/acme/widget").status_code == 404


def test_answers_both_kinds_of_client_when_it_refuses(client: Client, ci: CiIssuer) -> None:
    identity_token = ci.token()
    assert post(client, MINT, {"token": identity_token}).status_code == 200

    refused = post(client, MINT, {"token": identity_token})

    document = refused.json()
    assert refused.status_code == 409
    assert refused["Content-Type"] == "application/problem+json"
    assert document["code"] == "token-id-reused"
    assert document["type"].endswith("/problems/token-id-reused")
    assert document["errors"] == [{"code": "token-id-reused", "description": document["title"]}]


@pytest.mark.parametrize(
    ("forged", "expected"),
    [
        ({"aud": "https://other.example"}, (401, "wrong-audience")),
        ({"exp": 1_700_000_000}, (401, "identity-token-expired")),
        ({"iss": "https://evil.example"}, (401, "unknown-issuer")),
        ({"event_name": "pull_request_target"}, (403, "event-not-allowed")),
        ({"repository_id": "1"}, (403, "no-matching-publisher")),
        ({"repository_owner_id": "78"}, (403, "publisher-mismatch")),
        ({"sha": None}, (422, "claim-missing")),
        ({"sha": "main"}, (422, "claim-invalid")),
        ({"jti": None}, (422, "token-id-missing")),
    ],
)
def test_tells_a_forger_which_check_failed(
    client: Client, ci: CiIssuer, forged: dict[str, Any], expected: tuple[int, str]
) -> None:
    refused = post(client, MINT, {"token": ci.token(**forged), "project": "acme/widget"})

    assert (refused.status_code, refused.json()["code"]) == expected
    assert refused.json()["errors"][0]["code"] == expected[1]
    honest = post(client, MINT, {"token": ci.token(), "project": "acme/widget"})
    assert honest.status_code == 200


def test_refuses_a_job_that_signed_its_own_token(client: Client, ci: CiIssuer) -> None:
    refused = post(client, MINT, {"token": signed(ci.claims(), rsa_key("stranger"))})

    assert (refused.status_code, refused.json()["code"]) == (401, "signature-invalid")


def test_asks_to_try_again_when_the_issuer_is_down(client: Client, ci: CiIssuer) -> None:
    ci.answers[JWKS] = lambda handler: respond(handler, b"", status=500)

    refused = post(client, MINT, {"token": ci.token()})

    assert (refused.status_code, refused.json()["code"]) == (503, "issuer-unavailable")
    assert int(refused["Retry-After"]) > 0


@pytest.mark.parametrize("body", [{}, {"token": [5]}, {"token": ""}, {"token": None}, [], "x"])
def test_says_what_the_exchange_wants_to_read(client: Client, body: object) -> None:
    refused = post(client, MINT, body)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == "malformed-request"
