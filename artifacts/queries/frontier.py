"""What a retention plan depends on, and what of it has changed since."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from artifacts.domain.retention import Level
from artifacts.models import Organization, Project, RetentionPlan, RetentionRun
from artifacts.models.retention import INSTANCE
from artifacts.queries.retention import Holder, policies_in_reach, projects_below


@dataclass(frozen=True, slots=True)
class PoliciesSeen:
    """The versions of policies in reach: as long as both are the same, so are all rules."""

    policies: int
    newest_policy: int


@dataclass(frozen=True, slots=True)
class Frontier:
    """Policies and runs that could say something else of the same artifacts.

    Both tables only grow: as long as number and newest are the same, so are they. What a rule asks
    of an artifact itself is looked at again when it is removed.
    """

    seen: PoliciesSeen
    runs: int

    def to_json(self) -> dict[str, int]:
        """As the plan keeps it."""
        return {
            "policies": self.seen.policies,
            "newest_policy": self.seen.newest_policy,
            "runs": self.runs,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, int]) -> "Frontier":
        """The same from the plan."""
        return cls(PoliciesSeen(kept["policies"], kept["newest_policy"]), kept["runs"])


def policies_seen(holder: Holder) -> PoliciesSeen:
    """The policies that hold below the holder now."""
    policies = policies_in_reach(holder).aggregate(count=Count("id"), newest=Max("id"))
    return PoliciesSeen(policies["count"], policies["newest"] or 0)


def frontier(holder: Holder) -> Frontier:
    """What a plan of the holder's depends on now."""
    return Frontier(policies_seen(holder), _runs(holder).count())


def policies_changed_since(seen: PoliciesSeen, holder: Holder) -> list[dict[str, Any]]:
    """The policies that were set since then, as JSON."""
    if policies_seen(holder) == seen:
        return []
    newer = policies_in_reach(holder).filter(pk__gt=seen.newest_policy).order_by("id")
    return [
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


def holder_of(level: int, scope_id: UUID) -> Holder:
    """Whose it is, as plans and previews keep it."""
    match Level(level):
        case Level.ORGANIZATION:
            return Holder.of_organization(Organization.objects.get(pk=scope_id))
        case Level.PROJECT:
            project = Project.objects.select_related("organization").get(pk=scope_id)
            return Holder.of_project(project)
        case _:
            return Holder.instance()


def holder_of_plan(plan: RetentionPlan) -> Holder:
    """What the plan is about."""
    return holder_of(plan.level, plan.scope_id)


def changed_since(plan: RetentionPlan) -> list[dict[str, Any]]:
    """What has changed of what the plan depends on, as JSON; its own run changes nothing."""
    holder = holder_of_plan(plan)
    then = Frontier.from_json(plan.frontier)
    changes = policies_changed_since(then.seen, holder)
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
