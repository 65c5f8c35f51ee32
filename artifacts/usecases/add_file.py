"""Add a file to a build: its bytes are stored, and now they get a path (step 3)."""

from datetime import datetime

from artifacts.domain.refs import searchable
from artifacts.models import Artifact, Contribution
from artifacts.ports import StoredBytes
from artifacts.usecases.count_use import count_use
from artifacts.usecases.store_blob import store_blob
from kernel.actor import Actor
from kernel.audit.record import record
from kernel.connections import joins_transaction
from kernel.rows import insert


def add_file(
    *,
    actor: Actor,
    contribution: Contribution,
    path: str,
    origin: str | None,
    stored: StoredBytes,
    now: datetime,
) -> Artifact:
    """Give stored bytes their path in the contribution's build, and say so in the trail. Joins.

    Once a transaction: `domain/file_counts` takes each transaction for one file at most. Who gives
    an `origin` looks afterwards whether a removal has taken the last of the name away; everybody
    looks whether a rule gives the name to other bytes alone (`require_name_new`).

    Raises:
        IntegrityError: somebody else was faster with this path.
        QuotaExceeded: the organization or the project has as much as it may have.
    """
    joins_transaction("add_file")
    build = contribution.build
    witnessed = contribution.witnessed or {}
    artifact = Artifact(
        project=build.project,
        build=build,
        contribution=contribution,
        origin=origin,
        path=path,
        blob=store_blob(stored=stored, now=now),
        ref=searchable(str(witnessed.get("ref", ""))),
        # Platforms say "true" or "false"; what is not said is not protected.
        ref_is_protected=witnessed.get("ref_protected") == "true",
        asked_life_days=build.asked_life_days,
        stored_at=now,
    )
    insert(artifact)
    count_use(artifact=artifact, has_new_bytes=artifact.blob.key == stored.key, now=now)
    record(
        actor,
        "artifact.upload",
        f"{build.project}/{path}"[:500],
        now=now,
        organization=build.project.organization_id,
        artifact=str(artifact.pk),
        build=str(build.pk),
        sha256=stored.digest.hex,
        size_bytes=stored.size_bytes,
    )
    return artifact
