"""Access over HTTP: credentials in every form, problem documents, and what strangers see."""

import base64
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client

from access.domain import tokens
from access.domain.roles import SERVICE_PERMISSIONS
from access.domain.tokens import TokenKind
from access.models import Issuer, Token, TrustedPublisher, User
from access.usecases.create_token import CreatedToken, create_token
from artifacts.models import Project
from kernel.actor import Actor, Permission

pytestmark = pytest.mark.django_db

PUBLISHER = {
    "issuer": "development",
    "repository_id": "4242",
    "owner_id": "77",
    "workflow_path": ".github/workflows/release.yml",
}
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
def made(admin: Actor, now: datetime) -> Callable[..., CreatedToken]:
    def make(project: Project | None, *permissions: Permission) -> CreatedToken:
        return create_token(
            name="bot",
            project=project,
            permissions=permissions,
            life=timedelta(hours=1),
            actor=admin,
            now=now,
        )

    return make


@pytest.fixture
def bearer(made: Callable[..., CreatedToken]) -> Bearer:
    def headers(project: Project | None, *permissions: Permission) -> dict[str, str]:
        return {"Authorization": f"Bearer {made(project, *permissions).secret}"}

    return headers


def basic(user: str, password: str) -> dict[str, str]:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def post(client: Client, path: str, body: object, **more: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json", **more)


def problem(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json"
    document = json.loads(response.content)
    assert document["status"] == response.status_code
    return response.status_code, document["code"]


def test_knows_a_token_in_each_form_that_clients_send(
    client: Client, made: Callable[..., CreatedToken], project: Project
) -> None:
    secret = made(project, Permission.UPLOAD).secret

    answers = [
        client.get("/api/v1/whoami", headers=headers)
        for headers in (
            {"Authorization": f"Bearer {secret}"},
            {"Authorization": f"bearer {secret}"},
            basic("__token__", secret),
        )
    ]

    told = {"permission": "upload", "project": str(project.id)}
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert all(answer.json()["grants"] == [told] for answer in answers)
    assert all(answer.json()["job"] is None for answer in answers)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "token-malformed"),
        ("Bearer", "token-malformed"),
        ("Bearer ", "token-malformed"),
        ("Bearer x", "token-malformed"),
        ("Bearer \udcff\udcfe", "token-malformed"),
        ("Digest x", "token-malformed"),
        ("Basic", "token-malformed"),
        ("Basic %%%", "token-malformed"),
        ("Basic /w==", "token-malformed"),
        (basic("admin", "srt_" + "0" * 30 + "0x0kxR")["Authorization"], "token-malformed"),
        pytest.param(f"Bearer {tokens.make(TokenKind.API).text}", "token-unknown", id="API"),
        pytest.param(f"Bearer {tokens.make(TokenKind.UPLOAD).text}", "token-unknown", id="UPLOAD"),
    ],
)
def test_never_takes_wrong_credentials_for_none(client: Client, header: str, code: str) -> None:
    sent = header.encode("utf-8", "surrogateescape").decode("latin-1")

    refused = client.get("/api/v1/whoami", headers={"Authorization": sent})

    assert problem(refused) == (401, code)
    assert refused["WWW-Authenticate"].startswith("Bearer")


def test_refuses_an_expired_and_a_revoked_token(
    client: Client, made: Callable[..., CreatedToken], now: datetime
) -> None:
    expired, revoked = made(None, Permission.READ), made(None, Permission.READ)
    Token.objects.filter(pk=expired.token.pk).update(expires_at=now - timedelta(seconds=1))
    Token.objects.filter(pk=revoked.token.pk).update(revoked_at=now)

    answers = [
        problem(client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {one.secret}"}))
        for one in (expired, revoked)
    ]

    assert answers == [(401, "token-expired"), (401, "token-revoked")]


def test_asks_the_anonymous_who_they_are(client: Client) -> None:
    assert problem(client.get("/api/v1/whoami")) == (401, "unauthenticated")


def test_knows_the_person_of_a_session(client: Client) -> None:
    client.force_login(User.objects.create_superuser("admin"))

    answer = client.get("/api/v1/whoami").json()

    assert answer["actor"] == "user:admin"
    assert answer["grants"] == [{"permission": "administer", "project": None}]


def test_gives_an_ordinary_person_no_rights(client: Client) -> None:
    client.force_login(User.objects.create_user("someone"))

    assert client.get("/api/v1/whoami").json()["grants"] == []
    assert problem(client.get("/api/v1/tokens")) == (403, "permission-missing")


def test_lets_a_session_change_things_only_with_its_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("admin"))
    body = {"name": "bot", "permissions": ["read"]}

    assert problem(post(client, "/api/v1/tokens", body)) == (403, "csrf-failed")
    assert client.get("/api/v1/tokens").json() == {"tokens": []}
    client.get("/logout")
    token = client.cookies["csrftoken"].value
    allowed = post(client, "/api/v1/tokens", body, headers={"X-CSRFToken": token})

    assert allowed.status_code == 201


def test_prefers_the_token_over_the_session(
    client: Client, bearer: Bearer, project: Project
) -> None:
    client.force_login(User.objects.create_superuser("admin"))
    headers = bearer(project, Permission.READ)

    assert client.get("/api/v1/whoami", headers=headers).json()["actor"].startswith("token:")
    wrong = client.get("/api/v1/whoami", headers={"Authorization": "Bearer x"})
    assert problem(wrong) == (401, "token-malformed")


@pytest.mark.usefixtures("project")
def test_creates_shows_once_lists_and_revokes_a_token(client: Client, bearer: Bearer) -> None:
    headers = bearer(None, Permission.ADMINISTER)
    body = {"name": "uploads", "project": "acme/widget", "permissions": ["upload"]}

    created = post(client, "/api/v1/tokens", body, headers=headers)
    made = created.json()
    listed = client.get("/api/v1/tokens", headers=headers)
    revoked = client.delete(f"/api/v1/tokens/{made['id']}", headers=headers)

    secret = made.pop("token")
    assert created.status_code == 201
    assert created["Cache-Control"] == "no-store"
    assert secret.startswith("srt_")
    assert made["project"] == "acme/widget"
    assert made in listed.json()["tokens"]
    assert secret not in listed.content.decode()
    assert tokens.parse(secret).sha256 not in listed.content.decode()
    assert revoked.json()["revoked_at"] is not None
    used = client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {secret}"})
    assert problem(used) == (401, "token-revoked")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "x", "permissions": ["read"], "expires_in": 31_536_001}, "token-not-allowed"),
        ({"name": "x", "permissions": ["read"], "expires_in": 10**40}, "malformed-request"),
        ({"name": "x", "permissions": ["everything"]}, "malformed-request"),
        ({"name": "x", "permissions": []}, "malformed-request"),
        ({"name": "x\u202e", "permissions": ["read"]}, "token-not-allowed"),
        ({"name": "x", "permissions": "read"}, "malformed-request"),
        ({"name": "x\x00", "permissions": ["read"]}, "malformed-request"),
        ([], "malformed-request"),
        ("x", "malformed-request"),
        (None, "malformed-request"),
        ({"name": "x", "permissions": ["read"], "project": "acme/absent"}, "project-not-found"),
        ({"name": "x", "permissions": ["read"], "project": "acme/\u0000"}, "malformed-request"),
    ],
)
def test_says_what_is_wrong_with_a_token_that_is_asked_for(
    client: Client, bearer: Bearer, body: object, expected: str
) -> None:
    headers = bearer(None, Permission.ADMINISTER)

    assert problem(post(client, "/api/v1/tokens", body, headers=headers))[1] == expected


@pytest.mark.parametrize("body", ["{", "[" * 30_000, '{"name": NaN}', "\udcff"])
def test_refuses_what_is_no_json(client: Client, bearer: Bearer, body: str) -> None:
    refused = client.post(
        "/api/v1/tokens",
        body.encode("utf-8", "surrogateescape"),
        content_type="application/json",
        headers=bearer(None, Permission.ADMINISTER),
    )

    assert problem(refused) == (400, "malformed-request")


def test_reads_no_large_body(client: Client) -> None:
    for size in (70_000, 2_000_000):  # Django's own limit lies between
        for path in ("/_/oidc/mint-token", "/api/v1/tokens"):
            refused = post(client, path, {"token": "x" * size})
            assert problem(refused) == (413, "request-too-large")


def test_reads_no_form(client: Client) -> None:
    refused = client.post("/_/oidc/mint-token", {"token": "x"})

    assert problem(refused) == (415, "unsupported-media-type")


def addresses(project: str) -> list[tuple[str, str, object]]:
    """Every address of a project that access answers at."""
    return [
        ("GET", f"/api/v1/projects/{project}/publishers", None),
        ("POST", f"/api/v1/projects/{project}/publishers", PUBLISHER),
        ("POST", f"/api/v1/projects/{project}/publishers", "no publisher at all"),
        ("POST", "/api/v1/tokens", {"name": "x", "project": project, "permissions": ["read"]}),
    ]


@pytest.mark.parametrize(
    "case", [(who, number) for who in ("nobody", "stranger") for number in range(4)], ids=str
)
def test_shows_strangers_a_private_project_like_an_absent_one(
    client: Client, bearer: Bearer, project: Project, other_project: Project, case: Any
) -> None:
    who, number = case
    stranger = bearer(other_project, *SERVICE_PERMISSIONS) if who == "stranger" else {}

    def answer(name: str) -> tuple[int, str]:
        method, path, body = addresses(name)[number]
        refused = client.generic(
            method, path, json.dumps(body), content_type="application/json", headers=stranger
        )
        assert problem(refused) == (404, "project-not-found")
        text = refused.content.decode().replace(unquote(path), "")
        return refused.status_code, text

    assert answer(str(project)) == answer("acme/absent") == answer("Not%20a/slug")


@pytest.mark.parametrize("number", range(4))
def test_shows_readers_of_a_project_that_they_do_not_administer_it(
    client: Client, bearer: Bearer, project: Project, number: int
) -> None:
    method, path, body = addresses(str(project))[number]

    def answer(**headers: str) -> tuple[int, str]:
        return problem(
            client.generic(
                method, path, json.dumps(body), content_type="application/json", headers=headers
            )
        )

    assert answer(**bearer(project, Permission.READ, Permission.UPLOAD))[0] == 403
    project.is_public = True
    project.save()
    assert answer()[0] == 401


def test_adds_and_lists_publishers(
    client: Client, bearer: Bearer, issuer: Issuer, project: Project
) -> None:
    headers = bearer(project, Permission.ADMINISTER)
    path = f"/api/v1/projects/{project}/publishers"

    added = post(client, path, PUBLISHER, headers=headers)
    listed = client.get(path, headers=headers)

    assert added.status_code == 201
    assert added.json()["issuer_url"] == issuer.url
    assert listed.json() == {"publishers": [added.json()]}
    assert TrustedPublisher.objects.get().created_by == added.json()["created_by"]


@pytest.mark.usefixtures("issuer")
@pytest.mark.parametrize(
    "case",
    [
        ({"issuer": "absent"}, (404, "issuer-not-found")),
        ({"repository_id": "acme/widget"}, (422, "publisher-not-allowed")),
        ({"owner_id": ""}, (400, "malformed-request")),
        ({"workflow_path": "release.yml"}, (422, "publisher-not-allowed")),
        ({"repository_id": None}, (400, "malformed-request")),
    ],
)
def test_says_what_is_wrong_with_a_publisher(
    client: Client, bearer: Bearer, project: Project, case: Any
) -> None:
    change, expected = case
    path = f"/api/v1/projects/{project}/publishers"
    body = {**PUBLISHER, **change}

    refused = post(client, path, body, headers=bearer(project, Permission.ADMINISTER))

    assert problem(refused) == expected


def test_lets_administrators_of_the_instance_add_and_list_issuers(
    client: Client, bearer: Bearer, project: Project
) -> None:
    body = {"name": "forge", "url": "https://git.example", "platform": "github"}
    headers = bearer(None, Permission.ADMINISTER)

    added = post(client, "/api/v1/issuers", body, headers=headers)
    again = post(client, "/api/v1/issuers", body, headers=headers)
    listed = client.get("/api/v1/issuers", headers=headers)
    own = post(client, "/api/v1/issuers", {**body, "url": "https://store.test"}, headers=headers)

    assert added.status_code == 201
    assert listed.json() == {"issuers": [added.json()]}
    assert problem(again) == (409, "issuer-taken")
    assert problem(own) == (422, "issuer-not-allowed")
    for method in ("GET", "POST"):
        maintainer = client.generic(
            method, "/api/v1/issuers", headers=bearer(project, Permission.ADMINISTER)
        )
        assert problem(maintainer) == (403, "permission-missing")
        assert problem(client.generic(method, "/api/v1/issuers")) == (401, "unauthenticated")


def test_hides_the_tokens_of_others(
    client: Client, bearer: Bearer, made: Callable[..., CreatedToken], project: Project
) -> None:
    foreign = made(None, Permission.READ).token.id
    headers = bearer(project, Permission.ADMINISTER)

    for token_id in (foreign, project.id):
        path = f"/api/v1/tokens/{token_id}"
        assert problem(client.delete(path, headers=headers)) == (404, "token-not-found")
        assert problem(client.delete(path)) == (404, "token-not-found")


def test_logs_no_secret_of_a_request(
    client: Client,
    made: Callable[..., CreatedToken],
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = made(None, Permission.ADMINISTER).secret
    broken = secret[:-1]

    with caplog.at_level(logging.DEBUG):
        for shown in (secret, broken):
            client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {shown}"})
            client.get("/api/v1/whoami", headers=basic("__token__", shown))
            post(client, "/_/oidc/mint-token", {"token": shown})

    assert caplog.records
    assert secret[4:-2] not in " ".join(str(entry.__dict__) for entry in caplog.records)
