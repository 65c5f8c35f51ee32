"""Retention plans: made, looked at object by object, applied and cancelled."""

from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import rfc3339
from artifacts.api.filters import asked
from artifacts.api.holders import HolderView, OfInstance, OfOrganization, OfProject
from artifacts.api.links import root
from artifacts.api.pages import PAGE_FILES, counted_page
from artifacts.api.retention_shapes import (
    FreedDocument,
    PlanDocument,
    PlanItemDocument,
    PlanRuleDocument,
    RunDocument,
)
from artifacts.domain.retention import Level
from artifacts.models import RetentionPlan, RetentionPlanItem, RetentionPlanRule, RetentionRun
from artifacts.models.retention_plan import RuleCount
from artifacts.queries.fates import forgotten_at
from artifacts.queries.freed import freed_by
from artifacts.queries.frontier import holder_of_plan
from artifacts.queries.positions import row_behind
from artifacts.queries.retention_plans import (
    items_after,
    plans_of,
    run_of,
    visible_plan,
    wait_of,
)
from artifacts.usecases.cancel_retention_run import cancel_retention_run
from artifacts.usecases.collect_blobs import GRACE
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.start_retention_run import start_retention_run
from kernel.native import NativeView
from kernel.rest import actor_of


class PlansView(HolderView):
    """The plans of one holder."""

    def get(self, request: Request, **names: str) -> Response:
        """List the newest."""
        actor = actor_of(request)
        holder = self.holders(actor, **names)[-1]
        holder.require_owned(actor)
        return Response({"plans": [plan_document(plan) for plan in plans_of(holder)]})

    def post(self, request: Request, **names: str) -> Response:
        """Make one. Nothing goes by it until it is applied."""
        actor = actor_of(request)
        holder = self.holders(actor, **names)[-1]
        plan = plan_retention(holder=holder, actor=actor, now=timezone.now())
        return Response(plan_document(plan), status=201, headers={"Location": plan_url(plan)})


class InstancePlans(OfInstance, PlansView):
    """About the whole store."""


class OrganizationPlans(OfOrganization, PlansView):
    """About an organization."""


class ProjectPlans(OfProject, PlansView):
    """About a project."""


class PlanDetail(NativeView):
    """One plan, and how far it has been applied."""

    def get(self, request: Request, plan: UUID) -> Response:
        """Show it."""
        return Response(plan_document(visible_plan(actor=actor_of(request), plan=plan)))


class PlanItems(NativeView):
    """The objects of a plan."""

    def get(self, request: Request, plan: UUID) -> Response:
        """Show one page, in the order in which they are taken."""
        found = visible_plan(actor=actor_of(request), plan=plan)
        parameters = asked(request, "cursor")
        after = row_behind(parameters.get("cursor"))
        rules = {rule.number: rule for rule in found.rules.all()}
        return counted_page(
            {"plan": str(found.pk)},
            items_after(after, plan=found, limit=PAGE_FILES + 1),
            lambda one: _item(one, rules[one.rule]),
            url=f"{plan_url(found)}/items",
            asked=parameters,
        )


class PlanFreed(NativeView):
    """What became of a plan's bytes."""

    def get(self, request: Request, plan: UUID) -> Response:
        """Show what was planned, what is deleted, and what the store has confirmed."""
        return Response(_freed(visible_plan(actor=actor_of(request), plan=plan)))


class PlanApply(NativeView):
    """The run of a plan."""

    def post(self, request: Request, plan: UUID) -> Response:
        """Start it; a worker goes on, and the plan says how far it is."""
        actor = actor_of(request)
        found = visible_plan(actor=actor, plan=plan)
        start_retention_run(plan=found, actor=actor, now=timezone.now())
        return Response(plan_document(found), status=202)


class PlanCancel(NativeView):
    """The end of a plan's run."""

    def post(self, request: Request, plan: UUID) -> Response:
        """Ask for it; what has been removed stays so, and what has no run needs no end."""
        actor = actor_of(request)
        found = visible_plan(actor=actor, plan=plan)
        run = run_of(found)
        if run is not None:
            cancel_retention_run(run=run, actor=actor, now=timezone.now())
        return Response(plan_document(found))


def plan_url(plan: RetentionPlan) -> str:
    """A plan, by its id."""
    return f"{root()}/retention-plans/{plan.pk}"


def plan_document(plan: RetentionPlan) -> PlanDocument:
    """A plan in numbers, and where its objects are."""
    url, run, wait = plan_url(plan), run_of(plan), wait_of(plan)
    return {
        "id": str(plan.pk),
        "level": Level(plan.level).word,
        "of": holder_of_plan(plan).name,
        "made_at": rfc3339(plan.made_at),
        "made_by": plan.made_by,
        "looked_at": plan.looked_at,
        "artifacts": plan.artifacts,
        "logical_bytes": plan.logical_bytes,
        "blobs": plan.blobs,
        "physical_bytes": plan.physical_bytes,
        "rules": [rule_document(rule) for rule in plan.rules.order_by("number")],
        "exceeded": wait.exceeded if wait is not None else [],
        "run": _run(run) if run is not None else None,
        "list_forgotten_at": rfc3339(forgotten_at(plan)),
        "urls": {
            "self": url,
            "items": f"{url}/items",
            "freed": f"{url}/freed",
            "apply": f"{url}/apply",
            "cancel": f"{url}/cancel",
        },
    }


def _run(run: RetentionRun) -> RunDocument:
    """How far a plan has been applied."""
    return {
        "state": run.state,
        "started_at": rfc3339(run.started_at),
        "started_by": run.started_by,
        "ended_at": rfc3339(run.ended_at),
        "is_cancelling": run.cancel_asked_at is not None,
        "removed_artifacts": run.removed_artifacts,
        "removed_bytes": run.removed_bytes,
        "spared_artifacts": run.spared_artifacts,
        "changed": run.changed,
    }


def _freed(plan: RetentionPlan) -> FreedDocument:
    """What was planned, deleted and confirmed, and where the rest is."""
    run, freed = run_of(plan), freed_by(plan, grace=GRACE, now=timezone.now())
    return {
        "plan": str(plan.pk),
        "planned": {
            "artifacts": plan.artifacts,
            "logical_bytes": plan.logical_bytes,
            "blobs": plan.blobs,
            "physical_bytes": plan.physical_bytes,
        },
        "deleted": {
            "artifacts": run.removed_artifacts if run is not None else 0,
            "logical_bytes": run.removed_bytes if run is not None else 0,
        },
        "confirmed": {
            "artifacts": freed.artifacts,
            "blobs": freed.blobs,
            "physical_bytes": freed.size_bytes,
        },
        "waiting": [
            {
                "where": where.value,
                "artifacts": one.artifacts,
                "physical_bytes": one.physical_bytes,
                "until": rfc3339(one.until),
            }
            for where, one in freed.waiting.items()
        ],
    }


def rule_document(rule: RuleCount) -> PlanRuleDocument:
    """What one rule does, counted."""
    return {
        "outcome": rule.outcome,
        "name": rule.name or None,
        "level": Level(rule.level).word if rule.level is not None else None,
        "version": rule.version,
        "artifacts": rule.artifacts,
        "logical_bytes": rule.logical_bytes,
    }


def _item(item: RetentionPlanItem, rule: RetentionPlanRule) -> PlanItemDocument:
    return {
        "artifact": str(item.artifact_id),
        "path": item.path,
        "ref": item.ref,
        "size_bytes": item.size_bytes,
        "physical_bytes": item.physical_bytes,
        "expired_at": rfc3339(item.ends_at),
        "rule": rule.name,
        "version": rule.version,
    }
