"""Start a build of many files, or find the one that this job is already at (step 1)."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import parse_slug
from artifacts.domain.origin import attempt_of, build_key
from artifacts.models import Build, Project
from artifacts.queries import visible_project
from artifacts.usecases.join_build import join_build
from artifacts.usecases.open_build import FoundBy, open_build
from kernel.actor import Actor, Permission
from kernel.audit.record import record

logger = logging.getLogger(__name__)

# FOR SHARE: who seals or collects the build takes FOR UPDATE, so that it stays what we found until
# we commit, and others may find it at the same time. Django's ORM cannot say FOR SHARE.
_OPEN_OR_SEALED_LAST: Final = """
    SELECT * FROM build WHERE project_id = %s AND key = %s AND name = %s AND is_shared = %s
    ORDER BY sealed_at DESC NULLS FIRST LIMIT 1 FOR SHARE
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which build: of which project, under which name (or none), and whether jobs share it.

    `asked_life_days` counts for a build that is opened; one that is found keeps what it has.
    """

    organization: str
    project: str
    name: str = ""
    is_shared: bool = False
    asked_life_days: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The build that the job is now at; `is_new` is False where it was there."""

    build: Build
    is_new: bool


def start_build(*, actor: Actor, wanted: Wanted, now: datetime) -> Started:
    """Open a build for the actor's job, or give the one that it has under this name.

    A job's own build stays the same one when it has been sealed, so that a job that is repeated
    after a crash finds its work done. A shared build is found by all jobs of its run, also of
    later attempts, while it is open; once it is sealed, by jobs of the attempt that sealed it, and
    the next attempt starts another. Without CI identity each call opens a release of its own.

    Raises:
        ProjectNotFound: there is no such project for this actor.
        Unauthenticated, PermissionMissing: the actor may not upload to it.
        UnsafeName: the name is not one.
        CiIdentityMissing: a name or sharing was asked for without a witnessed run.
        MalformedFacts: the token's facts cannot be read.
    """
    project = visible_project(actor=actor, organization=wanted.organization, project=wanted.project)
    actor.require(Permission.UPLOAD, project=project.pk)
    if wanted.name:
        parse_slug(wanted.name, field="name")
    key = build_key(actor, name=wanted.name, is_shared=wanted.is_shared)
    found_by = FoundBy(key, wanted.name, wanted.is_shared) if key is not None else None
    try:
        return _find_or_open(actor, project, found_by, wanted.asked_life_days, now=now)
    except IntegrityError:
        # Another job of the run opened it in this moment: it is there now.
        return _find_or_open(actor, project, found_by, wanted.asked_life_days, now=now)


def _find_or_open(
    actor: Actor,
    project: Project,
    found_by: FoundBy | None,
    asked_life_days: int | None,
    *,
    now: datetime,
) -> Started:
    with transaction.atomic(durable=True):
        found = _found(actor, project, found_by) if found_by is not None else None
        build = found or open_build(
            project=project,
            actor=actor,
            opened_at=now,
            found_by=found_by,
            asked_life_days=asked_life_days,
        )
        if build.state == BuildState.OPEN:
            join_build(build=build, actor=actor, joined_at=now)
        if found is None:
            _tell(actor, build, now=now)
    return Started(build, is_new=found is None)


def _found(actor: Actor, project: Project, found_by: FoundBy) -> Build | None:
    wanted = [project.pk, found_by.key, found_by.name, found_by.is_shared]
    found = next(iter(Build.objects.raw(_OPEN_OR_SEALED_LAST, wanted)), None)
    if found is None:
        return None
    found.project = project
    is_over = found.is_shared and found.state != BuildState.OPEN
    return None if is_over and found.sealed_in_attempt != attempt_of(actor) else found


def _tell(actor: Actor, build: Build, *, now: datetime) -> None:
    record(
        actor,
        "build.open",
        str(build.project),
        now=now,
        organization=build.project.organization_id,
        build=str(build.pk),
        name=build.name,
        is_shared=build.is_shared,
    )
    logger.info("build opened", extra={"build": str(build.pk), "project": str(build.project)})
