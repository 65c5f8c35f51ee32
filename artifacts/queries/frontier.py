"""What a retention plan depends on, and what of it has changed since."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from artifacts.domain.retention import Level
from artifacts.models import Organization, Project, RetentionPlan, RetentionRun
from artifacts.models.retention import INSTANCE
from artifacts.queries.retention import Holder, policies_in_reach, projects_below


@dataclass(frozen=True, slots=True)
class Frontier:
    """Policies and runs that could say something else of the same artifacts.

    Both tables only grow: as long as number and newest are the same, so are they. What a rule asks
    of an artifact itself is looked at again when it is removed.
    """

    policies: int
    newest_policy: int
    runs: int

    def to_json(self) -> dict[str, int]:
        """As the plan keeps it."""
        return {
            "policies": self.policies,
            "newest_policy": self.newest_policy,
            "runs": self.runs,
        }


def frontier(holder: Holder) -> Frontier:
    """What a plan of the holder's depends on now."""
    policies = policies_in_reach(holder).aggregate(count=Count("id"), newest=Max("id"))
    return Frontier(policies["count"], policies["newest"] or 0, _runs(holder).count())


def holder_of_plan(plan: RetentionPlan) -> Holder:
    """What the plan is about."""
    match Level(plan.level):
        case Level.ORGANIZATION:
            return Holder.of_organization(Organization.objects.get(pk=plan.scope_id))
        case Level.PROJECT:
            project = Project.objects.select_related("organization").get(pk=plan.scope_id)
            return Holder.of_project(project)
        case _:
            return Holder.instance()


def changed_since(plan: RetentionPlan) -> list[dict[str, Any]]:
    """What has changed of what the plan depends on, as JSON; its own run changes nothing."""
    holder = holder_of_plan(plan)
    then, now = Frontier(**plan.frontier), frontier(holder)
    changes: list[dict[str, Any]] = []
    if (now.policies, now.newest_policy) != (then.policies, then.newest_policy):
        newer = policies_in_reach(holder).filter(pk__gt=then.newest_policy).order_by("id")
        changes += [
            {
                "what": "retention-policy",
                "level": Level(one.level).word,
                "scope": str(one.scope_id),
                "version": one.version,
                "at": one.set_at.isoformat(),
                "by": one.set_by,
            }
            for one in newer
        ] or [{"what": "retention-policy"}]
    others = _runs(holder).exclude(plan=plan)
    if others.count() != then.runs:
        newer_runs = others.filter(started_at__gte=plan.made_at).order_by("started_at")
        changes += [
            {"what": "retention-run", "plan": str(one.plan_id), "at": one.started_at.isoformat()}
            for one in newer_runs
        ] or [{"what": "retention-run"}]
    return changes


def _runs(holder: Holder) -> QuerySet[RetentionRun]:
    """Every run that may have taken away something below the holder."""
    found = RetentionRun.objects.all()
    if holder.level is Level.INSTANCE:
        return found
    scopes = Q(plan__scope_id__in=[INSTANCE, holder.scope, holder.organization])
    return found.filter(scopes | Q(plan__scope_id__in=projects_below(holder).values("pk")))
