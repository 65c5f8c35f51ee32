"""Everybody who may ask, with their credentials, around one project with one of everything."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from access.domain import tokens
from access.domain.roles import SERVICE_PERMISSIONS, Role
from access.domain.tokens import TokenKind
from access.models import Invitation, Issuer, Token, TrustedPublisher, User
from access.queries import organization_place, project_place
from access.usecases.create_token import CreatedToken, create_token
from access.usecases.invite_member import invite_member
from artifacts.domain.transfer import UploadState
from artifacts.models import Artifact, Build, Project, RetentionPlan, RetentionPreview, Upload
from artifacts.queries import Place, visible_artifact
from artifacts.queries.retention import Holder
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.preview_retention import preview_retention
from artifacts.usecases.publish_file import Incoming, publish_file
from artifacts.usecases.start_build import Wanted, start_build
from artifacts.usecases.verify_artifact import verify_artifact
from artifacts.wiring import blob_store, endings
from kernel.actor import Actor, Grant, Permission, Workload
from provenance.models import Attestation
from provenance.usecases.attest_builds import Attestor, attest_builds
from provenance.wiring import judge
from tests.factories.actors import administrator
from tests.factories.addresses import Things
from tests.factories.builds import send
from tests.factories.facts import witnessed
from tests.factories.keeping import PATH, PUBLISHED, asked_of_none, held, keeping_bodies
from tests.factories.people import account, member, personal_token
from tests.fakes.blob_store import MemoryBlobStore

ROLES: Final = {role.value: role for role in Role}
JOB: Final = witnessed()
OF_THE_JOB: Final = b"bytes of the job"
RETENTION: Final = {"document": {"expire": [{"name": "old", "after_days": 365}]}}


@dataclass(frozen=True)
class Cast:
    """Credentials by who has them, and what the addresses name; an open build of the job's."""

    secrets: Mapping[str, str | None]
    things: Things
    open_build: uuid.UUID
    invitation_secret: str

    def address(self, route: str, method: str) -> str | None:
        """The address; what a build is given before it is sealed goes to the open one."""
        if "/files/" in route or route.endswith(("/seal", "/uploads")):
            route = route.replace("<uuid:build>", str(self.open_build))
        route = route.replace("<str:name>", "development")
        if (route, method) == ("api/v1/projects/<str:organization>/<str:project>/artifacts", "GET"):
            route += f"?path={self.things.path}"
        if method == "PUT":
            route = route.replace("<artifact_path:path>", "dist/new.tar.gz")
        if route.startswith("api/v1/organizations/"):
            route = route.replace("<str:member>", "dora")
        return self.things.fill(route)

    def body(self, route: str, method: str, who: str) -> bytes:
        """What the request sends: it would be accepted from somebody who may."""
        if method == "PUT" and route.endswith("<artifact_path:path>"):
            return f"new bytes of {who}".encode()
        return json.dumps(self._bodies().get((route, method), {})).encode()

    def _bodies(self) -> dict[tuple[str, str], Any]:
        place = {"organization": self.things.organization, "project": self.things.project}
        name = "/".join(place.values())
        project = "api/v1/projects/<str:organization>/<str:project>"
        members = "members/<str:member>"
        publisher = {
            "issuer": "development",
            "repository_id": "4242",
            "owner_id": "77",
            "workflow_path": ".github/workflows/release.yml",
        }
        token = {"name": "mine", "project": name, "permissions": ["read"], "expires_in": 60}
        return {
            ("api/v1/organizations", "POST"): {"organization": "fresh"},
            ("api/v1/projects", "POST"): {**place, "project": "fresh"},
            (project, "PATCH"): {"is_public": True},
            (f"{project}/policy", "PUT"): {"enforcement": "observe"},
            (f"{project}/quota", "PUT"): {"bytes": {"hard": 10**12}},
            ("api/v1/organizations/<str:organization>/quota", "PUT"): {"files": {"hard": 10**6}},
            (f"{project}/retention-policy", "PUT"): RETENTION,
            ("api/v1/organizations/<str:organization>/retention-policy", "PUT"): RETENTION,
            ("api/v1/retention-policy", "PUT"): RETENTION,
            **keeping_bodies(project),
            (f"{project}/retention-policy/preview", "POST"): RETENTION,
            ("api/v1/organizations/<str:organization>/retention-policy/preview", "POST"): RETENTION,
            ("api/v1/retention-policy/preview", "POST"): RETENTION,
            (f"{project}/transparency", "PUT"): {"transparency": "private-log"},
            (f"{project}/publishers", "POST"): publisher,
            (f"{project}/digests", "POST"): {"sha256": ["ab" * 32]},
            (f"{project}/refs", "PUT"): {"allowed_refs": ["refs/heads/main"]},
            (f"{project}/{members}", "PATCH"): {"role": "uploader"},
            (f"api/v1/organizations/<str:organization>/{members}", "PATCH"): {"role": "uploader"},
            ("api/v1/builds/<uuid:build>/seal", "POST"): {
                "files": [{"path": self.things.path, "sha256": sha256(OF_THE_JOB).hexdigest()}]
            },
            ("api/v1/builds/<uuid:build>/uploads", "POST"): {
                "path": "dist/new.tar.gz",
                "sha256": sha256(OF_THE_JOB).hexdigest(),
                "size_bytes": len(OF_THE_JOB),
            },
            ("api/v1/uploads/<uuid:upload>/parts", "POST"): {
                "parts": [{"number": 1, "sha256": sha256(OF_THE_JOB).hexdigest()}]
            },
            ("api/v1/issuers/<str:name>", "PATCH"): {"longest_life_seconds": 1800},
            ("api/v1/issuers", "POST"): {"preset": "gitlab.com"},
            ("api/v1/tokens", "POST"): token,
            ("api/v1/me/tokens", "POST"): {"name": "mine", "scope": "read"},
            ("api/v1/invitations", "POST"): {**place, "invitee": "x", "role": "reader"},
            ("api/v1/invitations/accept", "POST"): {"secret": self.invitation_secret},
            ("api/v1/login", "POST"): {"username": "nobody", "password": "nothing"},
            ("_/oidc/mint-token", "POST"): {"token": "x"},
            ("_/oidc/preflight", "POST"): {"token": "x"},
        }


def assemble(attestor: Attestor, *, is_public: bool) -> Cast:
    """A project with a published release, an open build, a member, an invitation, and everybody."""
    place = _project("acme", "widget", is_public=is_public)
    other = _project("zeta", "thing", is_public=False)
    publisher = _publisher(place)
    artifact = _published(place, attestor)
    job_token, open_build = _job(place)
    acme = organization_place(place.organization)
    account("carol", project_place(place), Role.READER)
    account("dora", acme, Role.READER)
    waiting = invite_member(
        place=project_place(place),
        invitee="dave",
        role=Role.READER,
        actor=administrator(),
        now=timezone.now(),
    )
    reader = member("eva", project_place(place), Role.READER)
    verify_artifact(  # kept, so that not every request has to verify it again
        actor=reader,
        artifact=artifact,
        judge=judge(),
        base_url=settings.PUBLIC_URL,
        now=timezone.now(),
    )
    service = _token(place, Permission.READ)
    secrets: dict[str, str | None] = {
        "anonymous": None,
        "foreign person": personal_token(
            account("foreign", organization_place(other.organization), Role.OWNER)
        ),
        "foreign token": _token(other, *SERVICE_PERMISSIONS).secret,
        **{name: personal_token(account(name, acme, role)) for name, role in ROLES.items()},
        "administrator": personal_token(User.objects.create_superuser("root")),
        "read token": service.secret,
        "upload token": _token(place, Permission.READ, Permission.UPLOAD).secret,
        "job": job_token,
    }
    things = Things(
        organization="acme",
        project="widget",
        build=artifact.build_id,
        artifact=artifact.pk,
        attestation=Attestation.objects.get().pk,
        token=service.token.pk,
        publisher=publisher.pk,
        invitation=Invitation.objects.get().pk,
        member="carol",
        path=PATH,
        upload=_given_up(open_build).pk,
        plan=_plan(place).pk,
        hold=held(place).pk,
        preview=_preview(place).pk,
        action=asked_of_none(place).pk,
    )
    return Cast(secrets, things, open_build.pk, waiting.secret)


def _project(organization: str, slug: str, *, is_public: bool) -> Project:
    now = timezone.now()
    create_organization(actor=administrator(), slug=organization, now=now)
    return create_project(
        actor=administrator(),
        organization=organization,
        slug=slug,
        is_public=is_public,
        now=now,
    )


def _published(place: Project, attestor: Attestor) -> Artifact:
    published = publish_file(
        actor=administrator(),
        place=Place(place.organization.slug, place.slug, PATH),
        incoming=Incoming(chunks=iter([PUBLISHED]), declared=None),
        store=blob_store(),
        clock=timezone.now,
    )
    attest_builds(attestor=attestor, endings=endings(), clock=timezone.now)
    return visible_artifact(actor=administrator(), artifact=published.artifact.pk)


def _publisher(place: Project) -> TrustedPublisher:
    """One that the policy does not know, so that the release goes on counting."""
    now = timezone.now()
    issuer = Issuer.objects.create(
        name="development",
        url="http://127.0.0.1:9",
        platform="github",
        is_development=True,
        created_at=now,
    )
    return TrustedPublisher.objects.create(
        project=place, issuer=issuer, subject="job:x", created_at=now, created_by="the test"
    )


def _given_up(build: Build) -> Upload:
    """A direct upload of the job's; one that was pending would keep the build from its seal."""
    now = timezone.now()
    return Upload.objects.create(
        build=build,
        contribution=build.contributions.get(),
        path="dist/large",
        declared_sha256=sha256(OF_THE_JOB).hexdigest(),
        size_bytes=len(OF_THE_JOB),
        part_bytes=len(OF_THE_JOB),
        key="absent",
        state=UploadState.ABORTED,
        started_at=now,
        touched_at=now,
    )


def _plan(place: Project) -> RetentionPlan:
    return plan_retention(
        holder=Holder.of_project(place), actor=administrator(), now=timezone.now()
    )


def _preview(place: Project) -> RetentionPreview:
    return preview_retention(
        holder=Holder.of_project(place), actor=administrator(), now=timezone.now(), **RETENTION
    )


def _job(place: Project) -> tuple[str, Build]:
    secret, now = tokens.make(TokenKind.UPLOAD), timezone.now()
    permissions = (Permission.READ, Permission.UPLOAD)
    Token.objects.create(
        kind=TokenKind.UPLOAD.value,
        name="a job",
        secret_sha256=secret.sha256,
        project=place,
        permissions=[one.value for one in permissions],
        facts=JOB.to_json(),
        job_key=JOB.job_key,
        created_at=now,
        created_by="ci:acme/widget#1",
        expires_at=now + timedelta(minutes=15),
    )
    actor = Actor(
        "ci:acme/widget#1",
        frozenset(Grant(one, place.pk) for one in permissions),
        Workload(JOB.job_key, JOB.to_json()),
    )
    build = start_build(actor=actor, wanted=Wanted("acme", "widget"), now=now).build
    send(actor, build, MemoryBlobStore(), PATH, OF_THE_JOB)
    return secret.text, build


def _token(place: Project, *permissions: Permission) -> CreatedToken:
    return create_token(
        name="a service",
        project=place,
        permissions=permissions,
        life=timedelta(hours=1),
        actor=administrator(),
        now=timezone.now(),
    )
