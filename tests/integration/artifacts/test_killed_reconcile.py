"""Who reconciles or scrubs is killed with SIGKILL at any step: the next one finishes, once."""

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.models import Blob, BlobState, FreedBlob, Reconciliation, Scrub
from artifacts.usecases.mend_blob import Copies
from artifacts.usecases.reconcile_store import Kept, reconcile_store
from artifacts.usecases.repair_store import Repair, repair_store
from artifacts.usecases.scrub_blobs import scrub_blobs
from config.operator import OPERATOR
from kernel.actor import Actor
from kernel.audit.models import AuditRecord
from tests.factories.builds import digest_of, send, start

ROOT = Path(__file__).resolve().parent.parent.parent.parent
OLD = timedelta(days=2)
WORKER = """
import django, sys
django.setup()
from pathlib import Path
from tests.integration.artifacts.test_killed_reconcile import reconciled, scrubbed
folder = Path(sys.argv[1])
scrubbed(folder)
reconciled(folder)
"""
POINTS = (
    "artifacts.scrubbed",
    "artifacts.marked",
    "artifacts.reconciled",
    "artifacts.adopting",
    "artifacts.copied_back",
    "artifacts.mending",
    "artifacts.orphaned",
    "artifacts.removed",
    "artifacts.asked",
    "artifacts.freeing",
    "artifacts.collected",
    "artifacts.given_up",
)


def copies(folder: Path) -> Copies:
    store = DirectoryBlobStore(folder / "blobs")
    return Copies(store, store, DirectoryBlobStore(folder / "second"))


def scrubbed(folder: Path) -> None:
    Scrub.objects.update(leased_until=None, rests_until=None)
    scrub_blobs(copies=copies(folder), bytes_per_second=1_000_000, clock=timezone.now)


def reconciled(folder: Path) -> Reconciliation:
    """Compare, and repair by that."""
    store = DirectoryBlobStore(folder / "blobs")
    kept = Kept("directory", store, store, store)
    report = reconcile_store(kept=kept, clock=timezone.now)
    repair_store(
        report=report,
        repair=Repair(kept, copies(folder), OPERATOR),
        now=timezone.now(),
        told=lambda *_: None,
    )
    return report


@pytest.mark.parametrize("point", [*POINTS, None])
def test_ends_the_same_whatever_kills_it(first: Actor, tmp_path: Path, point: str | None) -> None:
    planted(first, tmp_path)
    trigger = tmp_path / "trigger"
    trigger.touch()

    finished = subprocess.run(
        [sys.executable, "-c", WORKER, str(tmp_path)],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "STRONGROOM_FAULT_POINTS": f"{point or 'artifacts.never'}={trigger}",
        },
        check=False,
        timeout=60,
    )

    assert finished.returncode == (-signal.SIGKILL if point else 0)
    scrubbed(tmp_path)
    reconciled(tmp_path)
    last = reconciled(tmp_path)
    assert {name: one["count"] for name, one in last.counts.items() if one["count"]} == {}
    assert whole(tmp_path) == {"whole", "adopted", "copied", "bits"}
    assert Blob.objects.get(damaged_at__isnull=False).artifact_set.get().path == "lost"
    assert not Blob.objects.exclude(state=BlobState.LIVE).exists()
    kept = {blob.key for blob in Blob.objects.filter(damaged_at=None)}
    assert stored(tmp_path) == kept
    assert not FreedBlob.objects.filter(key__in=kept).exists()
    assert [
        one.size_bytes for one in FreedBlob.objects.filter(sha256=digest_of(b"nobody's").hex)
    ] == [8]
    assert AuditRecord.objects.filter(action="blob.damage").count() <= 3
    events = AuditRecord.objects.filter(action="blob.damage").values_list("target", flat=True)
    assert len(events) == len(set(events))


def planted(actor: Actor, folder: Path) -> None:
    """One of each difference, and of each way in which it can be mended."""
    store, second = DirectoryBlobStore(folder / "blobs"), folder / "second"
    build = start(actor, "build").build
    keys = {
        name: send(actor, build, store, name, name.encode()).artifact.blob.key
        for name in ("whole", "adopted", "copied", "bits", "lost")
    }
    age(store, folder / "blobs", timezone.now() - OLD)
    for name in ("copied", "bits"):
        path = second / keys[name]
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    for name in ("copied", "lost", "adopted"):
        (folder / "blobs" / keys[name]).unlink()
    (folder / "blobs" / keys["bits"]).write_bytes(b"BITS")
    for data in (b"adopted", b"nobody's"):
        store.put([data], expected=None)
    (folder / "blobs" / "incoming" / "left").write_bytes(b"half")
    age(store, folder / "blobs", timezone.now() - OLD)


def age(store: DirectoryBlobStore, folder: Path, moment: datetime) -> None:
    for path in [folder / one.key for one in store.page(after="")] + list(
        (folder / "incoming").iterdir()
    ):
        os.utime(path, (moment.timestamp(), moment.timestamp()))


def stored(folder: Path) -> set[str]:
    return {one.key for one in DirectoryBlobStore(folder / "blobs").page(after="")}


def whole(folder: Path) -> set[str]:
    """The files whose bytes are there and are theirs."""
    return {
        artifact.path
        for blob in Blob.objects.filter(damaged_at=None)
        for artifact in blob.artifact_set.all()
        if (folder / "blobs" / blob.key).read_bytes() == artifact.path.encode()
    }
