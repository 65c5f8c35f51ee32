"""Retention plans, for the owners of what they are about."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from artifacts.domain.retention import Level
from artifacts.errors import RetentionPlanNotFound
from artifacts.models import (
    ListFate,
    RetentionPlan,
    RetentionPlanItem,
    RetentionRun,
    RetentionWait,
)
from artifacts.queries.fates import require_list
from artifacts.queries.retention import Holder, projects_below
from kernel.actor import Actor, Permission

MOST_PLANS: Final = 20


def visible_plan(*, actor: Actor, plan: UUID) -> RetentionPlan:
    """The plan, for an owner of what it is about.

    Raises:
        RetentionPlanNotFound: there is none, or it does not exist for this actor.
    """
    # In the query, whoever asks: how long the answer takes tells nothing either.
    found = RetentionPlan.objects.filter(of_scopes_owned_by(actor), pk=plan).first()
    if found is None:
        raise RetentionPlanNotFound
    return found


def plans_of(holder: Holder) -> list[RetentionPlan]:
    """The holder's plans that were made last, the newest first."""
    found = RetentionPlan.objects.filter(scope_id=holder.scope)
    return list(found.order_by("-made_at", "id")[:MOST_PLANS])


def plan_that_frees_most(holder: Holder) -> RetentionPlan | None:
    """Of the newest plans of the holder and of what is below it, none of them used or forgotten."""
    found = RetentionPlan.objects.all()
    if holder.level is not Level.INSTANCE:
        below = projects_below(holder).order_by().values("pk")
        found = found.filter(Q(scope_id=holder.scope) | Q(scope_id__in=below))
    newest = found.order_by("scope_id", "-made_at", "id").distinct("scope_id")
    open_ones = RetentionPlan.objects.filter(
        ~Exists(ListFate.objects.filter(pk=OuterRef("pk"))),
        pk__in=newest.values("pk"),
        physical_bytes__gt=0,
    )
    return open_ones.order_by("-physical_bytes", "id").first()


def items_after(
    after: int, *, plan: RetentionPlan, limit: int, prefix: str = "", rule: int | None = None
) -> list[RetentionPlanItem]:
    """The plan's objects behind this one, in the order in which they are taken.

    Only those whose path begins so, and that go by the rule of this number, where one is asked for.

    Raises:
        ListForgotten: nobody had it applied in time.
    """
    require_list(plan)
    found = RetentionPlanItem.objects.filter(plan=plan, pk__gt=after)
    if prefix:
        found = found.filter(path__startswith=prefix)
    if rule is not None:
        found = found.filter(rule=rule)
    return list(found.order_by("id")[:limit])


def run_of(plan: RetentionPlan) -> RetentionRun | None:
    """How the plan is being applied, or was; None before."""
    return RetentionRun.objects.filter(plan=plan).select_related("plan").first()


def wait_of(plan: RetentionPlan) -> RetentionWait | None:
    """Which limits of scheduled runs the plan went beyond; None where it did not."""
    return RetentionWait.objects.filter(plan=plan).first()


def runs_of(plans: Collection[RetentionPlan]) -> dict[UUID, RetentionRun]:
    """How these plans are being applied, or were, by plan; those that were not are left out."""
    return {one.plan_id: one for one in RetentionRun.objects.filter(plan__in=plans)}


def of_scopes_owned_by(actor: Actor) -> Q:
    """What is about a holder that the actor owns, as `Holder.require_owned` says of each."""
    if actor.may(Permission.ADMINISTER, project=None):
        return Q()
    projects = {one.project for one in actor.grants if one.permission is Permission.OWN}
    organizations = {
        one.organization for one in actor.organization_grants if one.permission is Permission.OWN
    }
    return Q(scope_id__in=(projects | organizations) - {None})
