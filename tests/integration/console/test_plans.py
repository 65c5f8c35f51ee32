"""The pages of retention plans …"""

from datetime import timedelta
from typing import Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.queries import organization_place
from artifacts.domain.retention_limits import RunLimits
from artifacts.errors import StorageUnavailable
from artifacts.models import (
    Artifact,
    Blob,
    Project,
    RetentionPlan,
    RetentionRun,
    RetentionWait,
)
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.collect_blobs import collect_blobs
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.set_retention import RetentionChange, set_retention
from kernel.audit.models import AuditRecord
from provenance.domain import slsa_v1
from provenance.usecases.attest_builds import Attestor
from tests.factories.actors import administrator
from tests.factories.burying import bury
from tests.factories.people import owner_at_a_browser
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.fakes.blob_store import MemoryBlobStore
from tests.integration.console.test_pages import text

pytestmark = pytest.mark.django_db
FIRST: Final = timezone.now() - timedelta(days=100)
PLANS: Final = "/administration/organizations/acme/plans"
POLICY: Final = {
    "keep": [{"name": "docs", "when": {"paths": ["doc/**"]}}],
    "expire": [{"name": "old", "after_days": 30}],
}

NAMED: Final = {"name": "acme", "reason": "the bucket is full"}


@pytest.fixture
def place(db: None) -> Project:  # noqa: ARG001 - the tables are there
    """Three files that go, one that a rule keeps, and one whose time has not come."""
    project = make_project()
    for number in range(3):
        put(
            project,
            Kind(path=f"dist/{number}", size_bytes=1024, predicate=slsa_v1.PREDICATE_TYPE),
            first=FIRST,
        )
    put(project, Kind(path="doc/manual"), first=FIRST)
    put(project, Kind(path="dist/new", stored=99), first=FIRST)
    rule(project, POLICY)
    return project


@pytest.fixture
def olga(place: Project) -> Client:
    return owner_at_a_browser(organization_place(place.organization))


def rule(project: Project, document: object) -> None:
    set_retention(
        holder=Holder.of_organization(project.organization),
        change=RetentionChange(document),
        actor=administrator(),
        now=timezone.now(),
    )


def reason_of(action: str) -> str:
    """Why somebody did that, by the audit trail."""
    return str(AuditRecord.objects.get(action=action).facts["reason"])


def planned(project: Project) -> RetentionPlan:
    holder = Holder.of_organization(project.organization)
    return plan_retention(holder=holder, actor=administrator(), now=timezone.now())


def test_make_a_plan_and_show_it_in_numbers(olga: Client) -> None:
    made = olga.post(PLANS)

    page = text(made["Location"], olga)

    assert "3 files go, of 5 looked at" in page
    assert "3.0 KiB they have together" in page
    for row in (
        "old acme version 1 Goes : ends it 3",
        "docs acme version 1 Stays : keeps it 1",
        "old acme version 1 Goes later : will end it 1",
    ):
        assert row in page
    assert "dist/2" in page
    assert "doc/manual" not in page
    assert "not applied" in text(PLANS, olga)


def test_find_the_files_of_a_plan_by_path(place: Project, olga: Client) -> None:
    address = f"/administration/plans/{planned(place).pk}"

    page = text(address, olga, path="dist/1")

    assert "dist/1" in page
    assert "dist/2" not in page
    assert "No file that goes is like that" in text(address, olga, path="nowhere")


def test_say_before_they_apply_what_goes_and_ask_for_the_name(place: Project, olga: Client) -> None:
    plan = planned(place)
    address = f"/administration/plans/{plan.pk}/apply"

    assert "Remove 3 files" in text(address, olga)
    refused = olga.post(address, {"name": "acmee"})

    assert refused.status_code == 422
    assert "“acmee” is not its name" in refused.content.decode()
    assert not RetentionRun.objects.exists()

    unreasoned = olga.post(address, {"name": "acme"})
    assert "A reason is missing" in unreasoned.content.decode()
    assert not RetentionRun.objects.exists()

    applied = olga.post(address, NAMED)

    assert applied["Location"] == f"/administration/plans/{plan.pk}"
    assert "0 of 3 files are done" in text(applied["Location"], olga)
    apply_retention(clock=timezone.now, trash=timedelta(days=7))
    done = text(applied["Location"], olga)
    assert "Planned 3 files, 3.0 KiB" in done
    assert "Deleted 3 files, 3.0 KiB" in done
    assert "Confirmed 0 files, 0 bytes" in done
    assert "In the trash each can be restored until its time is over" in done
    assert reason_of("retention.apply") == "the bucket is full"
    assert Artifact.objects.count() == 2


def test_say_what_the_store_has_confirmed_and_what_not(
    place: Project, olga: Client, attestor: Attestor
) -> None:
    plan = planned(place)
    address = f"/administration/plans/{plan.pk}"
    olga.post(f"{address}/apply", {"name": "acme", "reason": "room"})
    apply_retention(clock=timezone.now, trash=timedelta(0))
    bury(attestor, timezone.now())
    keys = list(Artifact.objects.values_list("blob__key", flat=True))
    stuck = Blob.objects.exclude(key__in=keys).order_by("id")[0].key

    class Locked(MemoryBlobStore):
        def remove(self, key: str) -> None:
            if key == stuck:
                raise StorageUnavailable(reason="AccessDenied")
            super().remove(key)

    store = Locked(blobs=dict.fromkeys(keys, b""))
    for days in (0, 2):
        collect_blobs(inventory=store, now=timezone.now() + timedelta(days=days))

    page = text(address, olga)

    assert "Planned 3 files, 3.0 KiB" in page
    assert "Confirmed 2 files, 2.0 KiB in 2 blobs that the store, asked again, has no more" in page
    assert "Still in the store" in page
    assert "1 1.0 KiB" in page


def test_say_which_limit_a_plan_waits_for(place: Project, olga: Client) -> None:
    plan = planned(place)
    exceeded = RunLimits(most_percent=10, most_bytes=2048).exceeded(
        artifacts=plan.artifacts, looked_at=plan.looked_at, logical_bytes=plan.logical_bytes
    )
    RetentionWait.objects.create(plan=plan, since=timezone.now(), exceeded=exceeded)
    address = f"/administration/plans/{plan.pk}"

    page = text(address, olga)

    assert "It waits for a person." in page
    assert "3 files would go; 0 may ( STRONGROOM_RETENTION_MOST_PERCENT )" in page
    assert "3.0 KiB would go; 2.0 KiB may ( STRONGROOM_RETENTION_MOST_BYTES )" in page
    olga.post(f"{address}/apply", {"name": "acme", "reason": "room"})
    assert "It waits for a person." not in text(address, olga)


def test_tell_what_made_a_plan_stale_and_do_not_apply_it(place: Project, olga: Client) -> None:
    plan = planned(place)
    rule(place, {})
    address = f"/administration/plans/{plan.pk}"

    page = text(address, olga)

    assert "set version 2 of the rules of acme" in page
    assert "nothing to apply here: the plan is stale" in text(f"{address}/apply", olga)
    assert olga.post(f"{address}/apply", NAMED)["Location"] == address
    assert not RetentionRun.objects.exists()


def test_cancel_a_run(place: Project, olga: Client) -> None:
    plan = planned(place)
    address = f"/administration/plans/{plan.pk}"
    olga.post(f"{address}/apply", NAMED)

    olga.post(f"{address}/cancel", {"reason": "wrong rule"})

    assert reason_of("retention.cancel") == "wrong rule"
    assert "it ends behind the batch that is under way" in text(address, olga)
    apply_retention(clock=timezone.now, trash=timedelta(days=7))
    assert "cancelled" in text(address, olga)
    assert Artifact.objects.count() == 5


def test_ask_the_database_as_often_for_many_files_as_for_few(place: Project, olga: Client) -> None:
    def queries() -> int:
        address = f"/administration/plans/{planned(place).pk}"
        with CaptureQueriesContext(connection) as captured:
            text(address, olga)
        return len(captured)

    few = queries()
    for number in range(20):
        put(place, Kind(path=f"more/{number}"), first=FIRST)

    assert queries() == few
