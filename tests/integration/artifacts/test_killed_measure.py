"""A worker that measures an upload and is killed with SIGKILL: the next one finishes, once."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.domain.transfer import UploadState
from artifacts.models import Artifact, Upload
from artifacts.usecases.join_build import join_build
from artifacts.usecases.measure_uploads import LEASE, Bytes, measure_upload
from kernel.actor import Actor
from tests.factories.builds import digest_of, start

ROOT = Path(__file__).resolve().parent.parent.parent.parent
DATA = b"frozen" * 1000
WORKER = """
import django, sys
django.setup()
from pathlib import Path
from django.db import transaction
from django.utils import timezone
from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.usecases.measure_uploads import Bytes, measure_upload
store = DirectoryBlobStore(Path(sys.argv[1]))
measure_upload(place=Bytes(store, store), clock=timezone.now)
"""
STORED = ("artifacts.measuring", "artifacts.half_measured", "artifacts.measured")
POINTS = {
    **{(point, "genuine"): UploadState.STORED for point in STORED},
    ("artifacts.adding", "genuine"): UploadState.STORED,
    ("artifacts.added", "genuine"): UploadState.STORED,
    ("artifacts.refused", "false"): UploadState.REFUSED,
}


@pytest.mark.parametrize(("point", "digest"), POINTS)
@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "unharmed"])
def test_is_measured_once_whatever_kills_the_worker(
    first: Actor, tmp_path: Path, point: str, digest: str, *, is_killed: bool
) -> None:
    store, trigger = DirectoryBlobStore(tmp_path / "blobs"), tmp_path / "trigger"
    upload = completed(first, store, DATA if digest == "genuine" else b"something else")
    if is_killed:
        trigger.touch()

    finished = subprocess.run(
        [sys.executable, "-c", WORKER, str(tmp_path / "blobs")],
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
    later = timezone.now() + LEASE + timedelta(seconds=1)
    while measure_upload(place=Bytes(store, store), clock=lambda: later):
        pass
    upload.refresh_from_db()
    assert upload.state == POINTS[point, digest]
    assert Artifact.objects.count() == (1 if digest == "genuine" else 0)


def completed(actor: Actor, store: DirectoryBlobStore, declared: bytes) -> Upload:
    """An upload whose bytes are frozen; a directory stands in for the bucket here."""
    build = start(actor, "build").build
    stored = store.put([DATA], expected=None)
    with transaction.atomic():
        contribution = join_build(build=build, actor=actor, joined_at=timezone.now())
    now = timezone.now()
    return Upload.objects.create(
        build=build,
        contribution=contribution,
        path="large",
        declared_sha256=digest_of(declared).hex,
        size_bytes=len(DATA),
        part_bytes=len(DATA),
        key=stored.key,
        upload_id="stands in",
        started_by=actor.name,
        state=UploadState.MEASURING,
        started_at=now,
        touched_at=now,
        next_attempt_at=now,
    )
