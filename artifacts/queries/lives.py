"""What happened to one artifact, from its rows: also when it is in the trash, or gone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from artifacts.domain.declarations import Kind
from artifacts.domain.retention import NEVER, Decision, Level
from artifacts.errors import ArtifactNotFound
from artifacts.models import (
    Artifact,
    Build,
    DeclaredUse,
    Hold,
    Project,
    RetentionPlan,
    RetentionPlanItem,
    RetentionPreview,
    RetentionPreviewItem,
    StoredRetentionPolicy,
    Tombstone,
    TrashedArtifact,
)
from artifacts.models.retention import INSTANCE
from artifacts.queries.bulk_actions import done_in_bulk
from artifacts.queries.seeing import of_projects_seen_by
from kernel.actor import Actor, Permission

# Of policies, plans, previews and bulk actions so many of the newest are looked through.
MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Life:
    """An artifact wherever its row stands: one of the three last is there."""

    artifact: UUID
    project: Project
    build: Build
    path: str
    sha256: str
    size_bytes: int
    stored_at: datetime
    live: Artifact | None = None
    trashed: TrashedArtifact | None = None
    tombstone: Tombstone | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened: `what` in the words of the audit trail, by whom, with its facts."""

    at: datetime
    what: str
    by: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def life_of(*, actor: Actor, artifact: UUID) -> Life:
    """The artifact, for those who decide about its project.

    Raises:
        ArtifactNotFound: there never was one, or it does not exist for this actor.
        Unauthenticated, PermissionMissing: the actor does not own the project.
    """
    seen = of_projects_seen_by(actor)
    related = ("build", "project__organization")
    live = Artifact.objects.select_related("blob", "yank", "quarantine", *related)
    trashed = TrashedArtifact.objects.select_related("blob", *related)
    tombstones = Tombstone.objects.select_related("attestation", *related)
    # All three, whatever is found: how long the answer takes tells nothing.
    rows = (
        live.filter(seen, pk=artifact).first(),
        trashed.filter(seen, pk=artifact).first(),
        tombstones.filter(seen, pk=artifact).first(),
    )
    row = next((one for one in rows if one is not None), None)
    if row is None:
        raise ArtifactNotFound
    actor.require(Permission.OWN, project=row.project_id)
    of_bytes = row if isinstance(row, Tombstone) else row.blob
    return Life(
        artifact,
        row.project,
        row.build,
        row.path,
        of_bytes.sha256,
        of_bytes.size_bytes,
        row.stored_at,
        *rows,
    )


def paths_of(artifacts: Iterable[UUID]) -> dict[UUID, str]:
    """The path of each, wherever its row stands; what never was is left out."""
    wanted = set(artifacts)
    rows = (
        Artifact.objects.filter(pk__in=wanted).values_list("pk", "path"),
        TrashedArtifact.objects.filter(pk__in=wanted).values_list("pk", "path"),
        Tombstone.objects.filter(pk__in=wanted).values_list("pk", "path"),
    )
    return {artifact: path for found in rows for artifact, path in found}


def happenings(life: Life, *, expiry: Decision | None, now: datetime) -> list[Happening]:
    """What the rows tell of it, the oldest first; `expiry` is what holds for a live one."""
    holds = _holds(life)
    told = [
        Happening(life.stored_at, "artifact.store", life.build.opened_by, _sized(life)),
        *_rules(life),
        *_looked_at(life),
        *_held(holds),
        *_marked(life),
        *_restored(life),
        *_expired(life, expiry, holds, now=now),
        *_removed(life),
    ]
    return sorted(_with_bulk_actions(told, life), key=lambda one: one.at)


def _with_bulk_actions(told: Iterable[Happening], life: Life) -> Iterator[Happening]:
    """The same, with what bulk actions did to it: the rows that are there still tell some of it."""
    acts = done_in_bulk(artifact=life.artifact, project=life.project, most=MOST)
    done = {}
    for one in acts:
        action = one.item.bulk_action
        facts = {"bulk_action": action.pk, "reason": action.run.reason}
        what = f"artifact.{action.act}"
        done[what, one.at] = Happening(one.at, what, action.run.started_by, facts)
    for single in told:
        same = done.pop((single.what, single.at), None)
        yield single if same is None else replace(single, facts={**single.facts, **same.facts})
    yield from done.values()


def _sized(life: Life) -> dict[str, Any]:
    return {"size_bytes": life.size_bytes}


def _scopes(life: Life) -> list[UUID]:
    return [INSTANCE, life.project.organization_id, life.project.pk]


def _rules(life: Life) -> Iterator[Happening]:
    found = StoredRetentionPolicy.objects.filter(
        scope_id__in=_scopes(life), set_at__gte=life.stored_at
    )
    for one in found.order_by("-set_at")[:MOST]:
        facts = {"scope": one.scope_id, "version": one.version, "reason": one.reason}
        yield Happening(one.set_at, "retention.set", one.set_by, facts)


def _looked_at(life: Life) -> Iterator[Happening]:
    """Plans and previews that named it."""
    plans = _newest(RetentionPlan.objects.all(), life)
    # With the project: the index begins with it, behind the plan.
    this = {"project_id": life.project.pk, "artifact_id": life.artifact}
    named = RetentionPlanItem.objects.filter(plan__in=plans, **this)
    plan_ids = set(named.values_list("plan_id", flat=True))
    for plan in plans:
        if plan.pk in plan_ids:
            facts = {
                "plan": plan.pk,
                "artifacts": plan.artifacts,
                "size_bytes": plan.logical_bytes,
            }
            yield Happening(plan.made_at, "retention.plan", plan.made_by, facts)
    previews = _newest(RetentionPreview.objects.all(), life)
    seen = RetentionPreviewItem.objects.filter(preview__in=previews, **this)
    effects = dict(seen.values_list("preview_id", "effect"))
    for preview in previews:
        if preview.pk in effects:
            facts = {"preview": preview.pk, "effect": effects[preview.pk]}
            yield Happening(preview.made_at, "retention.preview", preview.made_by, facts)


def _newest(rows: QuerySet[Any], life: Life) -> list[Any]:
    found = rows.filter(scope_id__in=_scopes(life), made_at__gte=life.stored_at)
    return list(found.order_by("-made_at", "id")[:MOST])


def _holds(life: Life) -> list[Hold]:
    """Those that cover it or did, in the order in which they were placed."""
    found = Hold.objects.filter(project=life.project).select_related("lifting")
    return [
        hold
        for hold in found.prefetch_related("consents").order_by("placed_at", "id")
        if hold.reach.covers(artifact=life.artifact, build=life.build.pk, path=life.path)
    ]


def _held(holds: list[Hold]) -> Iterator[Happening]:
    for hold in holds:
        facts = {
            "hold": hold.pk,
            "reason": hold.reason,
            "reach": hold.reach,
            "ends_at": hold.ends_at,
        }
        yield Happening(hold.placed_at, "hold.place", hold.placed_by, facts)
        consents = list(hold.consents.all())
        for one in consents:
            asked = {"hold": hold.pk, "reason": one.reason}
            yield Happening(one.given_at, "hold.ask-lift", one.given_by, asked)
        lifted_at = hold.standing.lifted_at
        if lifted_at is not None:
            counted = {one.given_by for one in consents if one.consent.counts(now=lifted_at)}
            by = " and ".join(sorted(counted))
            yield Happening(lifted_at, "hold.lift", by, {"hold": hold.pk})


def _marked(life: Life) -> Iterator[Happening]:
    for name, what in (("yank", "artifact.yank"), ("quarantine", "artifact.quarantine")):
        mark = getattr(life.live, name, None)
        if mark is not None:
            yield Happening(mark.marked_at, what, mark.marked_by, {"reason": mark.reason})


def _restored(life: Life) -> Iterator[Happening]:
    """What was declared when it came back from the trash, so that no rule takes it at once."""
    found = DeclaredUse.objects.filter(
        project=life.project, sha256=life.sha256, kind=Kind.RESTORING
    )
    for one in found.filter(document__artifact=str(life.artifact)):
        facts = {"reason": one.document.get("reason", "")}
        yield Happening(one.declared_at, "artifact.restore", one.declared_by, facts)


def _expired(
    life: Life, expiry: Decision | None, holds: list[Hold], *, now: datetime
) -> Iterator[Happening]:
    """Since when nobody gets it by a rule, whether a run has taken it or not."""
    gone = life.trashed or life.tombstone
    if gone is not None and gone.expired_at is not None:
        expired_at, facts = gone.expired_at, _cause(gone)
    elif expiry is not None and expiry.rule is not None and expiry.is_expired(now=now):
        rule = expiry.rule
        expired_at = expiry.expires_at or now
        scope = INSTANCE if rule.level is Level.INSTANCE else rule.scope
        facts = {"rule": rule.name, "scope": scope, "version": rule.version}
    else:
        return
    # A rule can name a moment long before somebody wrote it, or in the time of a hold.
    moment = max(expired_at, _ruled_since(life, facts))
    for hold in holds:
        ends_at = hold.standing.lifted_at or hold.ends_at or NEVER
        if hold.placed_at <= moment < ends_at <= now:
            moment = ends_at
    yield Happening(moment, "artifact.expire", "", facts)


def _removed(life: Life) -> Iterator[Happening]:
    gone = life.trashed or life.tombstone
    if gone is None:
        return
    facts = {**_cause(gone), "plan": gone.plan_id, "reason": gone.reason}
    yield Happening(gone.removed_at, "artifact.remove", gone.removed_by, facts)
    if life.tombstone is not None:
        yield Happening(life.tombstone.buried_at, "artifact.bury", "", _sized(life))


def _cause(gone: TrashedArtifact | Tombstone) -> dict[str, Any]:
    return {"rule": gone.rule, "scope": gone.scope_id, "version": gone.version}


def _ruled_since(life: Life, rule: Mapping[str, Any]) -> datetime:
    """Since when the policy holds that has this rule; a job's own wish did from the storing."""
    if rule["scope"] is None or rule["version"] is None:
        return life.stored_at
    found = StoredRetentionPolicy.objects.filter(scope_id=rule["scope"], version=rule["version"])
    return found.values_list("set_at", flat=True).first() or life.stored_at
