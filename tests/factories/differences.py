"""A store of many blobs with planted differences, and a process that reconciles it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from django.utils import timezone

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.models import Blob
from artifacts.ports import StoredBytes
from artifacts.usecases.collect_blobs import GRACE
from artifacts.usecases.mend_blob import Copies
from artifacts.usecases.reconcile_store import Kept, reconcile_store
from artifacts.usecases.repair_store import Repair, repair_store
from config.operator import OPERATOR
from kernel.digest import Sha256

ROOT: Final = Path(__file__).resolve().parents[2]
OF_EACH: Final = 10
ADOPTED: Final = 5  # of those without bytes: a whole copy without a row is there
WORKER: Final = """
import django, sys
django.setup()
from tests.factories.differences import worked
worked(sys.argv[1])
"""


def at(place: str) -> DirectoryBlobStore | S3BlobStore:
    """The store of this place: a folder, or endpoint and bucket with a space between."""
    endpoint, space, name = place.partition(" ")
    if not space:
        return DirectoryBlobStore(Path(place))
    return S3BlobStore(bucket_at(endpoint, name), part_bytes=SMALLEST_PART)


def bucket_at(endpoint: str, name: str) -> Bucket:
    return Bucket(S3Settings(name, endpoint, uses_path_style=True))


def filled(place: str, blobs: int) -> None:
    """So many blobs of a few bytes, with their rows."""
    put = _put_file(Path(place)) if " " not in place else _put_object(place)
    with ThreadPoolExecutor(8) as pool:
        rows: list[Blob] = []
        for stored in pool.map(put, _data(blobs)):
            rows.append(
                Blob(
                    sha256=stored.digest.hex,
                    size_bytes=stored.size_bytes,
                    key=stored.key,
                    etag=stored.pin.etag,
                    stored_at=timezone.now(),
                )
            )
            if len(rows) == 5000:
                Blob.objects.bulk_create(rows)
                rows = []
        Blob.objects.bulk_create(rows)


def plant(place: str) -> None:
    """Ten differences of each kind."""
    store = at(place)
    blobs = list(Blob.objects.order_by("key")[: 20 * OF_EACH : 10])
    for number, blob in enumerate(blobs[:OF_EACH]):
        with store.open(blob.key, size_bytes=blob.size_bytes) as reader:
            data = b"".join(reader.chunks(0, blob.size_bytes))
        store.remove(blob.key)
        if number < ADOPTED:
            store.put([data], expected=None)
    for number in range(OF_EACH):
        store.put([b"nobody's %d" % number], expected=None)
    endpoint, space, name = place.partition(" ")
    for number, blob in enumerate(blobs[OF_EACH:]):
        other = b"longer than it was %d" % number
        if space:
            bucket = bucket_at(endpoint, name)
            bucket.put(blob.key, other, Sha256.of(sha256(other).digest()), replaces=True)
            bucket.begin(f"blobs/left/{number}")
        else:
            Path(place, blob.key).write_bytes(other)
            Path(place, "incoming", f"left{number}").write_bytes(b"half")


def reconciled(place: str) -> dict[str, Any]:
    """What a process of its own found, did, and found then; with its times and its memory."""
    finished = subprocess.run(
        [sys.executable, "-c", WORKER, place],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    told: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return told


def worked(place: str) -> None:
    """In the process: compare, repair, compare. Two days on, so that no grace is left."""
    store = at(place)
    kept = Kept(place, store, store, store)

    def clock() -> datetime:
        return timezone.now() + 2 * GRACE

    before, began = _highest(), time.monotonic()
    first = reconcile_store(kept=kept, clock=clock)
    compared = time.monotonic()
    after = _highest()
    done = repair_store(
        report=first,
        repair=Repair(kept, Copies(store, store), OPERATOR),
        now=clock() + timedelta(seconds=1),
        told=lambda *_: None,
    )
    repaired = time.monotonic()
    second = reconcile_store(kept=kept, clock=clock)
    told = {
        "found": {name: one["count"] for name, one in first.counts.items()},
        "done": dict(done),
        "left": {name: one["count"] for name, one in second.counts.items()},
        "keys": first.totals["keys"],
        "compared_seconds": round(compared - began, 1),
        "repaired_seconds": round(repaired - compared, 1),
        "before_mebibytes": round(before / 1024, 1),
        "compared_mebibytes": round(after / 1024, 1),
        "ended_mebibytes": round(_highest() / 1024, 1),
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _highest() -> int:
    """The most memory in KiB that this process ever had: VmHWM."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _data(blobs: int) -> Iterator[bytes]:
    return (b"blob %d" % number for number in range(blobs))


def _put_file(root: Path) -> Callable[[bytes], StoredBytes]:
    """As a directory has them, without waiting for the disk a hundred thousand times."""
    (root / "incoming").mkdir(parents=True)
    for number in range(256):
        (root / f"blobs/sha256/{number:02x}").mkdir(parents=True)

    def put(data: bytes) -> StoredBytes:
        digest = Sha256.of(sha256(data).digest())
        key = f"blobs/sha256/{digest.hex[:2]}/{digest.hex}.{uuid4().hex}"
        (root / key).write_bytes(data)
        return StoredBytes(digest, len(data), key)

    return put


def _put_object(place: str) -> Callable[[bytes], StoredBytes]:
    store = at(place)
    return lambda data: store.put([data], expected=None)
