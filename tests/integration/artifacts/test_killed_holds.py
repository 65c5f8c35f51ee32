"""Whoever lets the bucket follow holds is killed with SIGKILL at any step: the next one ends it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.holds import S3ObjectHolds
from artifacts.adapters.s3.probe import S3Probe
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.domain.holds import Reach
from artifacts.domain.patterns import Pattern
from artifacts.models import Artifact, BucketHold, Project
from artifacts.queries.bucket_holds import bucket_holds
from artifacts.usecases.probe_store import probe_store
from kernel.actor import Actor
from tests.factories.builds import send, start
from tests.factories.legal_holds import PLACE, hold, lifted, mapped
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server

Worker = Callable[[str | None], subprocess.CompletedProcess[bytes]]
ROOT = Path(__file__).resolve().parent.parent.parent.parent
WORKER = """
import django, sys
django.setup()
from django.utils import timezone
from tests.factories.legal_holds import mapped
from tests.integration.artifacts.test_killed_holds import bucket_at
from artifacts.adapters.s3.holds import S3ObjectHolds
mapped(S3ObjectHolds(bucket_at(*sys.argv[1:])), now=timezone.now())
"""
POINTS = (
    "artifacts.hold_asked",
    "artifacts.hold_put",
    "artifacts.hold_noted",
    "artifacts.hold_ending",
    "artifacts.hold_ended",
)


def bucket_at(name: str, endpoint: str) -> Bucket:
    return Bucket(S3Settings(name, endpoint, uses_path_style=True))


@pytest.fixture
def name(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a bucket with object lock."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    return s3_server.new_bucket(f"held-{uuid4()}", has_object_lock=True)


@pytest.fixture
def bucket(project: Project, name: str, s3_server: S3Server) -> Bucket:  # noqa: ARG001 - the tables
    """The same, probed."""
    made = bucket_at(name, s3_server.endpoint)
    probe_store(place=PLACE, probe=S3Probe(made), now=timezone.now())
    return made


@pytest.fixture
def files(first: Actor, bucket: Bucket) -> dict[str, Artifact]:
    store, build = S3BlobStore(bucket, part_bytes=SMALLEST_PART), start(first, "build").build
    return {path: send(first, build, store, path).artifact for path in ("a", "b", "c")}


@pytest.fixture
def worker(name: str, s3_server: S3Server, tmp_path: Path) -> Worker:
    """A process that is killed at the point."""

    def run(point: str | None) -> subprocess.CompletedProcess[bytes]:
        trigger = tmp_path / "trigger"
        trigger.touch()
        return subprocess.run(
            [sys.executable, "-c", WORKER, name, s3_server.endpoint],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "STRONGROOM_FAULT_POINTS": f"{point or 'artifacts.never'}={trigger}",
            },
            check=False,
            timeout=60,
        )

    return run


@pytest.mark.parametrize("point", [*POINTS, None])
def test_ends_the_same_whatever_kills_it(
    project: Project,
    files: dict[str, Artifact],
    bucket: Bucket,
    worker: Worker,
    point: str | None,
) -> None:
    holds, now = S3ObjectHolds(bucket), timezone.now()
    over = hold(project, Reach(paths=Pattern("b")), now=now)
    mapped(holds, now=now)
    lifted(over, now=now)
    hold(project, Reach(paths=Pattern("a")), now=now)

    finished = worker(point)

    assert finished.returncode == (-signal.SIGKILL if point else 0)
    # Whatever was cut off: no row says more than the bucket does.
    said = [row.version for row in BucketHold.objects.exclude(held_at=None)]
    assert all(holds.are_held(said))
    mapped(holds, now=timezone.now())
    assert {path: held(holds, one) for path, one in files.items()} == {
        "a": True,
        "b": False,
        "c": False,
    }
    assert bucket_holds() == (1, 0)


def held(holds: S3ObjectHolds, artifact: Artifact) -> bool:
    return holds.are_held([artifact.blob.version]) == [True]
