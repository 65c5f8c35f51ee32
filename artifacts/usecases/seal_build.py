"""Seal a build: its files are fixed, and its statement is asked for (step 4)."""

from datetime import datetime

from django.db import transaction

from artifacts.domain.lifecycle import BuildState, move
from artifacts.models import Build
from artifacts.queries import artifacts_of
from kernel.digest import Sha256
from provenance.domain.build_facts import Witnessed
from provenance.domain.statement import Subject
from provenance.usecases.request_attestation import request_attestation


def seal_build(*, build: Build, now: datetime) -> None:
    """Seal the build and ask for one statement about its files. Joins.

    The subjects' digests are the store's own measurements, never a declaration.

    Raises:
        IllegalMove: the build is not open.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("seal_build joins a transaction")
    build.state = move(BuildState(build.state), BuildState.SEALED)
    build.sealed_at = now
    build.save(update_fields=["state", "sealed_at"])
    facts = Witnessed.from_json(build.witnessed) if build.witnessed is not None else None
    request_attestation(
        scope=build.project.scope,
        build=build.pk,
        subjects=[
            Subject(artifact.path, Sha256(artifact.blob.sha256)) for artifact in artifacts_of(build)
        ],
        facts=facts,
        opened_at=build.opened_at,
        now=now,
    )
