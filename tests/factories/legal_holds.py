"""Owners place legal holds and lift them, each in one line."""

from datetime import datetime
from typing import Any, Final

from artifacts.domain.holds import Reach
from artifacts.models import Artifact, Hold, Project
from artifacts.ports import ObjectHolds
from artifacts.usecases.lift_hold import lift_hold
from artifacts.usecases.map_holds import Mapped, map_holds
from artifacts.usecases.place_hold import Holding, place_hold
from kernel.actor import Actor
from tests.factories.actors import owner

EVERYTHING: Final = Reach()
PLACE: Final = "bucket"


def hold(project: Project, reach: Reach = EVERYTHING, *, now: datetime, **others: Any) -> Hold:
    holding = Holding(reach, reason="case 7", **others)
    return place_hold(project=project, holding=holding, actor=owner(project), now=now)


def lift(held: Hold, actor: Actor, *, now: datetime, persons: int = 2) -> Hold:
    return lift_hold(hold=held, persons=persons, reason="case closed", actor=actor, now=now)


def lifted(held: Hold, *, now: datetime) -> Hold:
    lift(held, owner(held.project, 1), now=now)
    return lift(held, owner(held.project, 2), now=now)


def mapped(bucket: ObjectHolds, *, now: datetime) -> Mapped | None:
    """What a worker does in a bucket that was found able to hold."""
    return map_holds(bucket=bucket, place=PLACE, clock=lambda: now)


def keys(*artifacts: Artifact) -> set[str]:
    return {one.blob.key for one in artifacts}
