"""Declare that bytes are in use outside: they are kept as long as the declaration says so."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from artifacts.domain.declarations import Kind, identity, protects
from artifacts.errors import ArtifactNotFound
from artifacts.models import Artifact, DeclaredUse, Project, Tombstone, TrashedArtifact
from artifacts.queries.locking import holds_change
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from kernel.digest import Sha256


def declare_use(
    *,
    project: Project,
    kind: Kind,
    document: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> DeclaredUse:
    """Write it down, or what is now said of it; `document` has a digest and a status.

    What a run is about to take is spared from then on, as with a hold.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the project.
        MalformedDigest: it is no `sha256:…`.
        ArtifactNotFound: the project has no such bytes, and never had.
    """
    actor.require(Permission.ADMINISTER, project=project.pk)
    digest = Sha256(str(document["digest"]).removeprefix("sha256:"))
    if not _has_bytes(project, digest):
        raise ArtifactNotFound
    with transaction.atomic(durable=True):
        holds_change()
        declared, _is_new = DeclaredUse.objects.update_or_create(
            project=project,
            kind=kind,
            identity=identity(kind, document),
            defaults={
                "sha256": digest.hex,
                "document": dict(document),
                "protects": protects(kind, document),
                "declared_at": now,
                "declared_by": actor.name,
            },
        )
        record(
            actor,
            "use.declare",
            str(project),
            now=now,
            organization=project.organization_id,
            declaration=str(declared.pk),
            kind=kind,
            document=dict(document),
        )
    return declared


def _has_bytes(project: Project, digest: Sha256) -> bool:
    """Whether the project has them, or had: somebody else's copy keeps the evidence of those."""
    return (
        any(
            one.objects.filter(project=project, blob__sha256=digest.hex).exists()
            for one in (Artifact, TrashedArtifact)
        )
        or Tombstone.objects.filter(project=project, sha256=digest.hex).exists()
    )
