"""Open a build: the files that one origin is about to upload (docs/architecture.md, step 1)."""

from datetime import datetime

from django.db import transaction

from artifacts.models import Build, Project
from kernel.actor import Actor
from provenance.domain.build_facts import Witnessed

# The origin of what came without CI identity. No job's key looks like it: those are URLs.
RELEASE_ORIGIN = "release"


def origin_of(actor: Actor) -> str:
    """Whose paths these are: the CI job's, or the project's releases."""
    return actor.workload.key if actor.workload is not None else RELEASE_ORIGIN


def witnessed_by(actor: Actor) -> Witnessed | None:
    """The verified facts of the job that the actor's token stood for.

    Raises:
        MalformedFacts: the token's facts cannot be read.
    """
    return Witnessed.from_json(actor.workload.facts) if actor.workload is not None else None


def open_build(*, project: Project, actor: Actor, opened_at: datetime) -> Build:
    """Open a build with what was witnessed of the actor's job. Joins."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("open_build joins a transaction")
    facts = witnessed_by(actor)
    return Build.objects.create(
        project=project,
        origin=origin_of(actor),
        witnessed=facts.to_json() if facts is not None else None,
        opened_by=actor.name,
        opened_at=opened_at,
    )
