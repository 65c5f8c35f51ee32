"""Publish one file: a build of its own, received, sealed and sent to be attested (steps 1 to 4).

Bytes before rows: a crash in between leaves a blob that nothing refers to, never a row without
bytes. The file becomes visible when its attestation has been recorded.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from artifacts.domain.names import parse_path
from artifacts.domain.origin import origin_of, witnessed_by
from artifacts.errors import PathTaken
from artifacts.models import Artifact
from artifacts.ports import BlobStore, StoredBytes
from artifacts.queries import Place, require_name_free
from artifacts.queries.immutable import require_name_new
from artifacts.queries.slots import FoundName, given_name, named_slot
from artifacts.usecases.add_file import add_file
from artifacts.usecases.count_use import require_room
from artifacts.usecases.join_build import join_own_build
from artifacts.usecases.keep_one_copy import keep_one_copy
from artifacts.usecases.open_build import open_build
from artifacts.usecases.seal_build import ask_for_statements, brought
from kernel import faults
from kernel.actor import Actor, Permission
from kernel.connections import give_back
from kernel.digest import Sha256

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Incoming:
    """Bytes on their way in, with the digest and the size that the sender declared for them.

    `asked_life_days` is of a file that is a build of its own; others have their build's.
    """

    chunks: Iterable[bytes]
    declared: Sha256 | None
    size_bytes: int | None = None
    asked_life_days: int | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """The artifact that now stands at the path; `is_new` is False for a repeated upload.

    Where `may_expire` is False, no policy and no job had said anything when it was recorded.
    """

    artifact: Artifact
    is_new: bool
    may_expire: bool = True


@dataclass(frozen=True, slots=True)
class _Upload:
    """Who uploads what to where, once all that can be known without the bytes is known."""

    actor: Actor
    place: Place
    found: FoundName
    opened_at: datetime
    asked_life_days: int | None


def publish_file(
    *,
    actor: Actor,
    place: Place,
    incoming: Incoming,
    store: BlobStore,
    clock: Callable[[], datetime],
) -> Published:
    """Receive one file, store it for good, seal its build and ask for provenance.

    The same bytes at the same path of the same origin again give the artifact that is there.
    `clock` instead of a moment, because minutes may lie between the first byte and the last.

    Raises:
        ProjectNotFound: there is no such project for this actor.
        Unauthenticated, PermissionMissing: the actor may not upload to it.
        UnsafePath: the path is not a name for an artifact.
        PathTaken: the path names other bytes already, or did before they expired.
        ArtifactExpired, ArtifactRemoved: it named these, and they have been removed since.
        NameImmutable: a rule gives this name to one digest alone, and it has another.
        DigestMismatch: the bytes are not the bytes that were declared; nothing was kept.
        QuotaExceeded: the organization or the project has as much as it may have.
        StorageFull, StorageUnavailable: they cannot be stored; nothing was kept.
    """
    upload = _authorise(actor, place, incoming, opened_at=clock())
    found = upload.found
    if incoming.declared is not None and _existing(found, incoming.declared) is None:
        # For kindness: a gigabyte need not travel to be refused. Whether the bytes really are
        # what was declared is only ever decided by measuring them.
        require_room(
            project=found.project,
            digest=incoming.declared,
            size_bytes=incoming.size_bytes or 0,
            now=upload.opened_at,
        )
    # A slow upload must not keep a database connection from others.
    give_back()
    stored = store.put(incoming.chunks, expected=incoming.declared)
    faults.reach("artifacts.received")
    published = _record(upload, stored, now=clock())
    faults.reach("artifacts.sealed")
    keep_one_copy(blob=published.artifact.blob, sent=stored, store=store, now=clock())
    return published


def same_bytes(*, existing: Artifact, digest: Sha256) -> Artifact:
    """What stands at the path, if it has this digest.

    Raises:
        PathTaken: it has another one.
    """
    if existing.blob.sha256 != digest.hex:
        raise PathTaken(
            path=existing.path,
            existing_sha256=existing.blob.sha256,
            sent_sha256=digest.hex,
            artifact=existing.pk,
        )
    return existing


def _authorise(actor: Actor, place: Place, incoming: Incoming, *, opened_at: datetime) -> _Upload:
    found = named_slot(actor=actor, place=place, origin=origin_of(actor))
    actor.require(Permission.UPLOAD, project=found.project.pk)
    witnessed_by(actor)  # refuses facts that no statement could be made of, before any byte
    parse_path(place.path)
    return _Upload(actor, place, found, opened_at, incoming.asked_life_days)


def _existing(found: FoundName, digest: Sha256) -> Artifact | None:
    """What stands at the path already, if it has this digest."""
    if found.artifact is not None:
        return same_bytes(existing=found.artifact, digest=digest)
    require_name_free(found.gone, digest=digest)
    return None


def _record(upload: _Upload, stored: StoredBytes, *, now: datetime) -> Published:
    """Write build, blob, artifact and request as one; of racing uploads exactly one does.

    Where the name was free before the bytes came, whoever took it since is met by writing.
    """
    if upload.found.artifact is not None:
        existing = _existing_now(upload, stored)
        if existing is not None:
            return Published(existing, is_new=False)
    try:
        with transaction.atomic(durable=True):
            published = _seal(upload, stored, now=now)
            faults.reach("artifacts.sealing")
    except IntegrityError:
        winner = _existing_now(upload, stored)
        if winner is None:
            raise  # it was not about the path
        return Published(winner, is_new=False)
    artifact = published.artifact
    logger.info(
        "artifact stored",
        extra={
            "project": str(artifact.project),
            "artifact": str(artifact.pk),
            "sha256": stored.digest.hex,
            "size_bytes": stored.size_bytes,
        },
    )
    return published


def _existing_now(upload: _Upload, stored: StoredBytes) -> Artifact | None:
    actor, place = upload.actor, upload.place
    return _existing(named_slot(actor=actor, place=place, origin=origin_of(actor)), stored.digest)


def _seal(upload: _Upload, stored: StoredBytes, *, now: datetime) -> Published:
    actor, project, path = upload.actor, upload.found.project, upload.place.path
    build = open_build(
        project=project,
        actor=actor,
        opened_at=upload.opened_at,
        asked_life_days=upload.asked_life_days,
        sealed_at=now,
    )
    contribution = join_own_build(build=build, actor=actor, joined_at=upload.opened_at)
    artifact = add_file(
        actor=actor,
        contribution=contribution,
        path=path,
        origin=build.origin,
        stored=stored,
        now=now,
    )
    # After the row: a run that takes the last of the name away is waited for there.
    given = given_name(project=project, origin=build.origin, path=path)
    require_name_free(given.gone, digest=stored.digest)
    if given.has_policies:
        require_name_new(artifact)
    came = brought(contribution=contribution, artifacts=[artifact])
    ask_for_statements(build=build, brought=[came], now=now)
    may_expire = given.has_policies or build.asked_life_days is not None
    return Published(artifact, is_new=True, may_expire=may_expire)
