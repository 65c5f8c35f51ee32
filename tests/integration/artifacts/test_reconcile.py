"""A reconciliation …"""

from datetime import timedelta
from functools import partial

import pytest

from artifacts.errors import CollectorBusy, ReportOutdated, StorageUnavailable
from artifacts.models import Artifact, Blob, BlobState, Discrepancy, Reconciliation
from artifacts.ports import Arriving, Listed
from artifacts.usecases import reconcile_store as reconciling
from artifacts.usecases.collect_blobs import GRACE, Collected, collect_blobs
from artifacts.usecases.mend_blob import Copies
from artifacts.usecases.reconcile_store import (
    EVERY,
    Kept,
    reconcile_store,
    reconcile_store_when_due,
)
from artifacts.usecases.repair_store import MOST_AGE, Repair, repair_store
from config.operator import OPERATOR
from kernel.actor import Actor
from kernel.audit.models import AuditRecord
from tests.factories.builds import NOW, at_once, send, start
from tests.fakes.blob_store import MemoryBlobStore

LATER = NOW + GRACE + timedelta(seconds=1)


def kept(store: MemoryBlobStore) -> Kept:
    return Kept("memory", store, store, store)


def compared(store: MemoryBlobStore) -> Reconciliation:
    return reconcile_store(kept=kept(store), clock=lambda: LATER)


def repaired(report: Reconciliation, store: MemoryBlobStore) -> dict[str, int]:
    return repair_store(
        report=report,
        repair=Repair(kept(store), Copies(store, store), OPERATOR),
        now=LATER,
        told=lambda *_: None,
    )


def found(report: Reconciliation) -> dict[str, list[str]]:
    listed: dict[str, list[str]] = {}
    for one in Discrepancy.objects.filter(reconciliation=report).order_by("key"):
        listed.setdefault(one.difference, []).append(one.key)
    return listed


@pytest.fixture
def blobs(first: Actor, store: MemoryBlobStore) -> list[Blob]:
    """Of ten files, by key: a page of the fake has three."""
    build = start(first, "kept").build
    sent = [send(first, build, store, f"{number}", f"{number}".encode()) for number in range(10)]
    return sorted((one.artifact.blob for one in sent), key=lambda blob: blob.key)


def test_finds_nothing_where_rows_and_bytes_agree(
    blobs: list[Blob], store: MemoryBlobStore
) -> None:
    report = compared(store)

    assert found(report) == {}
    assert report.totals["keys"] == report.totals["blobs"] == len(blobs)
    assert report.totals["stored_bytes"] == report.totals["blob_bytes"] == 10


def test_finds_each_kind_of_difference_with_what_it_costs(
    blobs: list[Blob], store: MemoryBlobStore
) -> None:
    del store.blobs[blobs[3].key]
    store.blobs[blobs[7].key] = b"longer"
    orphan = store.put([b"nobody's"], expected=None).key
    store.left = [Arriving("left", NOW, 77), Arriving("fresh", LATER, 5)]

    report = compared(store)

    assert found(report) == {
        "missing": [blobs[3].key],
        "differs": [blobs[7].key],
        "orphan": [orphan],
        "abandoned": ["left"],
    }
    assert {name: tuple(one.values()) for name, one in report.counts.items()} == {
        "missing": (1, 1),
        "differs": (1, 6),
        "orphan": (1, 8),
        "abandoned": (1, 77),
        "unheld": (0, 0),
        "overheld": (0, 0),
    }
    assert report.totals["arriving_bytes"] == 82


def test_leaves_bytes_alone_whose_row_may_still_come(
    project: object, store: MemoryBlobStore
) -> None:
    store.put([b"on its way"], expected=None)
    store.written_at = LATER

    report = compared(store)

    assert found(report) == {}
    assert report.totals["fresh_bytes"] == len(b"on its way")
    assert project


def test_looks_twice_before_it_says_that_something_is_missing(
    blobs: list[Blob], store: MemoryBlobStore
) -> None:
    """A list may be older than the rows it is compared with."""

    class Behind(MemoryBlobStore):
        def page(self, *, after: str) -> list[Listed]:
            return [one for one in super().page(after=after) if one.key != blobs[0].key]

    behind = Behind(blobs=store.blobs)

    assert found(compared(behind)) == {}


def test_counts_what_waits_to_be_freed_and_nothing_of_it_as_wrong(
    blobs: list[Blob], store: MemoryBlobStore
) -> None:
    Artifact.objects.filter(blob=blobs[0]).delete()
    Blob.objects.filter(pk=blobs[0].pk).update(state=BlobState.COLLECTING)
    del store.blobs[blobs[0].key]

    report = compared(store)

    assert found(report) == {}
    assert report.totals["pending_free_bytes"] == 1


def test_believes_no_empty_store(blobs: list[Blob], store: MemoryBlobStore) -> None:
    """A disk that is not mounted must not look like a disaster, and be repaired as one."""
    store.blobs.clear()

    with pytest.raises(StorageUnavailable, match="nothing is stored"):
        compared(store)
    assert blobs
    assert not Reconciliation.objects.exists()


def test_believes_no_list_that_goes_backwards(blobs: list[Blob], store: MemoryBlobStore) -> None:
    class Shuffled(MemoryBlobStore):
        def page(self, *, after: str) -> list[Listed]:
            return list(reversed(list(super().page(after=after))))

    with pytest.raises(StorageUnavailable, match="out of order"):
        compared(Shuffled(blobs=store.blobs))
    assert blobs


def test_keeps_exact_counts_of_more_than_it_lists(
    blobs: list[Blob], store: MemoryBlobStore
) -> None:
    for number in range(reconciling.MOST_ROWS + 5):
        store.put([f"orphan {number}".encode()], expected=None)

    report = compared(store)

    assert report.counts["orphan"]["count"] == reconciling.MOST_ROWS + 5
    assert len(found(report)["orphan"]) == reconciling.MOST_ROWS
    assert blobs


def test_runs_once_a_day(project: object, store: MemoryBlobStore) -> None:
    def at(moment: timedelta) -> Reconciliation | None:
        return reconcile_store_when_due(kept=kept(store), clock=lambda: NOW + moment)

    assert at(timedelta(0)) is not None
    assert at(EVERY / 2) is None
    assert at(EVERY) is not None
    assert project


def test_repairs_everything_that_it_found_and_finds_nothing_then(
    blobs: list[Blob], store: MemoryBlobStore
) -> None:
    del store.blobs[blobs[3].key]
    store.put([b"nobody's"], expected=None)
    store.left = [Arriving("left", NOW, 77)]

    done = repaired(compared(store), store)

    assert done == {"marked": 1, "collected": 1, "given-up": 1}
    damaged = Blob.objects.get(damaged_at__isnull=False)
    assert damaged == blobs[3]
    assert set(store.blobs) == {blob.key for blob in blobs} - {blobs[3].key}
    assert store.left == []
    [event] = AuditRecord.objects.filter(action="blob.damage")
    assert (event.actor, event.target, event.facts["artifacts"]) == (
        "operator",
        blobs[3].sha256,
        1,
    )
    again = compared(store)
    assert (found(again), again.totals["damaged_blobs"]) == ({}, 1)


def test_adopts_bytes_without_a_row_for_a_blob_that_lost_its_own(
    blobs: list[Blob], store: MemoryBlobStore
) -> None:
    data = store.blobs.pop(blobs[3].key)
    copy = store.put([data], expected=None).key

    done = repaired(compared(store), store)

    assert done == {"adopted": 1, "gone": 1, "given-up": 0}
    assert Blob.objects.get(pk=blobs[3].pk).key == copy
    assert found(compared(store)) == {}


def test_adopts_no_bytes_for_the_digest_in_their_key(
    blobs: list[Blob], store: MemoryBlobStore
) -> None:
    """A forger with a key of the bucket: the name claims the digest, the bytes are others."""
    del store.blobs[blobs[3].key]
    forged = f"blobs/sha256/{blobs[3].sha256[:2]}/{blobs[3].sha256}.{'f' * 32}"
    store.blobs[forged] = b"X"

    done = repaired(compared(store), store)

    assert done == {"marked": 1, "gone": 1, "given-up": 0}
    assert Blob.objects.get(pk=blobs[3].pk).key == blobs[3].key


def test_keeps_what_may_mend_from_the_collector(blobs: list[Blob], store: MemoryBlobStore) -> None:
    Blob.objects.filter(pk=blobs[0].pk).update(damaged_at=NOW)
    copy = store.put([store.blobs[blobs[0].key]], expected=None).key

    assert collect_blobs(inventory=store, now=LATER) == Collected()

    assert copy in store.blobs
    Blob.objects.update(damaged_at=None)
    assert collect_blobs(inventory=store, now=LATER) == Collected(orphans=1, removed=1)


def test_leaves_what_has_healed_since_the_report(blobs: list[Blob], store: MemoryBlobStore) -> None:
    data = store.blobs.pop(blobs[3].key)
    orphan = store.put([b"nobody's"], expected=None)
    report = compared(store)
    store.blobs[blobs[3].key] = data
    Blob.objects.create(sha256="0" * 64, size_bytes=8, key=orphan.key, stored_at=NOW)

    assert repaired(report, store) == {"gone": 2, "given-up": 0}

    assert orphan.key in store.blobs
    assert not Blob.objects.filter(damaged_at__isnull=False).exists()


def test_repairs_by_no_old_report(project: object, store: MemoryBlobStore) -> None:
    report = compared(store)
    report.started_at = LATER - MOST_AGE - timedelta(seconds=1)

    with pytest.raises(ReportOutdated):
        repaired(report, store)
    assert project


def test_repairs_one_at_a_time(project: object, store: MemoryBlobStore) -> None:
    store.put([b"nobody's"], expected=None)
    report = compared(store)
    outcomes = []

    class Reentered(MemoryBlobStore):
        def remove(self, key: str) -> None:
            outcomes.extend(at_once(partial(repaired, report, store)))
            super().remove(key)

    repaired(report, Reentered(blobs=store.blobs))

    assert [type(one) for one in outcomes] == [CollectorBusy]
    assert project
