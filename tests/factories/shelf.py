"""Artifacts of many kinds, as rows: for rules about them, which never look at bytes."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from artifacts.domain.declarations import Kind as Use
from artifacts.domain.lifecycle import BuildState
from artifacts.models import (
    Artifact,
    Blob,
    BlobState,
    Build,
    Contribution,
    DeclaredUse,
    Download,
    Hold,
    Project,
    Yank,
)
from provenance.models import Attestation, AttestationRequest, AttestationSubject, RequestState


@dataclass(frozen=True, slots=True)
class Kind:
    """What a rule can ask of an artifact; times in days behind the first."""

    path: str = "dist/widget.tar"
    ref: str = "refs/heads/main"
    is_protected: bool = True
    outcome: BuildState = BuildState.PUBLISHED
    size_bytes: int = 100
    stored: int = 0
    downloaded: int | None = None
    predicate: str = ""
    asked_life_days: int | None = None
    bytes_of: str = ""
    is_yanked: bool = False
    held_to: int | None = None
    used_to: int | None = None


def put(project: Project, kind: Kind, *, first: datetime) -> Artifact:
    """A row of this kind, with a build, a blob, a download and an attestation of its own."""
    stored_at = first + timedelta(days=kind.stored)
    build = Build.objects.create(
        project=project,
        origin="release",
        opened_by="the test",
        state=kind.outcome,
        asked_life_days=kind.asked_life_days,
        opened_at=stored_at,
        sealed_at=stored_at,
        published_at=stored_at,
    )
    artifact = Artifact.objects.create(
        project=project,
        build=build,
        contribution=Contribution.objects.create(build=build, job="release", joined_at=stored_at),
        path=kind.path,
        blob=_blob(kind.bytes_of or str(build.pk), kind.size_bytes, stored_at),
        ref=kind.ref,
        ref_is_protected=kind.is_protected,
        asked_life_days=kind.asked_life_days,
        stored_at=stored_at,
    )
    if kind.downloaded is not None:
        download(artifact, first + timedelta(days=kind.downloaded), "allowed")
        # Who is refused is no reader.
        download(artifact, first + timedelta(days=kind.downloaded + 100), "refused")
    if kind.predicate:
        _attest(artifact, kind.predicate)
    _say_more(artifact, kind, first=first)
    return artifact


def _say_more(artifact: Artifact, kind: Kind, *, first: datetime) -> None:
    at = artifact.stored_at
    if kind.is_yanked:
        Yank.objects.create(artifact=artifact, reason="bad", marked_at=at, marked_by="the test")
    if kind.held_to is not None:
        Hold.objects.create(
            project=artifact.project,
            artifact_id=artifact.pk,
            reason="case",
            placed_at=first - timedelta(days=1),
            placed_by="the test",
            ends_at=first + timedelta(days=kind.held_to),
        )
    if kind.used_to is not None:
        DeclaredUse.objects.create(
            project=artifact.project,
            sha256=artifact.blob.sha256,
            kind=Use.RELEASE,
            identity=str(artifact.pk),
            document={},
            protects=True,
            ends_at=first + timedelta(days=kind.used_to),
            declared_at=at,
            declared_by="the test",
        )


def _blob(text: str, size_bytes: int, stored_at: datetime) -> Blob:
    digest = sha256(text.encode()).hexdigest()
    found, _is_new = Blob.objects.get_or_create(
        sha256=digest,
        state=BlobState.LIVE,
        defaults={"size_bytes": size_bytes, "key": f"blobs/{digest}", "stored_at": stored_at},
    )
    return found


def download(artifact: Artifact, at: datetime, verdict: str) -> None:
    Download.objects.create(
        at=at,
        project_id=artifact.project_id,
        build_id=artifact.build_id,
        artifact_id=artifact.pk,
        path=artifact.path,
        sha256=artifact.blob.sha256,
        actor="somebody",
        way="stream" if verdict == "allowed" else "none",
        verdict=verdict,
    )


def _attest(artifact: Artifact, predicate_type: str) -> None:
    scope = artifact.project.scope
    request = AttestationRequest.objects.create(
        organization_id=scope.organization,
        project_id=scope.project,
        build_id=artifact.build_id,
        subjects=[],
        opened_at=artifact.stored_at,
        sealed_at=artifact.stored_at,
        requested_at=artifact.stored_at,
        next_attempt_at=artifact.stored_at,
        statement=b"what was said",
        state=RequestState.ATTESTED,
    )
    bundle = json.dumps({"about": str(artifact.pk)}).encode()
    attestation = Attestation.objects.create(
        request=request,
        organization_id=scope.organization,
        project_id=scope.project,
        build_id=artifact.build_id,
        predicate_type=predicate_type,
        bundle=bundle,
        bundle_sha256=sha256(bundle).hexdigest(),
        recorded_at=artifact.stored_at,
    )
    AttestationSubject.objects.create(
        attestation=attestation,
        project_id=scope.project,
        build_id=artifact.build_id,
        sha256=artifact.blob.sha256,
        name=artifact.path,
    )
