"""Whoever keeps a store tidy with `strongroom` …"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from access.usecases.create_token import create_token
from artifacts.domain.quota import Quota
from artifacts.models import Artifact, RetentionRun, TrashedArtifact
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.cancel_retention_run import cancel_retention_run
from artifacts.usecases.collect_blobs import collect_blobs
from artifacts.usecases.set_quota import set_project_quota
from artifacts.usecases.set_retention import RetentionChange, set_retention
from kernel.actor import Permission
from kernel.audit.models import AuditRecord
from provenance.domain import slsa_v1
from tests.factories.actors import administrator
from tests.factories.burying import bury
from tests.factories.command import Command
from tests.factories.shelf import Kind, put
from tests.fakes.blob_store import MemoryBlobStore
from tests.journeys.conftest import Shop, shop, web

__all__ = ["shop", "web"]

AFTER_9 = {
    "keep": [{"name": "newest", "newest": 1, "when": {"paths": ["kept/*"]}}],
    "expire": [{"name": "nine", "after_days": 9}],
}


@pytest.fixture
def owner(shop: Shop, tmp_path: Path) -> Command:
    created = create_token(
        name="root",
        project=None,
        permissions=[Permission.ADMINISTER],
        life=timedelta(hours=1),
        actor=administrator(),
        now=timezone.now(),
    )
    settings = {
        "STRONGROOM_URL": shop.web.url,
        "STRONGROOM_TOKEN": created.secret,
        "STRONGROOM_PROJECT": "acme/widget",
    }
    (tmp_path / "here").mkdir()
    return Command(tmp_path / "here", settings)


@pytest.fixture
def expired(shop: Shop) -> Artifact:
    first = timezone.now() - timedelta(days=10)
    expired = put(
        shop.project,
        Kind(path="old", size_bytes=4096, predicate=slsa_v1.PREDICATE_TYPE),
        first=first,
    )
    put(shop.project, Kind(path="kept/one"), first=first)
    set_retention(
        holder=Holder.of_organization(shop.project.organization),
        change=RetentionChange(AFTER_9),
        actor=administrator(),
        now=timezone.now(),
    )
    return expired


@pytest.mark.usefixtures("expired")
@pytest.mark.parametrize("whose", [(), ("--organization", "acme"), ("--instance",)])
def test_sees_what_would_go(owner: Command, whose: tuple[str, ...]) -> None:
    told = owner("retention", "plan", *whose)
    read = owner("retention", "plan", *whose, "--json")

    assert told.code == 0, told.err
    assert "1 of 2 artifacts go, 4.0 KiB, 4.0 KiB of which nobody else has" in told.out
    assert "ends   nine of organization: 1 artifacts" in told.out
    assert "keeps  newest of organization: 1 artifacts" in told.out
    assert (read.json["artifacts"], read.json["run"]) == (1, None)
    assert not TrashedArtifact.objects.exists()


def plan(owner: Command) -> str:
    made: dict[str, Any] = owner("retention", "plan", "--json").json
    return str(made["id"])


def test_lets_a_plan_go(owner: Command, expired: Artifact) -> None:
    made = plan(owner)

    started = owner("retention", "apply", made, "--reason", "Platz\n für 2.0")
    apply_retention(clock=timezone.now)
    ended = owner("retention", "apply", made, "--wait")

    assert (started.code, ended.code) == (0, 0), started.err + ended.err
    told = AuditRecord.objects.get(action="retention.apply")
    assert told.facts["reason"] == "Platz für 2.0"
    assert "running: 0 of 1 artifacts are gone" in started.out
    assert "done: 1 of 1 artifacts are gone, 4.0 KiB; 0 were spared" in ended.out
    assert f"strongroom retention show {made}" in ended.out
    assert TrashedArtifact.objects.get().pk == expired.pk


def test_sees_what_is_confirmed_and_what_waits(
    owner: Command, expired: Artifact, shop: Shop
) -> None:
    made = plan(owner)
    owner("retention", "apply", made)
    apply_retention(clock=timezone.now)

    trashed = owner("retention", "show", made)
    until = TrashedArtifact.objects.get().restorable_until.strftime("%Y-%m-%dT%H:%M")
    TrashedArtifact.objects.update(restorable_until=timezone.now())
    bury(shop.attestor, timezone.now())
    store = MemoryBlobStore(blobs={Artifact.objects.get().blob.key: b"kept"})
    for days in (0, 2):
        collect_blobs(inventory=store, now=timezone.now() + timedelta(days=days))
    gone = owner("retention", "show", made, "--json")

    assert trashed.code == 0, trashed.err
    assert "planned: 1 artifacts, 4.0 KiB, 4.0 KiB of which nobody else has" in trashed.out
    assert "deleted: 1 artifacts, 4.0 KiB" in trashed.out
    assert "confirmed: 0 artifacts" in trashed.out
    assert f"in-trash: 1 artifacts, 4.0 KiB, until {until}" in trashed.out
    assert gone.json["confirmed"] == {
        "artifacts": 1,
        "blobs": 1,
        "physical_bytes": expired.blob.size_bytes,
    }
    assert gone.json["waiting"] == []


@pytest.mark.usefixtures("expired")
def test_waits_no_longer_than_it_was_told(owner: Command) -> None:
    made = plan(owner)

    waited = owner("retention", "apply", made, "--wait=0.1")

    assert (waited.code, "code: run-not-ended-in-time" in waited.err) == (4, True)


def cancel(run: RetentionRun) -> None:
    cancel_retention_run(run=run, actor=administrator(), now=timezone.now())


def change_rules(run: RetentionRun) -> None:
    change = RetentionChange({})
    set_retention(
        holder=Holder.instance(), change=change, actor=administrator(), now=run.started_at
    )


@pytest.mark.parametrize(("meddle", "state"), [(cancel, "cancelled"), (change_rules, "stale")])
@pytest.mark.usefixtures("expired")
def test_is_refused_a_run_that_ended_early(
    owner: Command, meddle: Callable[[RetentionRun], None], state: str
) -> None:
    made = plan(owner)
    owner("retention", "apply", made)
    meddle(RetentionRun.objects.get())
    apply_retention(clock=timezone.now)

    told = owner("retention", "apply", made, "--wait")

    assert (told.code, "code: run-ended-early" in told.err) == (1, True)
    assert f"state: {state}" in told.err


def test_is_told_why_an_artifact_expires(owner: Command, expired: Artifact) -> None:
    kept = owner("retention", "explain", "kept/one")
    ended = owner("retention", "explain", str(expired.pk))
    absent = owner("retention", "explain", "old")

    assert kept.code == 0, kept.err
    assert "does not expire" in kept.out
    assert "kept by rule newest of organization acme, version 1" in kept.out
    ends_at = (expired.stored_at + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    assert f"expires at {ends_at}" in ended.out
    assert "ended by rule nine of organization acme, version 1" in ended.out
    assert (absent.code, "explained by their id" in absent.err) == (3, True)


@pytest.mark.parametrize(
    "words",
    [("plan", "it"), ("apply",), ("apply", "it"), ("show",), ("show", "it"), ("explain",)],
    ids=" ".join,
)
def test_is_told_what_an_action_takes(owner: Command, words: tuple[str, ...]) -> None:
    told = owner("retention", *words)

    assert (told.code, "code: wrong-usage" in told.err) == (2, True)


def test_sees_what_is_stored_and_may_be(owner: Command, shop: Shop) -> None:
    put(shop.project, Kind(size_bytes=4096), first=timezone.now())
    set_project_quota(
        actor=administrator(),
        organization="acme",
        project="widget",
        quota=Quota.parse({"bytes": {"warn": 1024, "hard": 2048}, "files": None}),
        now=timezone.now(),
    )

    told = owner("usage")
    of_all = owner("usage", "--organization", "acme", "--json")

    assert told.code == 0, told.err
    assert "acme/widget: 1 files, 4.0 KiB, 4.0 KiB of them distinct" in told.out
    assert "warn at 1.0 KiB, hard at 2.0 KiB" in told.out
    assert [one["project"] for one in of_all.json["projects"]] == ["widget"]
