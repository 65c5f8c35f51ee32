"""The pages of reconciliation …"""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from access.queries import organization_place
from artifacts import wiring
from artifacts.domain.reconciliation import Difference
from artifacts.models import Artifact, Blob, Discrepancy, Reconciliation, Scrub, StoreRepair
from artifacts.usecases.mark_damaged import mark_damaged
from artifacts.usecases.mend_blob import Copies
from artifacts.usecases.reconcile_store import Kept, reconcile_store
from artifacts.usecases.repair_when_asked import repair_when_asked
from kernel.audit.models import AuditRecord
from tests.factories.people import administrator_at_a_browser, owner_at_a_browser
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.fakes.blob_store import MemoryBlobStore
from tests.integration.console.test_pages import text, words

pytestmark = pytest.mark.django_db
PAGE = "/administration/store/reconciliation"
NOW = timezone.now()


@pytest.fixture
def ada() -> Client:
    return administrator_at_a_browser()


def report(*, orphans: int = 0, begun_at: datetime = NOW) -> Reconciliation:
    """As the use case leaves it, with so many keys that no row names."""
    counts = {one.value: {"count": 0, "bytes": 0} for one in Difference}
    counts["orphan"] = {"count": orphans, "bytes": orphans * 1024}
    made = Reconciliation.objects.create(
        place=wiring.probed_place(),
        started_at=begun_at,
        ended_at=begun_at,
        counts=counts,
        totals={"keys": 7, "stored_bytes": 7 * 1024, "blob_bytes": 4096, "blobs": 4},
    )
    for number in range(orphans):
        Discrepancy.objects.create(
            reconciliation=made,
            difference="orphan",
            key=f"blobs/orphan-{number:03}",
            found_bytes=1024,
            since=NOW - timedelta(days=3),
        )
    return made


def address(made: Reconciliation) -> str:
    return f"{PAGE}/{made.pk}"


def test_says_what_has_not_happened_yet(ada: Client) -> None:
    found = text(PAGE, ada)

    assert "Nothing has been compared yet" in found
    assert "None is known" in found


def test_shows_comparisons_scrub_and_damage(ada: Client) -> None:
    artifact = put(make_project(), Kind(path="dist/hurt"), first=NOW)
    mark_damaged(blob=artifact.blob, found="other", now=NOW)
    Scrub.objects.create(blobs=2, size_bytes=1024, round_started_at=NOW)
    report(orphans=3)
    report(begun_at=NOW - timedelta(days=1))

    found = text(PAGE, ada)

    assert "3 differences" in found
    assert "the same" in found
    assert "2 blobs with 1.0 KiB of about 4.0 KiB" in found
    assert "dist/hurt acme/widget" in found
    assert "1 altogether" in found


def test_shows_a_comparison_kind_by_kind_and_one_by_one(ada: Client) -> None:
    made = report(orphans=60)

    found = text(address(made), ada)

    assert (
        "bytes without a row 60 60.0 KiB adopt where a damaged blob needs them, or collect" in found
    )
    assert "blobs/orphan-000" in found
    assert "blobs/orphan-055" not in found
    assert "More differences" in found
    assert "None is of this kind" in text(address(made), ada, 200, difference="missing")
    assert ada.get(address(made), {"difference": "other"}).status_code == 400
    text(f"{PAGE}/{uuid4()}", ada, status=404)


def test_asks_for_the_place_before_it_repairs(ada: Client) -> None:
    made = report(orphans=1)
    repair = f"{address(made)}/repair"

    assert "Repair 1 difference" in text(repair, ada)
    wrong = ada.post(repair, {"name": "somewhere"})
    assert wrong.status_code == 422
    assert "is not its name" in words(wrong)
    assert not StoreRepair.objects.exists()
    done = ada.post(repair, {"name": made.place, "reason": "a disk was lost"})
    assert done["Location"] == address(made)
    assert "0 of 1 listed differences are done" in text(address(made), ada)
    ada.post(repair, {"name": made.place, "reason": "a disk was lost"})
    told = AuditRecord.objects.get(action="store.ask-repair", actor="user:ada")
    assert told.facts["reason"] == "a disk was lost"
    assert "that has been asked for" in text(repair, ada)


def test_repairs_in_the_name_of_whoever_asked(ada: Client) -> None:
    store = MemoryBlobStore()
    kept = Kept(wiring.probed_place(), store, store, store)
    orphan = store.put([b"nobody's"], expected=None).key
    store.written_at = NOW - timedelta(days=2)
    made = reconcile_store(kept=kept, clock=lambda: NOW)
    ada.post(f"{address(made)}/repair", {"name": made.place, "reason": "a disk was lost"})

    done = repair_when_asked(kept=kept, copies=Copies(store, store), clock=lambda: NOW)

    assert done is not None
    assert done.outcomes["collected"] == 1
    assert orphan not in store.blobs
    assert "collected 1" in text(address(made), ada)
    assert AuditRecord.objects.get(action="store.repair").actor == "user:ada"
    assert repair_when_asked(kept=kept, copies=Copies(store, store), clock=lambda: NOW) is None


def test_ends_a_repair_whose_report_has_grown_old(ada: Client) -> None:
    store = MemoryBlobStore()
    kept = Kept(wiring.probed_place(), store, store, store)
    made = report(orphans=1)
    ada.post(f"{address(made)}/repair", {"name": made.place, "reason": "a disk was lost"})
    later = NOW + timedelta(days=2)

    done = repair_when_asked(kept=kept, copies=Copies(store, store), clock=lambda: later)

    assert done is not None
    assert done.refused == {"code": "report-outdated"}
    assert "report-outdated" in text(address(made), ada)


def test_repairs_by_no_report_of_yesterday(ada: Client) -> None:
    made = report(orphans=1, begun_at=NOW - timedelta(days=2))

    assert "it is more than a day old" in text(f"{address(made)}/repair", ada)
    answer = ada.post(f"{address(made)}/repair", {"name": made.place, "reason": "a disk was lost"})
    assert answer.status_code == 409
    assert not StoreRepair.objects.exists()


def test_is_the_store_administrators_alone() -> None:
    project = make_project()
    olga = owner_at_a_browser(organization_place(project.organization))
    made = report(orphans=1)

    for page in (PAGE, address(made), f"{address(made)}/repair"):
        text(page, olga, status=403)
    assert (
        olga.post(
            f"{address(made)}/repair", {"name": made.place, "reason": "a disk was lost"}
        ).status_code
        == 403
    )
    assert not StoreRepair.objects.exists()
    assert (Artifact.objects.count(), Blob.objects.count()) == (0, 0)
