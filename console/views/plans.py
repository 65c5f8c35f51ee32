"""Retention plans: what would go, seen before it goes; applied, watched and cancelled."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from artifacts.domain.fates import ListForgotten
from artifacts.errors import RetentionPlanStale
from artifacts.queries.fates import forgotten_among, forgotten_at
from artifacts.queries.freed import freed_by
from artifacts.queries.frontier import changed_since, holder_of_plan
from artifacts.queries.positions import encode_cursor, row_behind
from artifacts.queries.retention import names_of_scopes
from artifacts.queries.retention_plans import (
    MOST_PLANS,
    items_after,
    plans_of,
    run_of,
    runs_of,
    visible_plan,
    wait_of,
)
from artifacts.usecases.cancel_retention_run import cancel_retention_run
from artifacts.usecases.collect_blobs import GRACE
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.start_retention_run import start_retention_run
from artifacts.wiring import trash_window
from console.administration import Place, administered, members_only, show_place
from console.asking import asked, pages
from console.confirming import answers
from console.planning import (
    MOST_RULES,
    OF_PLANS,
    WHEREABOUTS,
    changes,
    names_in,
    rules_shown,
    standing,
)
from kernel.audit.asking import because

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from artifacts.models import RetentionPlan, RetentionPlanItem
    from kernel.actor import Actor

PAGE_ITEMS: Final = 50


@require_http_methods(["GET", "HEAD", "POST"])
@administered
def plans(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """The newest plans of the place; a form makes one."""
    if request.method == "POST":
        made = plan_retention(holder=place.holder, actor=actor, now=timezone.now())
        return _to(made.pk)
    found = plans_of(place.holder)
    runs, forgotten = runs_of(found), forgotten_among(found)
    content = {
        "plans": [
            (one, standing(one, runs.get(one.pk), (), is_forgotten=one.pk in forgotten))
            for one in found
        ],
        "most": MOST_PLANS,
    }
    return show_place(request, "console/administration/plans.html", place, content, tab="plans")


@require_safe
@members_only
def plan(request: HttpRequest, actor: Actor, plan: UUID) -> HttpResponse:
    """A plan in numbers: by rule, what keeps the rest, object by object; and how far its run is."""
    found = visible_plan(actor=actor, plan=plan)
    rules = list(found.rules.all())
    given = asked(request, "cursor", "path", "rule")
    items: list[RetentionPlanItem] = []
    with suppress(ListForgotten):  # the page says so
        items = items_after(
            row_behind(given.get("cursor")),
            plan=found,
            limit=PAGE_ITEMS + 1,
            prefix=given.get("path", ""),
            rule=next((one.number for one in rules if str(one.number) == given.get("rule")), None),
        )
    shown = items[:PAGE_ITEMS]
    scopes = {one.scope_id for one in rules if one.scope_id is not None}
    names = names_of_scopes(scopes | {one.project_id for one in shown})
    told = rules_shown(rules, names, OF_PLANS)
    of_rules = {one.number: one.name for one in rules}
    content = {
        "rules": told,
        "most_rules": MOST_RULES if len(rules) > MOST_RULES else None,
        "ending": [one for one in told if one.outcome == "ends"],
        "items": [(one, names.get(one.project_id, ""), of_rules[one.rule]) for one in shown],
        "given": given,
        "is_narrowed": bool(given.keys() - {"cursor"}),
        "pages": pages(given, encode_cursor(shown[-1].pk) if len(items) > PAGE_ITEMS else None),
    }
    return _show(request, actor, found, "console/administration/plan.html", content | _freed(found))


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def apply(request: HttpRequest, actor: Actor, plan: UUID) -> HttpResponse:
    """What applying does, in numbers; and doing it for a reason, by the name of the place."""
    found = visible_plan(actor=actor, plan=plan)
    given = answers(request, name=holder_of_plan(found).name)
    if not given.is_complete:
        status = 422 if given.is_sent else 200
        content = {"answers": given, "here": "Apply", "days": trash_window().days}
        return _show(
            request, actor, found, "console/administration/apply.html", content, status=status
        )
    # The plan's page says what has changed, or that it was forgotten.
    with because(given.reason), suppress(RetentionPlanStale, ListForgotten):
        start_retention_run(plan=found, actor=actor, now=timezone.now())
    return _to(found.pk)


@require_POST
@members_only
def cancel(request: HttpRequest, actor: Actor, plan: UUID) -> HttpResponse:
    """End the run behind the batch that is under way."""
    found = visible_plan(actor=actor, plan=plan)
    run = run_of(found)
    if run is not None:
        with because(answers(request, name="").reason):
            cancel_retention_run(run=run, actor=actor, now=timezone.now())
    return _to(found.pk)


def _freed(plan: RetentionPlan) -> dict[str, Any]:
    """What the store has confirmed of the plan's run, and where the rest is, once it has ended."""
    run = run_of(plan)
    if run is None or run.ended_at is None:
        return {}
    freed = freed_by(plan, grace=GRACE, now=timezone.now())
    return {
        "freed": freed,
        "waiting": [(*WHEREABOUTS[where], one) for where, one in freed.waiting.items()],
    }


def _to(plan: UUID) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("retention_plan", args=[plan]))


def _show(
    request: HttpRequest,
    actor: Actor,
    plan: RetentionPlan,
    template: str,
    content: Mapping[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """A page about one plan: where it stands, with its run or what has changed since."""
    place = Place.of(holder_of_plan(plan), actor=actor)
    run, wait, gone_at = run_of(plan), wait_of(plan), forgotten_at(plan)
    changed: Sequence[Mapping[str, Any]] = run.changed if run is not None else changed_since(plan)
    frame = {
        "plan": plan,
        "run": run,
        "standing": standing(plan, run, changed, is_forgotten=gone_at is not None),
        "forgotten_at": gone_at,
        "exceeded": wait.exceeded if wait is not None else [],
        "changes": changes(changed, names_of_scopes(names_in(changed))),
        "looked_through": run.removed_artifacts + run.spared_artifacts if run is not None else 0,
        "here": f"Plan of {plan.made_at:%Y-%m-%d %H:%M} UTC",
        "back": place.url("plans"),
    }
    return show_place(request, template, place, {**frame, **content}, tab="plans", status=status)
