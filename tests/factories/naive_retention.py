"""What a retention plan should say, worked out one artifact after the other."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.retention import Attached, Decision, Facts, decide
from artifacts.models import Artifact
from tests.factories.builds import NOW as FIRST
from tests.factories.shelf import Kind

Put = list[tuple[Artifact, Kind]]


def _facts(artifact: Artifact, kind: Kind, crowd: Put) -> Facts:
    rivals = [
        one
        for one, about in crowd
        if about.outcome is BuildState.PUBLISHED
        and (one.project_id, one.path, one.ref)
        == (artifact.project_id, artifact.path, artifact.ref)
        and (-one.stored_at.timestamp(), one.pk) <= (-artifact.stored_at.timestamp(), artifact.pk)
    ]
    used = [
        FIRST + timedelta(days=about.used_to)
        for one, about in crowd
        if about.used_to is not None
        and (one.project_id, one.blob_id) == (artifact.project_id, artifact.blob_id)
    ]
    downloaded = FIRST + timedelta(days=kind.downloaded) if kind.downloaded is not None else None
    life = timedelta(days=kind.asked_life_days) if kind.asked_life_days is not None else None
    return Facts(
        path=kind.path,
        ref=kind.ref,
        is_protected=kind.is_protected,
        outcome=kind.outcome,
        size_bytes=artifact.blob.size_bytes,
        stored_at=artifact.stored_at,
        downloaded_at=downloaded,
        place=len(rivals) + (kind.outcome is not BuildState.PUBLISHED),
        asked_life=life,
        held_until=FIRST + timedelta(days=kind.held_to) if kind.held_to is not None else None,
        in_use_until=max(used, default=None),
    )


def naively(crowd: Put, attached: Sequence[Attached], *, now: datetime) -> dict[UUID, Decision]:
    """What goes, by the pure rule, one after the other."""
    ended = (BuildState.PUBLISHED, BuildState.REFUSED)
    decided = {
        one.pk: decide(_facts(one, kind, crowd), attached, now=now)
        for one, kind in crowd
        if kind.outcome in ended
    }
    return {one: said for one, said in decided.items() if said.is_expired(now=now)}


def freed_bytes(crowd: Put, going: Sequence[UUID]) -> int:
    """The bytes of blobs whose artifacts all go, each once."""
    users = defaultdict[int, set[UUID]](set)
    sizes = {}
    for one, _kind in crowd:
        users[one.blob_id].add(one.pk)
        sizes[one.blob_id] = one.blob.size_bytes
    return sum(sizes[blob] for blob, artifacts in users.items() if artifacts <= set(going))
