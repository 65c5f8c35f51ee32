"""Receive one file of a build that is open (steps 2 and 3).

Bytes before rows, and no lock while bytes flow: only the short transaction at the end holds the
build open, together with all other uploads to it. Who seals it waits for those, and they are in.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from artifacts.domain.file_counts import FileCounts
from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import parse_path
from artifacts.errors import BuildFull, BuildNotFound, BuildSealed
from artifacts.models import Artifact, Build
from artifacts.ports import BlobStore, StoredBytes
from artifacts.queries import artifact_of_build
from artifacts.queries.immutable import require_name_new
from artifacts.queries.slots import FoundSlot, count_files, own_slot, slot_held_together
from artifacts.usecases.add_file import add_file
from artifacts.usecases.count_use import require_room
from artifacts.usecases.join_build import join_build
from artifacts.usecases.keep_one_copy import keep_one_copy
from artifacts.usecases.publish_file import Incoming, Published, same_bytes
from kernel import faults
from kernel.actor import Actor
from kernel.connections import give_back
from kernel.digest import Sha256

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a file is to go: a path of a build that may have so many files."""

    build: UUID
    path: str
    most_files: int


@dataclass(frozen=True, slots=True)
class _Upload:
    """Who uploads what to where, once all that can be known without the bytes is known."""

    actor: Actor
    build: Build
    path: str
    most_files: int
    counts: FileCounts
    begun_at: datetime


def receive_file(
    *,
    actor: Actor,
    slot: Slot,
    incoming: Incoming,
    store: BlobStore,
    counts: FileCounts,
    clock: Callable[[], datetime],
) -> Published:
    """Store one file for good and give it its path in the build; nobody sees it yet.

    The same bytes at the same path again give the artifact that is there, whichever job of the
    build brought them first: it carries that job's facts. They do so even when the build has been
    sealed, because nothing is added.

    Raises:
        BuildNotFound: there is no such build for this actor.
        Unauthenticated, PermissionMissing, BuildNotYours: the actor may not add to it.
        UnsafePath: the path is not a name for an artifact.
        PathTaken: the path names other bytes already.
        BuildSealed: the build has all its files, and this is none of them.
        BuildFull: it has as many files as a build may have. Uploads that arrive at one moment may
            together exceed that by a few.
        DigestMismatch: the bytes are not the bytes that were declared; nothing was kept.
        QuotaExceeded: the organization or the project has as much as it may have.
        StorageFull, StorageUnavailable: they cannot be stored; nothing was kept.
    """
    found = own_slot(actor=actor, build=slot.build, path=slot.path)
    path = parse_path(slot.path)
    upload = _Upload(actor, found.build, path, slot.most_files, counts, begun_at=clock())
    _refuse_early(upload, found, incoming)
    # A slow upload must not keep a database connection from others.
    give_back()
    stored = store.put(incoming.chunks, expected=incoming.declared)
    faults.reach("artifacts.received")
    received = _record(upload, stored, now=clock())
    faults.reach("artifacts.added")
    keep_one_copy(blob=received.artifact.blob, sent=stored, store=store, now=clock())
    return received


def _refuse_early(upload: _Upload, found: FoundSlot, incoming: Incoming) -> None:
    """For kindness: a gigabyte need not travel to be refused."""
    if found.artifact is None:
        _require_place(upload, found)
    if incoming.declared is None:
        return
    if found.artifact is not None:
        same_bytes(existing=found.artifact, digest=incoming.declared)
    else:
        require_room(
            project=upload.build.project,
            digest=incoming.declared,
            size_bytes=incoming.size_bytes or 0,
            now=upload.begun_at,
        )


def _require_place(upload: _Upload, found: FoundSlot) -> None:
    """Refuse one more file where the build is sealed, or has as many as it may have."""
    build, counts = found.build, upload.counts
    if build.state != BuildState.OPEN:
        raise BuildSealed(build=build.pk, state=build.state, sealed_at=build.sealed_at)
    if counts.has_room(
        build.pk, most_files=upload.most_files, below_transaction=found.below_transaction
    ):
        return
    counted = count_files(build.pk)
    counts.note(build.pk, counted)
    if counted.files >= upload.most_files:
        raise BuildFull(
            build=build.pk,
            limit_files=upload.most_files,
            observed_files=counted.files,
            setting="STRONGROOM_MAX_BUILD_FILES",
            raised_by="the operator of this store",
        )


def _existing(upload: _Upload, digest: Sha256) -> Artifact | None:
    existing = artifact_of_build(build=upload.build, path=upload.path)
    return same_bytes(existing=existing, digest=digest) if existing is not None else None


def _record(upload: _Upload, stored: StoredBytes, *, now: datetime) -> Published:
    """Write contribution, blob and artifact as one; of racing uploads exactly one does."""
    try:
        with transaction.atomic(durable=True):
            recorded = _find_or_add(upload, stored, now=now)
            faults.reach("artifacts.adding")
    except (IntegrityError, BuildSealed):
        winner = _existing(upload, stored.digest)
        if winner is None:
            raise
        return Published(winner, is_new=False)
    if recorded.is_new:
        logger.info(
            "artifact stored",
            extra={
                "project": str(upload.build.project),
                "build": str(upload.build.pk),
                "artifact": str(recorded.artifact.pk),
                "sha256": stored.digest.hex,
                "size_bytes": stored.size_bytes,
            },
        )
    return recorded


def _find_or_add(upload: _Upload, stored: StoredBytes, *, now: datetime) -> Published:
    found = slot_held_together(build=upload.build, path=upload.path)
    if found is None:
        raise BuildNotFound  # it was left open for so long that it was collected
    if found.artifact is not None:
        existing = same_bytes(existing=found.artifact, digest=stored.digest)
        return Published(existing, is_new=False)
    _require_place(upload, found)
    contribution = join_build(build=found.build, actor=upload.actor, joined_at=upload.begun_at)
    added = add_file(
        actor=upload.actor,
        contribution=contribution,
        path=upload.path,
        origin=None,
        stored=stored,
        now=now,
    )
    if found.has_policies:
        require_name_new(added)
    may_expire = found.has_policies or added.asked_life_days is not None
    return Published(added, is_new=True, may_expire=may_expire)
