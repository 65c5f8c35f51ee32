"""Seal a build: its files are fixed, and its statements are asked for (step 4)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from artifacts.domain.sealing import Brought, groups
from artifacts.models import Artifact, Build, Contribution
from artifacts.queries import artifacts_of
from artifacts.usecases.open_build import close_build
from kernel.actor import Actor
from kernel.connections import joins_transaction
from kernel.digest import Sha256
from provenance.domain.build_facts import Witnessed
from provenance.domain.statement import Subject
from provenance.usecases.request_attestation import request_attestation


def seal_build(*, build: Build, actor: Actor, now: datetime) -> None:
    """Seal the build and ask for one statement about each group of its files. Joins.

    The subjects' digests are the store's own measurements, never a declaration.

    Raises:
        IllegalMove: the build is not open.
    """
    joins_transaction("seal_build")
    close_build(build=build, actor=actor, now=now)
    build.save(update_fields=["state", "sealed_at", "sealed_in_attempt"])
    artifacts = defaultdict[int, list[Artifact]](list)
    for artifact in artifacts_of(build):
        artifacts[artifact.contribution_id].append(artifact)
    contributions = build.contributions.order_by("joined_at", "id")
    ask_for_statements(
        build=build,
        brought=[brought(contribution=one, artifacts=artifacts[one.pk]) for one in contributions],
        now=now,
    )


def ask_for_statements(*, build: Build, brought: Iterable[Brought], now: datetime) -> None:
    """Ask for one statement about each group of what tokens brought, in their order. Joins."""
    for group in groups(brought):
        request_attestation(
            scope=build.project.scope,
            build=build.pk,
            subjects=group.subjects,
            facts=group.facts,
            opened_at=group.opened_at,
            now=now,
        )


def brought(*, contribution: Contribution, artifacts: Sequence[Artifact]) -> Brought:
    """What came with a token, for its statement."""
    witnessed = contribution.witnessed
    return Brought(
        job=contribution.job,
        facts=Witnessed.from_json(witnessed) if witnessed is not None else None,
        joined_at=contribution.joined_at,
        subjects=[Subject(one.path, Sha256(one.blob.sha256)) for one in artifacts],
    )
