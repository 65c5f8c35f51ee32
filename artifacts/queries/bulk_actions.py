"""Bulk actions, for those who may do in the project what they do."""

from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from artifacts.domain.bulk import Act, BulkActionNotFound, Outcome
from artifacts.models import BulkAction, BulkActionItem, BulkActionOutcome, BulkRun, Project
from artifacts.queries.fates import require_list
from kernel.actor import INCLUDED, Actor, Permission

MOST_ACTIONS: Final = 20


def visible_bulk_action(*, actor: Actor, action: UUID) -> BulkAction:
    """The action with its project and run, for those who could do it.

    Raises:
        BulkActionNotFound: there is none, or it does not exist for this actor.
    """
    # In the query, whoever asks: how long the answer takes tells nothing either.
    found = BulkAction.objects.select_related("project__organization", "run")
    one = found.filter(_possible_for(actor), pk=action).first()
    if one is None:
        raise BulkActionNotFound
    return one


def bulk_actions_of(
    project: Project, *, actor: Actor, artifact: UUID | None = None
) -> list[BulkAction]:
    """The project's actions that were asked for last and that the actor could do, newest first.

    Only those that were done to this artifact, where one is named.
    """
    found = BulkAction.objects.select_related("project__organization", "run")
    if artifact is not None:
        done = BulkActionOutcome.objects.filter(
            item__bulk_action=OuterRef("pk"), item__artifact_id=artifact, outcome=Outcome.DONE
        )
        found = found.filter(Exists(done))
    return list(
        found.filter(_possible_for(actor), project=project).order_by("-asked_at", "id")[
            :MOST_ACTIONS
        ]
    )


def done_in_bulk(*, artifact: UUID, project: Project, most: int) -> list[BulkActionOutcome]:
    """What was done to the artifact by bulk actions, newest first, each with its action and run."""
    found = BulkActionOutcome.objects.filter(
        item__bulk_action__project=project, item__artifact_id=artifact, outcome=Outcome.DONE
    )
    return list(found.select_related("item__bulk_action__run").order_by("-at")[:most])


def items_of_bulk_action(
    after: int, *, action: BulkAction, limit: int, outcome: Outcome | None = None
) -> list[BulkActionItem]:
    """The action's artifacts behind this one, with their `result`, in the order of the work.

    Only those of which this came, or would have come when it was asked for, if one is asked.

    Raises:
        ListForgotten: it was not started in time.
    """
    require_list(action)
    found = BulkActionItem.objects.select_related("result").filter(bulk_action=action, pk__gt=after)
    if outcome is not None:
        waiting = Q(result=None, expected=outcome)
        found = found.filter(waiting | Q(result__outcome=outcome))
    return list(found.order_by("id")[:limit])


def run_of_bulk_action(action: BulkAction) -> BulkRun | None:
    """How it is being done, or was; None before. Without a query where it was loaded."""
    return getattr(action, "run", None)


def _possible_for(actor: Actor) -> Q:
    """The condition for acts that the actor may do, each in its project."""
    if actor.may(Permission.ADMINISTER, project=None):
        return Q()
    possible = Q(pk__in=[])
    for permission in {act.permission for act in Act}:
        projects = {one.project for one in actor.grants if permission in INCLUDED[one.permission]}
        acts = [act.value for act in Act if act.permission is permission]
        possible |= Q(project__in=projects - {None}, act__in=acts)
    return possible
