"""Which projects exist for an actor: the one condition, for Django's queries and for our own.

As `may_see` says of each project. In the query, so that what is foreign is not even read: else the
time of the answer would tell it from what is absent.
"""

from typing import Final
from uuid import UUID

from django.db.models import Q

from kernel.actor import Actor

# The same as `of_projects_seen_by` where the table is called `project`, for `seen_by`'s parameters.
SEEN: Final = "(%(sees_everything)s OR project.is_public OR project.id = ANY(%(granted)s::uuid[]))"


def of_projects_seen_by(actor: Actor, project: str = "project") -> Q:
    """The condition for what is in projects; `project` is how their rows are reached."""
    if sees_everything(actor):
        return Q()
    return Q((f"{project}__is_public", True)) | Q((f"{project}__in", granted(actor)))


def seen_by(actor: Actor) -> dict[str, bool | list[UUID]]:
    """The parameters of `SEEN`."""
    return {"sees_everything": sees_everything(actor), "granted": list(granted(actor))}


def sees_everything(actor: Actor) -> bool:
    """Whether a grant is one on the whole instance."""
    return any(grant.project is None for grant in actor.grants)


def granted(actor: Actor) -> set[UUID]:
    """The projects that a grant names."""
    return {grant.project for grant in actor.grants if grant.project is not None}
