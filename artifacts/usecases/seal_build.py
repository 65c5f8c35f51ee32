"""Seal a build: its files are fixed, and its statements are asked for (step 4)."""

from collections import defaultdict
from datetime import datetime

from django.db import transaction

from artifacts.domain.lifecycle import BuildState, move
from artifacts.domain.origin import attempt_of
from artifacts.domain.sealing import Brought, groups
from artifacts.models import Build
from artifacts.queries import artifacts_of
from kernel.actor import Actor
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
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("seal_build joins a transaction")
    build.state = move(BuildState(build.state), BuildState.SEALED)
    build.sealed_at = now
    build.sealed_in_attempt = attempt_of(actor)
    build.save(update_fields=["state", "sealed_at", "sealed_in_attempt"])
    for group in groups(_brought(build)):
        request_attestation(
            scope=build.project.scope,
            build=build.pk,
            subjects=group.subjects,
            facts=group.facts,
            opened_at=group.opened_at,
            now=now,
        )


def _brought(build: Build) -> list[Brought]:
    """What each token brought, in the order in which they came."""
    subjects = defaultdict[int, list[Subject]](list)
    for artifact in artifacts_of(build):
        subject = Subject(artifact.path, Sha256(artifact.blob.sha256))
        subjects[artifact.contribution_id].append(subject)
    return [
        Brought(
            job=one.job,
            facts=Witnessed.from_json(one.witnessed) if one.witnessed is not None else None,
            joined_at=one.joined_at,
            subjects=subjects[one.pk],
        )
        for one in build.contributions.order_by("joined_at", "id")
    ]
