"""What has gone, as rows: for rules about what is left of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from artifacts.models import Artifact, Project, Tombstone, TrashedArtifact
from artifacts.models.artifact import NamedFile
from provenance.domain import slsa_v1
from provenance.models import Attestation, AttestationRequest, AttestationSubject, RequestState
from tests.factories.shelf import Kind, put

ATTESTED = Kind(predicate=slsa_v1.PREDICATE_TYPE)
REMOVAL = b'{"about": "a removal"}'


@dataclass(frozen=True, slots=True)
class Gone:
    """A build whose only file is gone."""

    tombstone: Tombstone
    attestation: Attestation


def gone(project: Project, path: str = "a", *, first: datetime, buried_at: datetime) -> Gone:
    """One, with an attestation of it that is kept."""
    artifact = put(project, replace(ATTESTED, path=path), first=first)
    attestation = Attestation.objects.get(build_id=artifact.build_id)
    return Gone(bury_row(artifact, at=buried_at), attestation)


def beside(first: Artifact, path: str) -> Artifact:
    """Another file of the same build, with the same bytes."""
    return Artifact.objects.create(**{**_row(first), "path": path})


def trash_row(artifact: Artifact, *, at: datetime) -> TrashedArtifact:
    """The file in the trash, however it came there."""
    Artifact.objects.filter(pk=artifact.pk).delete()
    return TrashedArtifact.objects.create(
        id=artifact.pk,
        **_row(artifact),
        removed_at=at,
        removed_by="the test",
        restorable_until=at + timedelta(days=7),
        reason="by hand",
    )


def bury_row(artifact: Artifact, *, at: datetime) -> Tombstone:
    """Its tombstone, with a removal of its own that somebody has signed."""
    row = _row(artifact)
    blob, evidence = row.pop("blob"), _evidence(artifact)
    for name in ("contribution", "ref_is_protected", "asked_life_days"):
        del row[name]
    Artifact.objects.filter(pk=artifact.pk).delete()
    return Tombstone.objects.create(
        artifact_id=artifact.pk,
        **row,
        sha256=blob.sha256,
        size_bytes=blob.size_bytes,
        removed_at=at,
        removed_by="the test",
        buried_at=at,
        reason="by hand",
        attestation=_removal(artifact.project, at=at),
        was_published=evidence is not None,
        evidence=evidence,
    )


def _evidence(artifact: Artifact) -> Attestation | None:
    found = AttestationSubject.objects.filter(build_id=artifact.build_id)
    subject = found.select_related("attestation").first()
    return subject.attestation if subject is not None else None


def _row(artifact: NamedFile) -> dict[str, Any]:
    names = [one.name for one in NamedFile._meta.local_fields if one.name != "id"]  # noqa: SLF001 - Django documents it
    return {name: getattr(artifact, name) for name in names}


def _removal(project: Project, *, at: datetime) -> Attestation:
    scope = project.scope
    request = AttestationRequest.objects.create(
        organization_id=scope.organization,
        project_id=scope.project,
        subjects=[],
        opened_at=at,
        sealed_at=at,
        requested_at=at,
        next_attempt_at=at,
        statement=b"that it was removed",
        state=RequestState.ATTESTED,
    )
    return Attestation.objects.create(
        request=request,
        organization_id=scope.organization,
        project_id=scope.project,
        predicate_type="https://store.test/predicates/removal/v1",
        bundle=REMOVAL,
        bundle_sha256=sha256(REMOVAL).hexdigest(),
        recorded_at=at,
    )
