"""Windows for staff: organizations, projects, builds, files, their bytes, and who got them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.transfer import PENDING, UploadState
from artifacts.models import (
    AllowedRef,
    Artifact,
    Blob,
    BlobState,
    Build,
    Contribution,
    Download,
    Organization,
    Project,
    StoreProbe,
    Upload,
)
from artifacts.queries import find_project
from artifacts.usecases.verify_artifact import verify_artifact
from kernel.digest import Sha256
from kernel.errors import Refusal
from kernel.staff import shown
from kernel.staff.confirmed import staff_actor
from kernel.staff.lists import ALL
from kernel.staff.marks import column
from kernel.staff.pages import ReadOnly
from provenance import wiring as provenance_wiring

_BUILDS = {
    BuildState.PUBLISHED.value: shown.GOOD,
    BuildState.SEALED.value: shown.WAITING,
    BuildState.OPEN.value: shown.WAITING,
    BuildState.REFUSED.value: shown.BAD,
}
_UPLOADS = {
    UploadState.STORED.value: shown.GOOD,
    UploadState.OPEN.value: shown.WAITING,
    UploadState.MEASURING.value: shown.WAITING,
    UploadState.REFUSED.value: shown.BAD,
}


def as_digest(term: str) -> str | None:
    """The SHA-256 that this is, if it is one."""
    try:
        return Sha256(term.lower()).hex
    except Refusal:
        return None


def as_project(term: str) -> Project | None:
    """The project that is called `organization/project`, if there is one."""
    organization, _, project = term.partition("/")
    return find_project(organization=organization, project=project)


@admin.register(Organization)
class OrganizationAdmin(ReadOnly):
    """Tenants."""

    newest_first = ("-created_at", "id")
    list_display = ("slug", "id", "created_at")
    search_help_text = "how a slug begins"
    fields = ("slug", "id", "created_at", "projects")
    readonly_fields = fields

    def look_for(self, term: str) -> Q | None:
        return Q(slug__startswith=term)

    @column("more")
    def projects(self, one: Organization) -> str:
        return shown.rows("artifacts_project", "its projects", organization__id__exact=one.pk)


@admin.register(Project)
class ProjectAdmin(ReadOnly):
    """What uploads go to."""

    newest_first = ("-created_at", "id")
    list_display = ("__str__", "is_public", "id", "created_at")
    list_select_related = ("organization",)
    search_help_text = "how a slug begins, or organization/project"
    fields = ("slug", "organization", "is_public", "id", "created_at", "more")
    readonly_fields = fields

    def look_for(self, term: str) -> Q | None:
        organization, slash, project = term.partition("/")
        if slash:
            return Q(organization__slug=organization, slug__startswith=project)
        return Q(slug__startswith=term)

    @column("more")
    def more(self, one: Project) -> str:
        return shown.several(
            shown.rows("artifacts_build", "builds", project__id__exact=one.pk),
            shown.rows("artifacts_download", "download log", project_id__exact=one.pk),
            shown.rows("access_trustedpublisher", "publishers", project__id__exact=one.pk),
            shown.rows("provenance_storedpolicy", "policies", q=one.pk),
        )


@admin.register(Build)
class BuildAdmin(ReadOnly):
    """Builds, newest first."""

    newest_first = ("-opened_at", "id")
    shows: ClassVar = {
        ALL: Q(),
        "open": Q(state=BuildState.OPEN),
        "waiting for their statement": Q(state=BuildState.SEALED),
        "refused": Q(state=BuildState.REFUSED),
    }
    list_display = ("key", "project", "name", "outcome", "ref", "opened_by", "opened")
    list_select_related = ("project__organization",)
    search_help_text = "a build's id, or organization/project"
    fields = (
        *("id", "project", "name", "outcome", "why", "ref", "commit", "opened_by", "is_shared"),
        *("opened", "sealed", "published", "origin", "more"),
    )
    readonly_fields = fields

    def look_for(self, term: str) -> Q | None:
        key, project = shown.as_uuid(term), as_project(term)
        if key is not None:
            return Q(pk=key)
        return Q(project=project) if project is not None else None

    @column("id")
    def key(self, one: Build) -> str:
        return shown.begun(one.pk)

    @column("state", label=_BUILDS)
    def outcome(self, one: Build) -> str:
        return one.state

    @column("why it was refused")
    def why(self, one: Build) -> str:
        return shown.reason(one.refused)

    @column("opened")
    def opened(self, one: Build) -> str:
        return shown.moment(one.opened_at)

    @column("sealed")
    def sealed(self, one: Build) -> str:
        return shown.moment(one.sealed_at)

    @column("published")
    def published(self, one: Build) -> str:
        return shown.moment(one.published_at)

    @column("more")
    def more(self, one: Build) -> str:
        return shown.several(
            shown.rows("artifacts_artifact", "files", build__id__exact=one.pk),
            shown.rows("artifacts_contribution", "who brought them", build__id__exact=one.pk),
            shown.rows("artifacts_upload", "direct uploads", build__id__exact=one.pk, show=ALL),
            shown.rows("provenance_attestationrequest", "signing queue", q=one.pk, show=ALL),
            shown.rows("provenance_attestation", "attestations", q=one.pk),
        )


@admin.register(Contribution)
class ContributionAdmin(ReadOnly):
    """What was witnessed of the tokens that brought files, newest first."""

    newest_first = ("-id",)
    list_display = ("job", "build", "joined_at")
    list_select_related = ("build",)
    fields = ("job", "build", "joined_at", "facts")
    readonly_fields = fields

    @column("witnessed facts")
    def facts(self, one: Contribution) -> str:
        return shown.document(one.witnessed)


@admin.register(Artifact)
class ArtifactAdmin(ReadOnly):
    """Named files: those of the newest builds first."""

    # By the token that brought them: rows are written in that order, and an index is there.
    newest_first = ("-contribution_id", "id")
    list_display = ("path", "project", "size", "stored", "digest")
    list_select_related = ("project__organization", "blob")
    search_help_text = "an SHA-256, an artifact's or a build's id, or organization/project/path"
    fields = ("path", "project", "build", "blob", "size", "ref", "stored", "id", "contribution")
    readonly_fields = fields
    change_form_outer_after_template = "staff/verification.html"

    def look_for(self, term: str) -> Q | None:
        digest, key = as_digest(term), shown.as_uuid(term)
        if digest is not None:
            return Q(blob__sha256=digest, blob__state=BlobState.LIVE)
        if key is not None:
            return Q(pk=key) | Q(build_id=key)
        organization, _, rest = term.partition("/")
        slug, _, path = rest.partition("/")
        project = find_project(organization=organization, project=slug)
        return Q(project=project, path=path) if project is not None else None

    def order_of(self, term: str) -> Sequence[str]:
        # Of one path, the index by path has the newest first.
        return ("-stored_at", "id") if "/" in term else self.newest_first

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        found = Artifact.objects.select_related("blob", "build", "project__organization")
        key = shown.as_uuid(object_id)
        artifact = found.filter(pk=key).first() if key is not None else None
        verification = _verification(request, artifact) if artifact is not None else None
        more = {**(extra_context or {}), "verification": verification}
        response: HttpResponse = super().change_view(request, object_id, form_url, more)
        return response

    @column("size")
    def size(self, one: Artifact) -> str:
        return shown.size(one.blob.size_bytes)

    @column("SHA-256")
    def digest(self, one: Artifact) -> str:
        return shown.begun(one.blob.sha256)

    @column("stored")
    def stored(self, one: Artifact) -> str:
        return shown.moment(one.stored_at)


def _verification(request: HttpRequest, artifact: Artifact) -> dict[str, Any]:
    try:
        document = verify_artifact(
            actor=staff_actor(request),
            artifact=artifact,
            judge=provenance_wiring.judge(),
            base_url=settings.PUBLIC_URL,
            now=timezone.now(),
        ).document
    except Refusal as refusal:
        return {"refusal": refusal.title(), "code": refusal.code}
    attestations = [
        {**one, "url": shown.row_url("provenance_attestation", one["id"])}
        for one in document["attestations"]
    ]
    return {"document": document, "attestations": attestations}


@admin.register(Blob)
class BlobAdmin(ReadOnly):
    """Immutable bytes."""

    newest_first = ("-id",)
    shows: ClassVar = {
        ALL: Q(),
        "without a name": Q(unreferenced_at__isnull=False),
        "on their way out": Q(state=BlobState.COLLECTING),
    }
    list_display = ("sha256", "size", "state", "stored_at", "unreferenced_at")
    search_help_text = "an SHA-256"
    fields = (
        *("sha256", "size", "size_bytes", "state", "stored_at", "unreferenced_at", "key", "etag"),
        *("version_id", "more"),
    )
    readonly_fields = fields

    def look_for(self, term: str) -> Q | None:
        digest = as_digest(term)
        if digest is None:
            return None
        # Each of the two has an index of its own.
        live = Q(sha256=digest, state=BlobState.LIVE)
        return live | Q(sha256=digest, state=BlobState.COLLECTING)

    @column("size")
    def size(self, one: Blob) -> str:
        return shown.size(one.size_bytes)

    @column("more")
    def more(self, one: Blob) -> str:
        return shown.rows("artifacts_artifact", "what is named so", q=one.sha256)


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    """Direct uploads: those that wait first, with how far they are."""

    newest_first = ("-started_at", "id")
    shows: ClassVar = {"waiting": Q(state__in=PENDING), ALL: Q()}
    list_display = ("path", "build", "outcome", "progress", "attempts", "why", "started")
    list_select_related = ("build",)
    fields = (
        *("id", "path", "build", "contribution", "artifact", "outcome", "progress", "attempts"),
        *("why", "started", "touched_at", "completed_at", "next_attempt_at", "leased_until"),
        *("declared_sha256", "size_bytes", "part_bytes", "started_by", "key"),
    )
    readonly_fields = fields
    search_help_text = "an upload's id, or a build's"

    def look_for(self, term: str) -> Q | None:
        key = shown.as_uuid(term)
        return None if key is None else Q(pk=key) | Q(build_id=key)

    @column("state", label=_UPLOADS)
    def outcome(self, one: Upload) -> str:
        return one.state

    @column("progress")
    def progress(self, one: Upload) -> str:
        whole = shown.size(one.size_bytes)
        if one.state == UploadState.OPEN:
            return f"{whole}, being sent"
        share = one.measured_bytes * 100 // one.size_bytes if one.size_bytes else 100
        return f"{shown.size(one.measured_bytes)} of {whole} measured ({share} %)"

    @column("why it waits or ended")
    def why(self, one: Upload) -> str:
        return shown.reason(one.refused or one.last_error)

    @column("started")
    def started(self, one: Upload) -> str:
        return shown.moment(one.started_at)


@admin.register(StoreProbe)
class StoreProbeAdmin(ReadOnly):
    """What was found when the bucket was tried."""

    newest_first = ("-probed_at", "pk")
    list_display = ("place", "missing_for_direct", "probed_at")
    fields = ("place", "probed_at", "missing", "found")
    readonly_fields = fields

    @column("missing for direct uploads")
    def missing(self, one: StoreProbe) -> str:
        return shown.document(one.missing_for_direct)

    @column("findings")
    def found(self, one: StoreProbe) -> str:
        return shown.document(one.findings)


@admin.register(AllowedRef)
class AllowedRefAdmin(ReadOnly):
    """Refs that count for a project's latest although nobody protects them."""

    newest_first = ("-id",)
    list_display = ("pattern", "project", "allowed_at")
    list_select_related = ("project__organization",)


@admin.register(Download)
class DownloadAdmin(ReadOnly):
    """Who was given what, newest first."""

    newest_first = ("-at", "id")
    list_display = ("at", "actor", "address", "path", "way", "verdict", "reason")
    search_help_text = (
        "organization/project, and behind it, if wanted, an SHA-256, an artifact's id or an actor"
    )
    fields = (
        *("at", "actor", "address", "project", "artifact", "path", "member", "sha256", "way"),
        *("byte_range", "verdict", "reason", "decided", "request_id"),
    )
    readonly_fields = fields

    def look_for(self, term: str) -> Q | None:
        name, _, rest = term.partition(" ")
        project = as_project(name)
        if project is None:
            return None
        digest, key = as_digest(rest), shown.as_uuid(rest)
        more = Q(actor=rest) if rest else Q()
        more = Q(sha256=digest) if digest is not None else more
        more = Q(artifact_id=key) if key is not None else more
        return Q(project_id=project.pk) & more

    @column("project")
    def project(self, one: Download) -> str:
        return shown.row("artifacts_project", one.project_id)

    @column("artifact")
    def artifact(self, one: Download) -> str:
        return shown.row("artifacts_artifact", one.artifact_id)

    @column("decision")
    def decided(self, one: Download) -> str:
        return shown.row("provenance_storeddecision", one.decision or None)
