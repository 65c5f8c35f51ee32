"""The uploads of `python -m tests.bench.quotas`, as a test, because that has a database.

Eight threads upload small files by turns to an organization without a quota and to one whose quota
is far away, so that both have the same machine at the same time. Only the recording of a file is
timed: the store is in memory.
"""

import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Final
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from artifacts.domain.quota import Limits, Quota
from artifacts.models import Project
from artifacts.queries import Place
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from artifacts.usecases.publish_file import Incoming, publish_file
from artifacts.usecases.set_quota import set_organization_quota
from tests.factories.actors import administrator, job
from tests.factories.facts import witnessed
from tests.fakes.blob_store import MemoryBlobStore

UPLOADS: Final = int(os.environ.get("QUOTA_UPLOADS", "100"))
THREADS: Final = 8
FAR: Final = Quota(bytes=Limits(hard=2**50), files=Limits(hard=2**40))
FREE, LIMITED = "free", "limited"


@pytest.mark.timeout(0)
def test_compares_uploads_with_and_without_a_quota(
    transactional_db: None,  # noqa: ARG001 - the tables, really committed
    capsys: pytest.CaptureFixture[str],
) -> None:
    for slug in (FREE, LIMITED):
        place = {"organization": slug, "is_public": False, "now": timezone.now()}
        create_organization(actor=administrator(), slug=slug, now=timezone.now())
        create_project(actor=administrator(), slug="widget", **place)  # type: ignore[arg-type]
    set_organization_quota(
        actor=administrator(), organization=LIMITED, quota=FAR, now=timezone.now()
    )
    _uploads(0, 5)
    with ThreadPoolExecutor(THREADS) as pool:
        timed = list(chain(*pool.map(_uploads, range(THREADS), [UPLOADS] * THREADS)))
    seconds = {slug: [took for where, took in timed if where == slug] for slug in (FREE, LIMITED)}
    for name, figure in (("median", statistics.median), ("mean", statistics.fmean)):
        free, limited = figure(seconds[FREE]), figure(seconds[LIMITED])
        with capsys.disabled():
            sys.stdout.write(
                f"\n{THREADS} threads, {THREADS * UPLOADS} uploads of each kind, {name}: without a "
                f"quota {free * 1000:.1f} ms, with one {limited * 1000:.1f} ms, "
                f"{limited / free - 1:+.1%}\n"
            )


def _uploads(thread: int, each: int) -> list[tuple[str, float]]:
    """So many to each organization, by turns; half of the threads begin with the other one."""
    actors = {
        slug: job(Project.objects.get(organization__slug=slug), witnessed())
        for slug in (FREE, LIMITED)
    }
    timed = []
    for number in range(2 * each):
        slug = (FREE, LIMITED)[(number + thread) % 2]
        began = time.monotonic()
        publish_file(
            actor=actors[slug],
            place=Place(slug, "widget", uuid4().hex),
            incoming=Incoming(chunks=iter([uuid4().bytes]), declared=None, size_bytes=16),
            store=MemoryBlobStore(),
            clock=timezone.now,
        )
        timed.append((slug, time.monotonic() - began))
    connection.close()
    return timed
