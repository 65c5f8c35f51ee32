"""The locks of those who remove, for the transaction that asks: together with others, or alone.

Whoever adds to a build holds it open together with all others who do; whoever seals it or changes
its files waits for those, and keeps later ones out. The collector's turn, which one has. And
holds: whoever removes keeps them as they are until the commit, whoever changes them waits for that.
And retention policies, which are set one after the other. And evidence, which one ends.
"""

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Final
from uuid import UUID

from django.db import connection

from artifacts.errors import BuildNotFound
from artifacts.models import Build
from kernel.connections import joins_transaction
from kernel.turns import only_one

# Django's ORM cannot say FOR SHARE.
_TOGETHER: Final = "SELECT * FROM build WHERE id = %s FOR SHARE"

_COLLECTING: Final = 0x5354_524F_4E47  # any number that nobody else takes a turn with

_HOLDS: Final = 0x5354_484F_4C44  # another
_POLICIES: Final = 0x5354_504F_4C49  # and another
_MAPPING: Final = 0x5354_4D41_5050  # and another
_EVIDENCE: Final = 0x5354_4556_4944  # and another


def collectors_turn() -> AbstractContextManager[bool]:
    """Whether it is ours to remove keys, or to give one to a row; again is harmless."""
    return only_one(_COLLECTING)


def mappers_turn() -> AbstractContextManager[bool]:
    """Whether it is ours to change what the bucket holds."""
    return only_one(_MAPPING)


def evidence_turn() -> AbstractContextManager[bool]:
    """Whether it is ours to end evidence."""
    return only_one(_EVIDENCE)


def hold_builds(builds: Collection[UUID]) -> None:
    """Lock these builds, so that nobody adds a file to one until the commit."""
    found = Build.objects.select_for_update().filter(pk__in=builds).order_by("pk")
    list(found.values_list("pk", flat=True))


def build_held_together(build: UUID) -> Build | None:
    """The build as it will stay until the commit, without its project; None when it is gone."""
    return next(iter(Build.objects.raw(_TOGETHER, [build])), None)


def held_build(build: UUID) -> Build:
    """The build with its project, locked once every upload that had found it open is recorded.

    Raises:
        BuildNotFound: it was collected in this moment.
    """
    found = Build.objects.select_for_update(of=("self",)).select_related("project__organization")
    one = found.filter(pk=build).first()
    if one is None:
        raise BuildNotFound
    return one


def holds_stand_still() -> None:
    """Let nobody place or lift a hold until the commit; together with all others who remove."""
    _take("pg_advisory_xact_lock_shared", _HOLDS)


def holds_change() -> None:
    """Wait for everybody who removes, and let nobody begin until the commit."""
    _take("pg_advisory_xact_lock", _HOLDS)


def policies_change() -> None:
    """Be the one who sets a retention policy until the commit: what one reads then is what holds.

    Of any level: what a preview says depends on all policies in reach.
    """
    _take("pg_advisory_xact_lock", _POLICIES)


def _take(how: str, what: int) -> None:
    joins_transaction("a lock until the commit")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {how}(%s)", [what])
