"""Artifacts of two projects for properties of retention: shared bytes, rivals, unfinished ones."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.patterns import Pattern
from artifacts.domain.retention import Conditions, Facts
from artifacts.models import Artifact, Project
from artifacts.usecases.create_project import create_project
from tests.factories.actors import administrator
from tests.factories.shelf import Kind, put

CONDITIONS: Final = [
    Conditions(),
    Conditions(paths=(Pattern("dist/*"),)),
    Conditions(refs=(Pattern("refs/heads/main"),)),
    Conditions(outcomes=(BuildState.REFUSED,)),
    Conditions(size_from_bytes=100),
]
# Shared bytes, several of a path and ref, refused ones between published ones, and unfinished ones.
KINDS: Final = [
    Kind(
        path=("dist/a", "dist/b", "doc/c")[number % 3],
        ref=("refs/heads/main", "refs/tags/v1")[number % 2],
        outcome=(
            BuildState.REFUSED
            if number % 7 == 3
            else BuildState.SEALED
            if number % 11 == 5
            else BuildState.PUBLISHED
        ),
        size_bytes=90 + number % 3 * 10,
        stored=number % 19,
        downloaded=number % 19 + 1 if number % 5 == 0 else None,
        asked_life_days=2 if number % 13 == 4 else None,
        bytes_of=f"shared {number % 3} {number % 9}" if number % 4 == 0 else "",
        held_to=25 if number % 17 == 2 else 15 if number % 17 == 3 else None,
        used_to=30 if number % 16 == 4 else None,
    )
    for number in range(48)
]
Crowd = list[tuple[Artifact, Kind]]


def neighbour(project: Project, *, now: datetime) -> Project:
    """Another project of its organization; the same at each call."""
    found = Project.objects.filter(organization=project.organization, slug="other").first()
    return found or create_project(
        actor=administrator(),
        organization=project.organization.slug,
        slug="other",
        is_public=False,
        now=now,
    )


def assemble(project: Project, *, first: datetime) -> Crowd:
    """All of `KINDS`, every fifth in the neighbour's project."""
    other = neighbour(project, now=first)
    return [
        (put((project, other)[number % 5 == 0], kind, first=first), kind)
        for number, kind in enumerate(KINDS)
    ]


def facts(artifact: Artifact, kind: Kind, crowd: Crowd, first: datetime) -> Facts:
    """What the rules may ask of it, counted naively."""
    rivals = [
        one
        for one, about in crowd
        if about.outcome is BuildState.PUBLISHED
        and (one.project_id, one.path, one.ref)
        == (artifact.project_id, artifact.path, artifact.ref)
        and (-one.stored_at.timestamp(), one.pk) <= (-artifact.stored_at.timestamp(), artifact.pk)
    ]
    used = [
        first + timedelta(days=about.used_to)
        for one, about in crowd
        if about.used_to is not None
        and (one.project_id, one.blob_id) == (artifact.project_id, artifact.blob_id)
    ]
    downloaded = first + timedelta(days=kind.downloaded) if kind.downloaded is not None else None
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
        held_until=first + timedelta(days=kind.held_to) if kind.held_to is not None else None,
        in_use_until=max(used, default=None),
    )


def freed_bytes(crowd: Crowd, going: Sequence[UUID]) -> int:
    """The bytes of blobs whose artifacts all go, each once."""
    users = defaultdict[int, set[UUID]](set)
    sizes = {}
    for one, _kind in crowd:
        users[one.blob_id].add(one.pk)
        sizes[one.blob_id] = one.blob.size_bytes
    return sum(sizes[blob] for blob, artifacts in users.items() if artifacts <= set(going))
