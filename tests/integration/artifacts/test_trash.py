"""The trash …"""

from datetime import timedelta
from typing import Any

import pytest
from django.forms.models import model_to_dict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artifacts.domain.holds import ArtifactHeld, Reach
from artifacts.domain.lifecycle import BuildState
from artifacts.domain.quota import Limits, Quota, Use
from artifacts.domain.reasons import ReasonMissing
from artifacts.errors import (
    ArtifactExpired,
    ArtifactKept,
    ArtifactNotFound,
    ArtifactNotPublished,
    ArtifactRemoved,
    PathTaken,
    QuotaExceeded,
)
from artifacts.models import Artifact, Blob, DeclaredUse, Project, Tombstone, TrashedArtifact
from artifacts.queries import Place, visible_artifact
from artifacts.queries.expiry import expiry_of
from artifacts.queries.retention import Holder
from artifacts.queries.trash import trash_after, trashed_seen_by
from artifacts.queries.use import counted_use, measured_use
from artifacts.usecases.apply_retention import WEEK, apply_retention
from artifacts.usecases.collect_blobs import GRACE, collect_blobs
from artifacts.usecases.lift_hold import lift_hold
from artifacts.usecases.place_hold import Holding, place_hold
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.publish_file import Incoming, publish_file
from artifacts.usecases.recount_use import recount_use
from artifacts.usecases.remove_artifact import remove_artifact
from artifacts.usecases.restore_artifact import Restoring, restore_trashed
from artifacts.usecases.set_quota import set_organization_quota
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_retention_run import start_retention_run
from kernel.actor import PermissionMissing
from kernel.audit.models import AuditRecord
from provenance.domain import slsa_v1
from provenance.usecases.attest_builds import Attestor
from tests.factories.actors import administrator, owner, reader, uploader
from tests.factories.builds import NOW
from tests.factories.burying import bury
from tests.factories.keeping_history import History
from tests.factories.shelf import Kind, put
from tests.fakes.blob_store import MemoryBlobStore

TODAY = NOW + timedelta(days=20)
EMPTIED = TODAY + WEEK
RESTORING = Restoring("it was needed", WEEK)


def demand(document: object) -> None:
    set_retention(
        holder=Holder.instance(),
        change=RetentionChange(document),
        actor=administrator(),
        now=TODAY,
    )


def expire_everything() -> None:
    demand({"expire": [{"name": "old", "after_days": 5, "is_final": True}]})
    plan = plan_retention(holder=Holder.instance(), actor=administrator(), now=TODAY)
    start_retention_run(plan=plan, actor=administrator(), now=TODAY)
    apply_retention(clock=lambda: TODAY)


def remove(artifact: Artifact, **others: Any) -> TrashedArtifact:
    said = {"reason": "a secret is in it", "actor": owner(artifact.project), **others}
    return remove_artifact(artifact=artifact, trash=WEEK, now=TODAY, **said)


def restore(trashed: TrashedArtifact, *, now: Any = TODAY) -> Artifact:
    return restore_trashed(
        trashed=trashed, restoring=RESTORING, actor=owner(trashed.project), now=now
    )


def release(project: Project, store: MemoryBlobStore, data: bytes = b"first") -> Artifact:
    artifact = publish_file(
        actor=uploader(project),
        place=Place("acme", "widget", "dist/a"),
        incoming=Incoming(chunks=iter([data]), declared=None),
        store=store,
        clock=lambda: NOW,
    ).artifact
    artifact.build.state = BuildState.REFUSED
    artifact.build.save()
    return artifact


def test_takes_what_a_person_removes_and_says_so(project: Project) -> None:
    artifact = put(project, Kind(), first=NOW)

    removed = remove(artifact)

    assert not Artifact.objects.exists()
    assert removed.restorable_until == EMPTIED
    with pytest.raises(ArtifactRemoved) as refused:
        visible_artifact(actor=reader(project), artifact=artifact.pk)
    assert refused.value.facts["restorable_until"] == EMPTIED
    assert refused.value.facts["restored_by"] == "an owner of acme/widget"
    assert refused.value.facts["reason"] == "a secret is in it"
    told = AuditRecord.objects.get(action="artifact.remove")
    assert told.facts["reason"] == "a secret is in it"
    assert trash_after(None, project=project, limit=9) == [removed]


def test_takes_what_a_run_removes_and_names_the_rule(project: Project) -> None:
    artifact = put(project, Kind(), first=NOW)

    expire_everything()

    with pytest.raises(ArtifactExpired) as refused:
        visible_artifact(actor=reader(project), artifact=artifact.pk)
    assert refused.value.facts["rule"] == "old"
    assert refused.value.facts["restorable_until"] == EMPTIED
    assert not Tombstone.objects.exists()


def test_gives_everything_back_as_it_was(project: Project, store: MemoryBlobStore) -> None:
    before = release(project, store)
    expire_everything()
    trashed = trashed_seen_by(owner(project), artifact=before.pk)

    restored = restore(trashed)

    found = visible_artifact(actor=reader(project), artifact=before.pk)
    assert model_to_dict(found) == model_to_dict(before)
    assert restored == found
    assert not TrashedArtifact.objects.exists()
    assert AuditRecord.objects.get(action="artifact.restore").facts["reason"] == "it was needed"


def test_gives_back_what_no_rule_takes_again_for_a_while(project: Project) -> None:
    artifact = put(project, Kind(), first=NOW)
    expire_everything()

    restored = restore(TrashedArtifact.objects.get())

    assert restored.pk == artifact.pk
    expiry = expiry_of(restored, now=TODAY)
    assert expiry.expires_at == TODAY + WEEK
    assert expiry.kept_by is not None
    assert expiry.kept_by.name == "in-use"


def test_keeps_bytes_from_being_free_only_as_long_as_something_protects_them(
    project: Project,
) -> None:
    """Of one blob, one artifact is in the trash and the other is planned to go."""
    first, _second = (put(project, Kind(path=path, bytes_of="same"), first=NOW) for path in "ab")
    remove(first)
    demand({"expire": [{"name": "old", "after_days": 5}]})

    def freed() -> int:
        plan = plan_retention(holder=Holder.instance(), actor=administrator(), now=TODAY)
        assert plan.artifacts == 1
        return plan.physical_bytes

    assert freed() == 100
    holding = Holding(Reach(artifact=first.pk), reason="case 7")
    place_hold(project=project, holding=holding, actor=owner(project), now=TODAY)
    assert freed() == 0


def test_keeps_bytes_and_name_meanwhile(project: Project, store: MemoryBlobStore) -> None:
    artifact = release(project, store)
    expire_everything()

    for day in range(4):
        collect_blobs(inventory=store, now=TODAY + day * (GRACE + timedelta(seconds=1)))

    assert [one.key for one in store.page(after="")] == [artifact.blob.key]
    with pytest.raises(PathTaken):
        release(project, store, b"second")
    with pytest.raises(ArtifactExpired):
        release(project, store, b"first")


def test_is_emptied_when_its_window_is_over(
    project: Project, store: MemoryBlobStore, attestor: Attestor
) -> None:
    artifact = release(project, store)
    remove(artifact)

    assert bury(attestor, EMPTIED - timedelta(seconds=1)) == 0
    assert bury(attestor, EMPTIED) == 1
    for day in range(3):
        collect_blobs(inventory=store, now=EMPTIED + day * (GRACE + timedelta(seconds=1)))

    tombstone = Tombstone.objects.get()
    assert (tombstone.artifact_id, tombstone.reason) == (artifact.pk, "a secret is in it")
    assert (tombstone.sha256, tombstone.plan_id) == (artifact.blob.sha256, None)
    assert not Blob.objects.exists()
    assert list(store.page(after="")) == []
    with pytest.raises(ArtifactRemoved) as refused:
        visible_artifact(actor=reader(project), artifact=artifact.pk)
    assert "restorable_until" not in refused.value.facts
    with pytest.raises(PathTaken):
        release(project, store, b"second")


def test_gives_nothing_back_when_its_window_is_over(project: Project) -> None:
    trashed = remove(put(project, Kind(), first=NOW))

    with pytest.raises(ArtifactNotFound):
        restore(trashed, now=EMPTIED)
    restore(trashed, now=EMPTIED - timedelta(seconds=1))
    with pytest.raises(ArtifactNotFound):
        restore(trashed)


def test_counts_the_bytes_that_are_back_once(project: Project) -> None:
    limit(bytes_most=100, files_most=2)
    trashed = [
        remove(put(project, Kind(path=path, bytes_of="shared"), first=NOW)) for path in ("a", "b")
    ]
    organization = project.organization
    recount_use(subject=organization, now=TODAY)
    assert counted_use(organization) == Use()

    for one in trashed:
        restore(trashed_seen_by(administrator(), artifact=one.pk))

    assert counted_use(organization) == Use(2, 200, 100) == measured_use(organization)[0]


def test_gives_back_what_fits_though_its_removal_was_not_counted_yet(project: Project) -> None:
    """What goes is counted out every few minutes: until then the quota looks full."""
    artifact = put(project, Kind(), first=NOW)
    limit(bytes_most=100, files_most=1)
    trashed = remove(artifact)
    assert counted_use(project.organization) == Use(1, 100, 100)

    restore(trashed_seen_by(administrator(), artifact=trashed.pk))

    assert counted_use(project.organization) == Use(1, 100, 100)


def test_gives_nothing_back_that_does_not_fit(project: Project) -> None:
    trashed = remove(put(project, Kind(path="a"), first=NOW))
    put(project, Kind(path="b"), first=NOW)
    limit(bytes_most=100, files_most=2)

    with pytest.raises(QuotaExceeded):
        restore(trashed_seen_by(administrator(), artifact=trashed.pk))

    assert TrashedArtifact.objects.get().pk == trashed.pk
    assert counted_use(project.organization) == Use(1, 100, 100)


def limit(*, bytes_most: int, files_most: int) -> None:
    quota = Quota(bytes=Limits(hard=bytes_most), files=Limits(hard=files_most))
    set_organization_quota(actor=administrator(), organization="acme", quota=quota, now=NOW)


def test_keeps_what_is_held_until_the_hold_is_lifted(project: Project, attestor: Attestor) -> None:
    held, gone = (
        put(project, Kind(path=path, predicate=slsa_v1.PREDICATE_TYPE), first=NOW)
        for path in ("a", "b")
    )
    for one in (held, gone):
        remove(one)
    hold = place_hold(
        project=project,
        holding=Holding(Reach(artifact=held.pk), "case"),
        actor=owner(project),
        now=TODAY,
    )

    assert bury(attestor, EMPTIED) == 1
    assert [one.pk for one in TrashedArtifact.objects.all()] == [held.pk]
    assert restore(TrashedArtifact.objects.get(), now=EMPTIED).pk == held.pk
    Artifact.objects.get(pk=held.pk)
    for person in (1, 2):
        lift_hold(hold=hold, persons=2, reason="x", actor=owner(project, person), now=TODAY)
    DeclaredUse.objects.all().delete()
    remove(Artifact.objects.select_related("blob", "build", "project__organization").get())
    assert bury(attestor, EMPTIED) == 1


def test_takes_nothing_that_is_kept(project: Project) -> None:
    artifact = put(project, Kind(held_to=30), first=NOW)
    used = put(project, Kind(path="b", used_to=30), first=NOW)
    ruled = put(project, Kind(path="c"), first=NOW)
    demand(
        {
            "keep": [
                {"name": "all-c", "when": {"paths": ["c"]}},
                {"name": "newest", "newest": 1},
            ]
        }
    )

    with pytest.raises(ArtifactHeld):
        remove(artifact)
    for one, rule in ((used, "in-use"), (ruled, "all-c")):
        with pytest.raises(ArtifactKept) as refused:
            remove(one)
        assert refused.value.facts["rule"] == rule

    assert Artifact.objects.count() == 3
    demand({"keep": [{"name": "newest", "newest": 1}]})
    remove(ruled)


def test_takes_nothing_without_right_or_reason_or_before_its_time(project: Project) -> None:
    artifact = put(project, Kind(), first=NOW)
    waiting = put(project, Kind(path="b", outcome=BuildState.SEALED), first=NOW)

    for actor in (reader(project), uploader(project)):
        with pytest.raises(PermissionMissing):
            remove(artifact, actor=actor)
    with pytest.raises(ReasonMissing):
        remove(artifact, reason="")
    with pytest.raises(ArtifactNotPublished):
        remove(waiting)

    assert Artifact.objects.count() == 2


ACTS = st.lists(st.tuples(st.sampled_from(sorted(History.ACTS)), st.integers(0, 3)), max_size=14)


def test_never_costs_what_is_held_its_bytes(project: Project, attestor: Attestor) -> None:
    """Whatever happens in whatever order: what is held is there, with its bytes."""
    demand({"expire": [{"name": "old", "after_days": 2}]})

    @settings(
        max_examples=20, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(ACTS)
    def holds(acts: list[tuple[str, int]]) -> None:
        history = History(project, attestor)
        for act, number in acts:
            history.act(act, number)
            assert history.states_of_held_bytes() == {"live"}
            assert history.is_true_of_the_store()
        history.end()
        assert not Artifact.objects.exists()
        assert not TrashedArtifact.objects.exists()
        assert history.store.blobs == {}
        assert history.is_true_of_the_store()

    holds()
