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

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import parse_path
from artifacts.errors import BuildFull, BuildNotFound, BuildSealed
from artifacts.models import Artifact, Build
from artifacts.ports import BlobStore, StoredBytes
from artifacts.queries import artifact_of_build, own_build
from artifacts.queries.locking import build_held_together
from artifacts.usecases.add_file import add_file
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
    begun_at: datetime


def receive_file(
    *,
    actor: Actor,
    slot: Slot,
    incoming: Incoming,
    store: BlobStore,
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
        StorageFull, StorageUnavailable: they cannot be stored; nothing was kept.
    """
    found = own_build(actor=actor, build=slot.build)
    upload = _Upload(actor, found, parse_path(slot.path), slot.most_files, clock())
    _refuse_early(upload, incoming.declared)
    # A slow upload must not keep a database connection from others.
    give_back()
    stored = store.put(incoming.chunks, expected=incoming.declared)
    faults.reach("artifacts.received")
    received = _record(upload, stored, now=clock())
    faults.reach("artifacts.added")
    keep_one_copy(blob=received.artifact.blob, sent=stored, store=store)
    return received


def _refuse_early(upload: _Upload, declared: Sha256 | None) -> None:
    """For kindness: a gigabyte need not travel to be refused."""
    existing = artifact_of_build(build=upload.build, path=upload.path)
    if existing is None and upload.build.state != BuildState.OPEN:
        raise _sealed(upload.build)
    if existing is None:
        _refuse_full(upload)
    elif declared is not None:
        same_bytes(existing=existing, digest=declared)


def _refuse_full(upload: _Upload) -> None:
    files = upload.build.artifacts.count()
    if files >= upload.most_files:
        raise BuildFull(
            build=upload.build.pk,
            limit_files=upload.most_files,
            observed_files=files,
            setting="STRONGROOM_MAX_BUILD_FILES",
            raised_by="the operator of this store",
        )


def _existing(upload: _Upload, digest: Sha256) -> Artifact | None:
    existing = artifact_of_build(build=upload.build, path=upload.path)
    return same_bytes(existing=existing, digest=digest) if existing is not None else None


def _record(upload: _Upload, stored: StoredBytes, *, now: datetime) -> Published:
    """Write contribution, blob and artifact as one; of racing uploads exactly one does."""
    existing = _existing(upload, stored.digest)
    if existing is not None:
        return Published(existing, is_new=False)
    try:
        with transaction.atomic(durable=True):
            artifact = _add(upload, stored, now=now)
            faults.reach("artifacts.adding")
    except (IntegrityError, BuildSealed):
        winner = _existing(upload, stored.digest)
        if winner is None:
            raise
        return Published(winner, is_new=False)
    logger.info(
        "artifact stored",
        extra={
            "project": str(upload.build.project),
            "build": str(upload.build.pk),
            "artifact": str(artifact.pk),
            "sha256": stored.digest.hex,
            "size_bytes": stored.size_bytes,
        },
    )
    return Published(artifact, is_new=True)


def _add(upload: _Upload, stored: StoredBytes, *, now: datetime) -> Artifact:
    build = build_held_together(upload.build.pk)
    if build is None:
        raise BuildNotFound  # it was left open for so long that it was collected
    build.project = upload.build.project
    if build.state != BuildState.OPEN:
        raise _sealed(build)
    _refuse_full(upload)
    contribution = join_build(build=build, actor=upload.actor, joined_at=upload.begun_at)
    return add_file(
        actor=upload.actor,
        contribution=contribution,
        path=upload.path,
        origin=None,
        stored=stored,
        now=now,
    )


def _sealed(build: Build) -> BuildSealed:
    return BuildSealed(build=build.pk, state=build.state, sealed_at=build.sealed_at)
