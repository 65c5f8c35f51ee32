"""The JSON of projects, builds and artifacts: every member is named here, and nothing leaks in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, overload

from artifacts.api.keeping_shapes import MarkDocument
from artifacts.api.links import (
    artifact_url,
    build_url,
    named_download_url,
    organization_url,
    project_url,
)
from artifacts.api.retention_shapes import CitedRuleDocument, ExpiryDocument
from artifacts.api.shapes import (
    ArtifactDocument,
    AttestationRequestDocument,
    AttestationState,
    BuildDocument,
    BuildSummary,
    FileDocument,
    FoundDocument,
    OpenBuildDocument,
    OrganizationDocument,
    ProjectDocument,
)
from artifacts.domain.lifecycle import BuildState
from artifacts.domain.origin import RELEASE
from artifacts.domain.retention import Cited, Decision
from artifacts.models import Artifact, Build, Mark, Organization, Project
from artifacts.queries.retention import holder_of
from provenance.queries import RequestStatus

ATTESTATION_STATUS: Final[Mapping[BuildState, AttestationState]] = {
    BuildState.OPEN: "pending",
    BuildState.SEALED: "pending",
    BuildState.PUBLISHED: "published",
    BuildState.REFUSED: "refused",
}


def organization_document(organization: Organization) -> OrganizationDocument:
    """An organization."""
    return {
        "id": str(organization.pk),
        "organization": organization.slug,
        "created_at": rfc3339(organization.created_at),
        "urls": {"self": organization_url(organization)},
    }


def project_document(project: Project) -> ProjectDocument:
    """A project and where its parts are."""
    url = project_url(project)
    return {
        "id": str(project.pk),
        "organization": project.organization.slug,
        "project": project.slug,
        "is_public": project.is_public,
        "created_at": rfc3339(project.created_at),
        "urls": {
            "self": url,
            "builds": f"{url}/builds",
            "files": f"{url}/files",
            "latest": f"{url}/latest/{{path}}{{?ref}}",
            "upload": f"{url}/artifacts/{{path}}",
        },
    }


def artifact_document(artifact: Artifact, expiry: Decision) -> ArtifactDocument:
    """An artifact, the state of its build, and where to go from here."""
    build = artifact.build
    return {
        "id": str(artifact.pk),
        "path": artifact.path,
        "sha256": artifact.blob.sha256,
        "size_bytes": artifact.blob.size_bytes,
        "stored_at": rfc3339(artifact.stored_at),
        "project": str(artifact.project),
        "build": {"id": str(build.pk), "state": build.state},
        "attestation": {"status": ATTESTATION_STATUS[BuildState(build.state)]},
        "expiry": expiry_document(expiry, artifact.project),
        "yanked": mark_document(getattr(artifact, "yank", None)),
        "quarantined": mark_document(getattr(artifact, "quarantine", None)),
        "urls": {
            "self": artifact_url(artifact),
            "download": artifact_url(artifact, "/download"),
            "members": artifact_url(artifact, "/members"),
            "download_by_name": named_download_url(artifact),
            "verification": artifact_url(artifact, "/verification"),
            "attestations": artifact_url(artifact, "/attestations"),
            "build": build_url(build),
        },
    }


@overload
def mark_document(mark: Mark) -> MarkDocument: ...
@overload
def mark_document(mark: Mark | None) -> MarkDocument | None: ...
def mark_document(mark: Mark | None) -> MarkDocument | None:
    """Why an artifact has a mark; None where it has none."""
    if mark is None:
        return None
    return {"reason": mark.reason, "at": rfc3339(mark.marked_at), "by": mark.marked_by}


def expiry_document(expiry: Decision, project: Project) -> ExpiryDocument:
    """When an artifact of the project expires, and why."""
    return {
        "expires_at": rfc3339(expiry.expires_at),
        "rule": cited_document(expiry.rule, project),
        "kept_by": cited_document(expiry.kept_by, project),
    }


def cited_document(cited: Cited | None, project: Project) -> CitedRuleDocument | None:
    """A rule, and whose it is; None where none says so."""
    if cited is None:
        return None
    return {
        "name": cited.name,
        "level": cited.level.word,
        "of": holder_of(cited, project),
        "version": cited.version,
    }


def build_summary(build: Build) -> BuildSummary:
    """A build as a row of a list."""
    return {
        "id": str(build.pk),
        "state": build.state,
        "origin": build.origin,
        "name": build.name,
        "is_shared": build.is_shared,
        "has_ci_identity": build.origin != RELEASE,
        "ref": build.ref,
        "commit": build.commit,
        "asked_life_days": build.asked_life_days,
        "opened_at": rfc3339(build.opened_at),
        "sealed_at": rfc3339(build.sealed_at),
        "published_at": rfc3339(build.published_at),
        "url": build_url(build),
    }


def opened_document(build: Build) -> OpenBuildDocument:
    """A build for one of its jobs: where its files go, and how it ends."""
    url = build_url(build)
    return {
        **build_summary(build),
        "project": str(build.project),
        "urls": {
            "self": url,
            "upload": f"{url}/files/{{path}}",
            "seal": f"{url}/seal",
            "uploads": f"{url}/uploads",
        },
    }


@dataclass(frozen=True, slots=True)
class FirstFiles:
    """The first files of a build by path, and how many it has in all."""

    artifacts: Sequence[Artifact]
    count: int


def build_document(
    build: Build, files: FirstFiles, requests: Sequence[RequestStatus]
) -> BuildDocument:
    """A build with its first files, why it was refused if it was, and how its attestation goes."""
    return {
        **build_summary(build),
        "project": str(build.project),
        "refused": build.refused,
        "attestation": {
            "status": ATTESTATION_STATUS[BuildState(build.state)],
            "requests": [request_document(request) for request in requests],
        },
        "artifact_count": files.count,
        "artifacts": [file_document(artifact) for artifact in files.artifacts],
        "urls": {"self": build_url(build), "files": f"{build_url(build)}/files"},
    }


def file_document(artifact: Artifact) -> FileDocument:
    """An artifact as a row of its build's files."""
    return {
        "id": str(artifact.pk),
        "path": artifact.path,
        "sha256": artifact.blob.sha256,
        "size_bytes": artifact.blob.size_bytes,
        "job": artifact.contribution.job,
        "is_yanked": getattr(artifact, "yank", None) is not None,
        "url": artifact_url(artifact),
    }


def found_document(artifact: Artifact) -> FoundDocument:
    """An artifact as a row of what was found in its project."""
    return {
        "id": str(artifact.pk),
        "path": artifact.path,
        "sha256": artifact.blob.sha256,
        "size_bytes": artifact.blob.size_bytes,
        "ref": artifact.ref,
        "stored_at": rfc3339(artifact.stored_at),
        "build": {"id": str(artifact.build_id), "state": artifact.build.state},
        "url": artifact_url(artifact),
    }


@overload
def rfc3339(moment: datetime) -> str: ...
@overload
def rfc3339(moment: None) -> None: ...
@overload
def rfc3339(moment: datetime | None) -> str | None: ...
def rfc3339(moment: datetime | None) -> str | None:
    """A time in UTC as RFC 3339, or None for what has not happened."""
    return moment.isoformat().replace("+00:00", "Z") if moment is not None else None


def request_document(request: RequestStatus) -> AttestationRequestDocument:
    """What somebody who waits can use: the reason in codes, not the signer's inner words."""
    error = request.last_error or {}
    return {
        "state": request.state,
        "attempts": request.attempts,
        "next_attempt_at": rfc3339(request.next_attempt_at),
        "last_error": _text(error, "code"),
        "reason": _text(error, "reason"),
        "service": _text(error, "service"),
        "confirmation": request.confirmation,
    }


def _text(facts: Mapping[str, object], name: str) -> str | None:
    fact = facts.get(name)
    return str(fact) if fact is not None else None
