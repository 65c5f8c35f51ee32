"""Between legal holds and what the bucket holds …"""

import logging
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from artifacts.domain.holds import Reach
from artifacts.domain.patterns import Pattern
from artifacts.domain.reconciliation import Difference
from artifacts.errors import CollectorBusy, ReportOutdated
from artifacts.models import Artifact, Discrepancy, Project, Reconciliation
from artifacts.ports import ObjectVersion
from artifacts.queries.locking import mappers_turn
from artifacts.usecases.collect_blobs import GRACE, collect_blobs
from artifacts.usecases.compare_holds import SETTLED
from artifacts.usecases.mend_blob import Copies
from artifacts.usecases.probe_store import probe_store
from artifacts.usecases.reconcile_store import Kept, reconcile_store
from artifacts.usecases.release_objects import release_objects
from artifacts.usecases.repair_store import MOST_AGE, Repair, repair_store
from config.operator import OPERATOR
from kernel.audit.models import AuditRecord
from tests.factories import legal_holds
from tests.factories.builds import NOW, at_once
from tests.factories.direct_uploads import Able
from tests.factories.legal_holds import PLACE, hold, keys, lifted
from tests.fakes.blob_store import MemoryBlobStore

LATER = NOW + timedelta(hours=1)
mapped = partial(legal_holds.mapped, now=LATER)


def compared(store: MemoryBlobStore, *, able: bool = True) -> Reconciliation:
    kept = Kept(PLACE if able else "elsewhere", store, store, store, store)
    return reconcile_store(kept=kept, clock=lambda: LATER)


def found(report: Reconciliation) -> dict[str, set[str]]:
    rows = Discrepancy.objects.filter(reconciliation=report)
    return {
        one: set(rows.filter(difference=one).values_list("key", flat=True))
        for one in (Difference.UNHELD, Difference.OVERHELD)
    }


def repaired(report: Reconciliation, store: MemoryBlobStore) -> dict[str, int]:
    kept = Kept(PLACE, store, store, store, store)
    return dict(
        repair_store(
            report=report,
            repair=Repair(kept, Copies(store, store), OPERATOR),
            now=LATER,
            told=lambda *_: None,
        )
    )


def released(report: Reconciliation, store: MemoryBlobStore, *, now: object = LATER) -> object:
    kept = Kept(PLACE, store, store, store, store)
    return dict(
        release_objects(
            report=report,
            kept=kept,
            actor=OPERATOR,
            now=now,  # type: ignore[arg-type] # a moment
            told=lambda *_: None,
        )
    )


@pytest.mark.usefixtures("files")
def test_a_comparison_agrees(project: Project, store: MemoryBlobStore) -> None:
    hold(project, Reach(paths=Pattern("kept/**")), now=NOW)
    mapped(store)

    assert not any(found(compared(store)).values())


def test_a_comparison_tells_what_is_held_by_one_of_the_two(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    hold(project, Reach(paths=Pattern("kept/**")), now=NOW)
    mapped(store)
    store.release([files["kept/a"].blob.version])  # as whoever has our credentials may
    store.hold([files["other"].blob.version])

    report = compared(store)

    assert found(report) == {
        "unheld": keys(files["kept/a"]),
        "overheld": keys(files["other"]),
    }
    assert report.counts["unheld"] == {"count": 1, "bytes": len("kept/a")}
    assert not any(found(compared(store, able=False)).values())


def test_a_repair_holds_again_and_leaves_what_somebody_locked(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    hold(project, Reach(paths=Pattern("kept/**")), now=NOW)
    mapped(store)
    store.release([files["kept/a"].blob.version])
    store.hold([files["other"].blob.version])
    report = compared(store)

    assert repaired(report, store) == {"held": 1, "given-up": 0}

    assert store.held == keys(*files.values())
    assert repaired(report, store) == {"gone": 1, "given-up": 0}
    assert found(compared(store)) == {"unheld": set(), "overheld": keys(files["other"])}


@pytest.mark.usefixtures("files")
def test_a_repair_says_what_the_bucket_refused(project: Project, store: MemoryBlobStore) -> None:
    held = hold(project, now=NOW)
    report = compared(store)
    store.is_deaf = True

    assert repaired(report, store) == {"left": 3, "given-up": 0}
    lifted(held, now=LATER)
    assert repaired(report, store) == {"gone": 3, "given-up": 0}


def test_releasing_the_rest_has_to_be_asked_for(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    store.hold([one.blob.version for one in files.values()])
    report = compared(store)
    hold(project, Reach(paths=Pattern("kept/**")), now=LATER)

    assert released(report, store) == {"released": 1, "gone": 2}

    assert store.held == keys(files["kept/a"], files["kept/b"])
    assert released(report, store) == {"gone": 3}
    told = AuditRecord.objects.filter(action="store.release-objects").order_by("pk").first()
    assert told is not None
    assert told.facts["done"] == {"released": 1, "gone": 2}


def test_nothing_is_released_by_an_old_report_or_beside_a_worker(
    files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    store.hold([files["other"].blob.version])
    report = compared(store)

    with pytest.raises(ReportOutdated):
        released(report, store, now=LATER + MOST_AGE + timedelta(seconds=1))
    with mappers_turn():
        [refusal] = at_once(lambda: released(report, store))
    assert isinstance(refusal, CollectorBusy)
    store.is_deaf = True
    assert released(report, store) == {"left": 1}
    assert store.held == keys(files["other"])


def test_what_is_younger_than_a_quarter_of_an_hour_is_not_missed(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    hold(project, now=LATER - SETTLED + timedelta(seconds=1))
    assert not any(found(compared(store)).values())
    hold(project, Reach(artifact=files["other"].pk), now=LATER - SETTLED)
    assert found(compared(store)) == {"unheld": keys(files["other"]), "overheld": set()}


@pytest.mark.usefixtures("project")
def test_bytes_that_the_bucket_keeps_from_the_collector_are_named(
    store: MemoryBlobStore, caplog: pytest.LogCaptureFixture
) -> None:
    probe_store(place=PLACE, probe=Able(), now=NOW)
    orphan = store.put([b"nobody's"], expected=None)
    store.hold([ObjectVersion(orphan.key, orphan.pin)])
    store.written_at = NOW - 2 * GRACE

    with caplog.at_level(logging.WARNING):
        collected = collect_blobs(inventory=store, now=timezone.now())

    assert collected is not None
    assert (collected.removed, collected.left) == (0, 1)
    assert "a legal hold of the bucket" in str([vars(one) for one in caplog.records])
    assert found(compared(store)) == {"unheld": set(), "overheld": {orphan.key}}
