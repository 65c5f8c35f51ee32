"""The collector, while files come and go, …

`python -m tests.soak.collect --seconds 300` runs the same for longer and prints the figures.
"""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.models import Artifact, Blob, FreedBlob
from artifacts.usecases.collect_blobs import GRACE, collect_blobs
from kernel.actor import Actor
from tests.factories.builds import NOW, send, start
from tests.factories.collector_race import race
from tests.factories.stores import Store, store_of

ROOT = Path(__file__).resolve().parent.parent.parent.parent
SECONDS = float(os.environ.get("SOAK_SECONDS", "6"))
FIGURES = os.environ.get("SOAK_FIGURES")


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    return store_of(request.param, request, tmp_path, monkeypatch)


@pytest.mark.timeout(SECONDS + 120)
# A bucket knows whole seconds only: half the grace has to be longer than that.
@pytest.mark.parametrize(
    ("store", "grace"),
    [("directory", 0.3), ("s3", 2.5), ("s3-versioned", 2.5)],
    indirect=["store"],
)
def test_loses_no_live_blob(
    first: Actor, store: Store, grace: float, request: pytest.FixtureRequest
) -> None:
    figures = race(first, store, seconds=SECONDS, grace=timedelta(seconds=grace))

    if FIGURES:
        with Path(FIGURES).open("a") as lines:
            told = {"race": request.node.callspec.id, **figures.counts, "lost": len(figures.lost)}
            lines.write(json.dumps(told) + "\n")
    assert figures.errors == []
    assert figures.lost == []
    assert figures.counts["uploaded"]
    assert figures.counts["removed"]
    Artifact.objects.all().delete()
    for hours in (1, 2):
        collect_blobs(
            inventory=store, now=timezone.now() + timedelta(hours=hours), grace=timedelta(0)
        )
    assert not Blob.objects.exists()
    assert store.page(after="") == []


COLLECTOR = """
import django, sys
django.setup()
from datetime import datetime
from pathlib import Path
from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.usecases.collect_blobs import collect_blobs
store = DirectoryBlobStore(Path(sys.argv[1]))
collect_blobs(inventory=store, now=datetime.fromisoformat(sys.argv[2]))
"""
POINTS = (
    "artifacts.condemning",
    "artifacts.orphaned",
    "artifacts.removed",
    "artifacts.asked",
    "artifacts.freeing",
    "artifacts.collected",
)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "unharmed"])
def test_finishes_what_a_killed_collector_began(
    first: Actor, tmp_path: Path, point: str, *, is_killed: bool
) -> None:
    directory, trigger = DirectoryBlobStore(tmp_path / "blobs"), tmp_path / "trigger"
    build = start(first, "some").build
    kept = send(first, build, directory, "kept").artifact.blob
    for path in ("a", "b"):
        send(first, build, directory, path)
    Artifact.objects.exclude(path="kept").delete()
    directory.put([b"orphan"], expected=None)
    collect_blobs(inventory=directory, now=NOW + timedelta(seconds=1))
    later = timezone.now() + GRACE + timedelta(hours=1)
    if is_killed:
        trigger.touch()

    finished = subprocess.run(
        [sys.executable, "-c", COLLECTOR, str(tmp_path / "blobs"), later.isoformat()],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "STRONGROOM_FAULT_POINTS": f"{point}={trigger}",
        },
        check=False,
        timeout=60,
    )

    assert finished.returncode == (-signal.SIGKILL if is_killed else 0)
    if not is_killed:
        assert FreedBlob.objects.count() == 3
    assert confirmed(directory)
    assert collect_blobs(inventory=directory, now=later) is not None
    assert confirmed(directory)
    assert FreedBlob.objects.count() == 3
    assert [one.key for one in directory.page(after="")] == [kept.key]
    assert list(Blob.objects.all()) == [kept]


def confirmed(store: Store) -> bool:
    """Whether no row says of bytes that they have gone which are there."""
    stored = {one.key for one in store.page(after="")}
    return not FreedBlob.objects.filter(key__in=stored).exists()
