"""Join a build: keep what was witnessed of the job whose files come to it (step 1)."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Final

from artifacts.domain.origin import origin_of, witnessed_by
from artifacts.models import Build, Contribution
from kernel.actor import Actor
from kernel.connections import joins_transaction
from kernel.rows import Joined, insert_numbered

# Asked for each file; but for the first one of a token, the answer is there.
_SAME: Final = Joined(
    """
    SELECT {contribution} FROM contribution
    WHERE build_id = %(build)s AND job = %(job)s AND witnessed_sha256 = %(witnessed)s
    """,
    contribution=Contribution,
)


def join_build(*, build: Build, actor: Actor, joined_at: datetime) -> Contribution:
    """The contribution of the actor's token, as it was when the token first came. Joins.

    The caller has made sure, by a lock, that the build stays open until the commit.

    Raises:
        MalformedFacts: the token's facts cannot be read.
    """
    new = _new(build=build, actor=actor, joined_at=joined_at)
    found = _same(new)
    if found is None:
        # Two files of one token at once: the second waits here, and then finds the first's row.
        Contribution.objects.bulk_create([new], ignore_conflicts=True)
        found = Contribution.objects.get(
            build=build, job=new.job, witnessed_sha256=new.witnessed_sha256
        )
    found.build = build
    return found


def join_own_build(*, build: Build, actor: Actor, joined_at: datetime) -> Contribution:
    """The same for a build that this transaction has made, so that nobody else can have joined.

    Raises:
        MalformedFacts: the token's facts cannot be read.
    """
    new = _new(build=build, actor=actor, joined_at=joined_at)
    insert_numbered(new)
    return new


def _new(*, build: Build, actor: Actor, joined_at: datetime) -> Contribution:
    joins_transaction("join_build")
    facts = witnessed_by(actor)
    stored = facts.to_json() if facts is not None else None
    return Contribution(
        build=build,
        job=origin_of(actor),
        witnessed=stored,
        witnessed_sha256=_sha256(stored) if stored is not None else "",
        joined_at=joined_at,
    )


def _same(new: Contribution) -> Contribution | None:
    row = _SAME.first(build=new.build_id, job=new.job, witnessed=new.witnessed_sha256)
    return row.the(Contribution) if row is not None else None


def _sha256(facts: dict[str, object]) -> str:
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
