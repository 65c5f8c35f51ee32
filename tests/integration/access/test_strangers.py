"""A private thing does not exist for a stranger: every address answers as if it were absent.

Generated from the URL table: an address that is neither listed as open nor built here fails.
"""

import json
import uuid
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.domain.roles import SERVICE_PERMISSIONS, Role
from access.models import Invitation, Issuer, Membership, TrustedPublisher, User
from access.queries import organization_place
from access.usecases.create_token import create_token
from artifacts.domain.retention import Level
from artifacts.models import (
    Artifact,
    Blob,
    Build,
    Contribution,
    Organization,
    Project,
    RetentionPlan,
    RetentionPreview,
    Tombstone,
    Upload,
)
from artifacts.queries.retention import Holder
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from artifacts.usecases.preview_retention import preview_retention
from kernel.actor import Permission
from provenance.models import Attestation
from provenance.usecases.attest_builds import Attestor, Endings, attest_builds
from tests.factories.actors import administrator
from tests.factories.addresses import ABSENT, Things, routes
from tests.factories.keeping import asked_of_none, held
from tests.factories.people import account, personal_token
from tests.factories.requests import DIGEST, requested

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

# Addresses that tell nothing about any project, and why strangers may ask.
OPEN = {
    "": "lists what the asker sees: see tests/integration/console/test_pages.py",
    "administration": "what the asker decides about: see tests/integration/console",
    "administration/store/holds": "needs an administrator; names nothing",
    "administration/store/storage": "needs an administrator; names nothing",
    "administration/store/signing": "needs an administrator; names nothing",
    "administration/store/audit": "needs an administrator; names nothing",
    "administration/store/quotas": "needs an administrator; names nothing",
    "administration/store/reconciliation": "needs an administrator; names nothing",
    "administration/store/reconciliation/<uuid:report>": "needs an administrator of the store",
    "administration/store/reconciliation/<uuid:report>/repair": "as the comparison's page",
    "administration/store/plans": "needs an administrator; names nothing",
    "administration/store/retention": "needs an administrator; names nothing",
    "administration/store/retention/edit": "needs an administrator; names nothing",
    "about": "what this store claims",
    "login": "names and passwords: see tests/integration/console/test_sessions.py",
    "login/oidc": "sends to the provider: see test_oidc_login.py",
    "login/oidc/callback": "who comes back from it: see test_oidc_login.py",
    "logout": "the asker's own session",
    "password": "the asker's own: see tests/integration/console/test_passwords.py",
    "admin/login/": "leads to login",
    "admin/password_change/": "leads to password",
    "healthz": "machines",
    "readyz": "machines",
    "metrics": "machines; a token where one is set",
    "problems/": "the problem codes",
    "problems/<str:code>": "the problem codes",
    "builders/<str:issuer_name>/<str:mode_name>/v1": "what statements refer to",
    "attestors/release/v1": "what statements refer to",
    "attestors/removal/v1": "what statements refer to",
    "predicates/removal/v1": "what statements refer to",
    "buildtypes/<str:name>/v1": "what statements refer to",
    "buildtypes/<str:name>/v1/schema.json": "what statements refer to",
    ".well-known/trusted_root.json": "what consumers verify with",
    ".well-known/strongroom-trust-root.json": "what consumers verify with",
    ".well-known/signing-keys.json": "what consumers verify with",
    ".well-known/signing-keys/<str:identity>.pem": "what consumers verify with",
    ".well-known/trusted_root/<int:version>.json": "what consumers verify with",
    ".well-known/trusted_root_history.json": "what consumers verify with",
    ".well-known/openid-configuration": "what a Sigstore CA asks for",
    ".well-known/jwks.json": "what a Sigstore CA asks for",
    "log/": "sizes and heads of the logs",
    "log/<str:tree>/checkpoint": "sizes and heads of the logs",
    "log/<str:tree>/consistency": "sizes and heads of the logs",
    "api/v1/": "the index",
    "api/v1/openapi.json": "the same document for everybody",
    "api/v1/openapi.yaml": "the same document for everybody",
    "api/v1/docs": "the same page for everybody",
    "api/v1/limits": "the limits",
    "api/v1/signing-queue": "all of it, for administrators: see test_signing_queue.py",
    "api/v1/whoami": "the asker alone",
    "api/v1/organizations": "lists what the asker sees: see test_listings.py",
    "api/v1/projects": "lists what the asker sees: see test_listings.py",
    "api/v1/login": "names and passwords: see test_log_in.py",
    "api/v1/me": "the asker alone",
    "api/v1/audit": "the asker's own organizations: see test_audit.py",
    "api/v1/audit/export": "the asker's own organizations: see test_audit.py",
    "api/v1/audit/checkpoints": "digests of seals, signed for everybody",
    "api/v1/me/tokens": "the asker alone",
    "api/v1/me/tokens/<uuid:token_id>": "the asker alone: see test_permissions.py",
    "api/v1/invitations": "what the asker decides about: see test_members.py",
    "api/v1/invitations/accept": "who has the secret: see test_invitations.py",
    "api/v1/issuers": "needs an administrator; names nothing",
    "api/v1/issuers/<str:name>": "needs an administrator, before the name is looked up",
    "api/v1/issuers/<str:name>/disable": "needs an administrator, before the name is looked up",
    "api/v1/issuers/<str:name>/enable": "needs an administrator, before the name is looked up",
    "api/v1/retention-plans": "needs an administrator; names nothing",
    "api/v1/holds": "needs an administrator; names nothing",
    "api/v1/retention-policy": "needs an administrator; names nothing",
    "api/v1/retention-policy/preview": "needs an administrator; names nothing",
    "api/v1/tokens": "its project is in the body: see below",
    "_/oidc/audience": "the audience",
    "_/oidc/preflight": "its project is in the body: see test_preflight.py",
    "_/oidc/mint-token": "its project is in the body: see tests/journeys/test_ci_identity.py",
}


NAMED = sorted(set(routes()) - set(OPEN))


def project(name: str) -> Project:
    create_organization(actor=administrator(), slug=name, now=timezone.now())
    return create_project(
        actor=administrator(), organization=name, slug="secret", is_public=False, now=timezone.now()
    )


def token(project: Project, *permissions: Permission) -> tuple[uuid.UUID, str]:
    made = create_token(
        name="somebody",
        project=project,
        permissions=permissions,
        life=timedelta(hours=1),
        actor=administrator(),
        now=timezone.now(),
    )
    return made.token.id, made.secret


@pytest.fixture
def secret(attestor: Attestor) -> Things:
    """A private project with a published, attested artifact."""
    place = project("acme")
    request = requested(None, scope=place.scope)
    attest_builds(
        attestor=attestor,
        endings=Endings(publish=lambda **_build: None, refuse=lambda **_build: None),
        clock=timezone.now,
    )
    now = timezone.now()
    build = Build.objects.create(
        id=request.build_id,
        project=place,
        origin="release",
        opened_by="somebody",
        state="published",
        opened_at=now,
        published_at=now,
    )
    blob = Blob.objects.create(sha256=DIGEST.hex, size_bytes=1, key="absent", stored_at=now)
    artifact = Artifact.objects.create(
        project=place,
        build=build,
        contribution=Contribution.objects.create(build=build, job="release", joined_at=now),
        origin="release",
        path="dist/a.tar.gz",
        blob=blob,
        stored_at=now,
    )
    _leave_tombstone(artifact, attestation := Attestation.objects.get())
    identity, _secret = token(place, Permission.READ)
    _join(place)
    return Things(
        organization="acme",
        project="secret",
        build=build.pk,
        artifact=artifact.pk,
        attestation=attestation.pk,
        token=identity,
        publisher=_trusted(place),
        invitation=_invited(place).pk,
        member="carol",
        path=artifact.path,
        upload=_uploading(artifact).pk,
        plan=_planned(place).pk,
        hold=held(place).pk,
        preview=_previewed(place).pk,
        action=asked_of_none(place).pk,
    )


def _leave_tombstone(artifact: Artifact, attestation: Attestation) -> None:
    """As if the artifact were gone as well: addresses of what is left name it by the same id."""
    Tombstone.objects.create(
        artifact_id=artifact.pk,
        project=artifact.project,
        build=artifact.build,
        origin=artifact.origin,
        path=artifact.path,
        sha256=artifact.blob.sha256,
        size_bytes=artifact.blob.size_bytes,
        stored_at=artifact.stored_at,
        removed_at=artifact.stored_at,
        buried_at=artifact.stored_at,
        removed_by="somebody",
        attestation=attestation,
        was_published=True,
        evidence=attestation,
    )


def _join(place: Project) -> None:
    Membership.objects.create(
        person=User.objects.create_user("carol"),
        project=place,
        role="reader",
        since=timezone.now(),
        given_by="somebody",
    )


def _invited(place: Project) -> Invitation:
    now = timezone.now()
    return Invitation.objects.create(
        invitee="dave",
        project=place,
        role="reader",
        secret_sha256="0" * 64,
        created_at=now,
        created_by="somebody",
        expires_at=now + timedelta(days=7),
    )


def _planned(place: Project) -> RetentionPlan:
    return RetentionPlan.objects.create(
        level=Level.PROJECT,
        scope_id=place.pk,
        made_at=timezone.now(),
        frontier={"policies": 0, "newest_policy": 0, "runs": 0},
        artifacts=0,
        logical_bytes=0,
        blobs=0,
        physical_bytes=0,
        looked_at=0,
    )


def _previewed(place: Project) -> RetentionPreview:
    return preview_retention(
        holder=Holder.of_project(place), document={}, actor=administrator(), now=timezone.now()
    )


def _uploading(artifact: Artifact) -> Upload:
    now = timezone.now()
    return Upload.objects.create(
        build=artifact.build,
        contribution=artifact.contribution,
        path="dist/b.tar.gz",
        declared_sha256=DIGEST.hex,
        size_bytes=1,
        part_bytes=1,
        started_at=now,
        touched_at=now,
    )


def _trusted(place: Project) -> uuid.UUID:
    now = timezone.now()
    issuer = Issuer.objects.create(
        name="acme", url="https://ci.acme.test", platform="generic", created_at=now
    )
    return TrustedPublisher.objects.create(
        project=place, issuer=issuer, subject="job:x", created_at=now, created_by="somebody"
    ).pk


def answer(client: Client, method: str, address: str) -> tuple[int, object, dict[str, str]]:
    """Status, body without the address itself, and the headers that could tell something."""
    response = client.generic(method, address, data=b"{}", content_type="application/json")
    text = response.content.decode() if not response.streaming else ""
    # A page repeats the address that was asked for, where it offers to log in and come back.
    text = text.replace(quote(address, safe=""), "")
    body = json.loads(text) if text.startswith("{") else text
    if isinstance(body, dict):
        body.pop("instance", None)
    kept = {
        name: value
        for name, value in response.headers.items()
        if name not in ("X-Request-ID", "Content-Length")
    }
    return response.status_code, body, kept


@pytest.mark.parametrize("who", ["nobody", "a service with every right elsewhere", "a person"])
@pytest.mark.parametrize("route", NAMED)
def test_answers_a_stranger_as_if_it_were_absent(secret: Things, route: str, who: str) -> None:
    client = Client(raise_request_exception=False)
    if who == "a service with every right elsewhere":
        _identity, key = token(project("other"), *SERVICE_PERMISSIONS)
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    if who == "a person":
        owner = account("owner", organization_place(project("other").organization), Role.OWNER)
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {personal_token(owner)}"
        client.force_login(owner)  # for the pages, which know sessions only
    client.get("/api/v1/whoami")  # the first use of a token is noted, and takes a query
    there, absent = secret.fill(route), ABSENT.fill(route)
    assert there is not None, f"{route} is new: say here what it names, or why it is open"
    assert absent is not None

    for method in METHODS:
        with CaptureQueriesContext(connection) as queries:
            found = answer(client, method, there)
        with CaptureQueriesContext(connection) as queries_of_absent:
            assert found == answer(client, method, absent), method
        assert len(queries) == len(queries_of_absent), "how long it takes would tell"
        assert found[0] in (404, 405) or method == "OPTIONS", (method, found)


@pytest.mark.parametrize("route", NAMED)
def test_answers_the_owner_differently(secret: Things, route: str) -> None:
    """The twin: with the right token the same addresses do exist, so the rule sees something."""
    _identity, key = token(Project.objects.get(slug="secret"), *SERVICE_PERMISSIONS)
    person = account("erin", organization_place(_acme()), Role.READER)
    if any(
        one in route for one in ("<uuid:plan>", "<uuid:preview>", "<uuid:hold>", "<uuid:action>")
    ):  # owners alone
        person = account("olga", organization_place(_acme()), Role.OWNER)
        key = personal_token(person)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {key}"})
    client.force_login(person)
    there, absent = secret.fill(route), ABSENT.fill(route)
    assert there is not None
    assert absent is not None

    differing = [m for m in METHODS if answer(client, m, there) != answer(client, m, absent)]

    assert differing


def _acme() -> Organization:
    return Organization.objects.get(slug="acme")


def test_tells_no_stranger_in_which_projects_tokens_can_be_made(secret: Things) -> None:
    _identity, key = token(project("other"), *SERVICE_PERMISSIONS)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {key}"})

    def ask(place: str) -> tuple[int, object]:
        body = {"name": "mine", "project": place, "permissions": ["read"], "expires_in": 60}
        response = client.post("/api/v1/tokens", body, content_type="application/json")
        document = response.json()
        document.pop("instance", None)
        return response.status_code, document

    assert ask(f"{secret.organization}/{secret.project}") == ask("nobody/nothing")
    assert ask("nobody/nothing")[0] == 404


def test_lists_only_addresses_that_exist_as_open() -> None:
    assert set(OPEN) <= set(routes())
