"""A preview of a retention policy …"""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.retention import NEVER, Attached, Level, RetentionPolicy, decide
from artifacts.domain.retention_document import MalformedRetentionPolicy
from artifacts.domain.retention_tally import Effect
from artifacts.errors import RetentionPreviewNotFound, RetentionPreviewStale
from artifacts.models import (
    Artifact,
    Project,
    RetentionPlan,
    RetentionPreview,
    RetentionPreviewItem,
    StoredRetentionPolicy,
)
from artifacts.queries.locking import policies_change
from artifacts.queries.retention import Held, Holder
from artifacts.queries.retention_previews import previewed_after, visible_preview
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.preview_retention import preview_retention
from artifacts.usecases.set_retention import RetentionChange, set_retention
from kernel.actor import PermissionMissing
from kernel.audit.models import AuditRecord
from tests.factories.actors import administrator, uploader
from tests.factories.blocked import is_anybody_blocked
from tests.factories.builds import NOW
from tests.factories.crowd import CONDITIONS, Crowd, assemble, facts, freed_bytes
from tests.factories.retention_policies import attach, document_of, policies
from tests.factories.shelf import Kind, put

TODAY = NOW + timedelta(days=20)
AFTER_9 = {"expire": [{"name": "nine", "after_days": 9}]}
AFTER_15 = {"expire": [{"name": "fifteen", "after_days": 15}]}


@pytest.fixture
def crowd(project: Project) -> Crowd:
    return assemble(project, first=NOW)


def preview(document: object, holder: Holder) -> RetentionPreview:
    return preview_retention(holder=holder, document=document, actor=administrator(), now=TODAY)


def demand(document: object, holder: Holder, **others: Any) -> Held:
    change = RetentionChange(document, **others)
    return set_retention(holder=holder, change=change, actor=administrator(), now=TODAY)


def naively(
    crowd: Crowd, held: list[Attached], will: list[Attached]
) -> dict[UUID, tuple[Effect, bool, bool]]:
    """What changes for each, by the pure rule: the effect, and whether it was and is over."""
    found = {}
    for one, kind in crowd:
        if kind.outcome not in (BuildState.PUBLISHED, BuildState.REFUSED):
            continue
        before, after = (decide(facts(one, kind, crowd, NOW), by, now=TODAY) for by in (held, will))
        was, now = before.is_expired(now=TODAY), after.is_expired(now=TODAY)
        moved = (after.expires_at or NEVER) - (before.expires_at or NEVER)
        if was != now:
            effect = Effect.ENDS if now else Effect.KEEPS
        elif not moved:
            effect = Effect.SAME
        else:
            effect = Effect.LATER if moved > timedelta(0) else Effect.SOONER
        found[one.pk] = effect, was, now
    return found


def test_agrees_with_a_naive_reading_of_both_policies(crowd: Crowd, project: Project) -> None:
    mine = [(one, kind) for one, kind in crowd if one.project_id == project.pk]

    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(policies(CONDITIONS), policies(CONDITIONS))
    def agrees(attached: list[Attached], others: list[Attached]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE retention_policy")
        held = attach(attached, project)
        document = document_of(others[0].policy if others else RetentionPolicy())

        made = preview(document, Holder.of_project(project))

        proposed = Attached(Level.PROJECT, 9, others[0].policy if others else RetentionPolicy())
        will = [*(one for one in held if one.level != Level.PROJECT), proposed]
        expected = naively(mine, held, will)
        counted: Counter[str] = Counter()
        for rule in made.rules.all():
            counted[rule.outcome] += rule.artifacts
        assert counted == Counter(effect.value for effect, _was, _is in expected.values())
        items = RetentionPreviewItem.objects.filter(preview=made)
        assert {one.artifact_id: one.effect for one in items} == {
            one: said[0].value for one, said in expected.items() if said[1] != said[2]
        }
        was = [one for one, (_effect, is_over, _is) in expected.items() if is_over]
        over = [one for one, (_effect, _was, is_over) in expected.items() if is_over]
        assert made.artifacts == len(over)
        assert made.physical_bytes == freed_bytes(crowd, over)
        newly = made.ended_physical_bytes - made.kept_physical_bytes
        assert newly == freed_bytes(crowd, over) - freed_bytes(crowd, was)

    agrees()


@pytest.mark.usefixtures("crowd")
def test_says_what_a_plan_says_once_it_is_saved(project: Project) -> None:
    holder = Holder.of_organization(project.organization)
    demand(AFTER_15, holder)

    made = preview(AFTER_9, holder)
    demand(AFTER_9, holder, preview=made)

    plan = plan_retention(holder=holder, actor=administrator(), now=TODAY)
    assert plan.artifacts == made.artifacts > 0
    assert (plan.logical_bytes, plan.physical_bytes) == (made.logical_bytes, made.physical_bytes)
    assert plan.looked_at == made.looked_at


@pytest.mark.usefixtures("crowd")
def test_changes_nothing(project: Project) -> None:
    before = set(Artifact.objects.values_list("pk", flat=True))

    made = preview(AFTER_9, Holder.of_project(project))

    assert made.artifacts > 0
    assert set(Artifact.objects.values_list("pk", flat=True)) == before
    assert not StoredRetentionPolicy.objects.exists()
    assert not RetentionPlan.objects.exists()  # there is nothing that could be applied


def test_names_the_rules_that_end_and_that_keep(project: Project) -> None:
    holder = Holder.of_project(project)
    demand(
        {"expire": [{"name": "main", "when": {"refs": ["refs/heads/main"]}, "after_days": 9}]},
        holder,
    )
    ending = put(project, Kind(ref="refs/heads/topic"), first=NOW)
    kept = put(project, Kind(path="dist/release"), first=NOW)

    made = preview(
        {
            "keep": [{"name": "releases", "when": {"paths": ["dist/release"]}}],
            "expire": [{"name": "all", "after_days": 5}],
        },
        holder,
    )

    names = {rule.number: (rule.name, rule.version) for rule in made.rules.all()}
    items = {one.artifact_id: one for one in previewed_after(0, preview=made, effect=None, limit=9)}
    assert names[items[ending.pk].rule] == ("all", 2)
    assert names[items[kept.pk].rule] == ("releases", 2)
    assert items[ending.pk].held_ends_at is None
    assert items[ending.pk].ends_at == NOW + timedelta(days=5)
    assert items[kept.pk].held_ends_at == NOW + timedelta(days=9)
    assert items[kept.pk].ends_at is None
    [only] = previewed_after(0, preview=made, effect=Effect.KEEPS, limit=9)
    assert only.artifact_id == kept.pk


def test_is_linked_to_what_was_saved_by_the_audit_trail(project: Project) -> None:
    holder = Holder.of_project(project)

    made = preview(AFTER_9, holder)
    demand(AFTER_9, holder, preview=made)

    saved = AuditRecord.objects.get(action="retention.set")
    previewed = AuditRecord.objects.get(action="retention.preview")
    assert saved.facts["preview"] == previewed.facts["preview"] == str(made.pk)


def changes(refused: RetentionPreviewStale) -> list[str]:
    found = refused.facts["changed"]
    assert isinstance(found, list)
    return [one["what"] for one in found]


@pytest.mark.parametrize("level", ["instance", "organization", "project"])
def test_saves_nothing_once_a_policy_in_reach_has_moved(project: Project, level: str) -> None:
    holder = Holder.of_project(project)
    moved = {
        "instance": Holder.instance(),
        "organization": Holder.of_organization(project.organization),
        "project": holder,
    }[level]
    made = preview(AFTER_9, holder)
    demand(AFTER_15, moved)

    with pytest.raises(RetentionPreviewStale) as refused:
        demand(AFTER_9, holder, preview=made)

    assert changes(refused.value) == ["retention-policy"]
    assert StoredRetentionPolicy.objects.count() == 1


def test_saves_no_other_document_and_for_nobody_else(project: Project) -> None:
    made = preview(AFTER_9, Holder.of_project(project))

    with pytest.raises(RetentionPreviewStale) as other_document:
        demand(AFTER_15, Holder.of_project(project), preview=made)
    with pytest.raises(RetentionPreviewStale) as other_holder:
        demand(AFTER_9, Holder.of_organization(project.organization), preview=made)

    assert changes(other_document.value) == ["document"]
    assert changes(other_holder.value) == ["holder"]
    assert not StoredRetentionPolicy.objects.exists()


def test_is_for_owners_alone(project: Project) -> None:
    holder = Holder.of_project(project)
    made = preview(AFTER_9, holder)

    with pytest.raises(PermissionMissing):
        preview_retention(holder=holder, document=AFTER_9, actor=uploader(project), now=TODAY)
    with pytest.raises(RetentionPreviewNotFound):
        visible_preview(actor=uploader(project), preview=made.pk)


def test_refuses_what_is_no_policy(project: Project) -> None:
    with pytest.raises(MalformedRetentionPolicy):
        preview({"expire": [{"name": "old"}]}, Holder.of_project(project))

    assert not RetentionPreview.objects.exists()


def test_is_stale_by_a_policy_that_is_being_set_in_this_moment(project: Project) -> None:
    put(project, Kind(), first=NOW)
    made = preview(AFTER_9, Holder.of_project(project))
    answers: list[object] = []
    worker = threading.Thread(target=lambda: answers.append(demanded(project, made)))

    with transaction.atomic():
        policies_change()
        attach([Attached(Level.ORGANIZATION, 1, RetentionPolicy())], project)
        worker.start()
        while worker.is_alive() and not is_anybody_blocked():
            worker.join(0.01)
    worker.join()

    [answer] = answers
    assert isinstance(answer, RetentionPreviewStale), answer
    changed = answer.facts["changed"]
    assert isinstance(changed, list)
    assert [one["level"] for one in changed] == ["organization"]


def demanded(project: Project, made: RetentionPreview) -> Held | RetentionPreviewStale:
    """What comes of saving what was previewed, in a connection of its own."""
    try:
        return demand(AFTER_9, Holder.of_project(project), preview=made)
    except RetentionPreviewStale as refusal:
        return refusal
    finally:
        connection.close()
