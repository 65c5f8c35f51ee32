"""Retention over very many artifacts: `python -m tests.bench.retention --artifacts 1000000`.

On a PostgreSQL of its own, filled by sets of rows. It prints what a preview, a plan and a run cost:
seconds, the CPU seconds of all of the database's processes, and both as multiples of a bare count
and sum of the same rows, which are worth more than seconds of a busy machine. Beside that, how long
listings and uploads take before a plan, during it, during the run, and after.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import django
import psycopg

# The seed's rows agree with each other: to check each of them takes most of its time.
_SEED_OPTIONS: Final = (
    "-c session_replication_role=replica -c synchronous_commit=off -c work_mem=256MB"
)
_BARE: Final = """SELECT project_id, count(*), sum(size_bytes)
    FROM artifact JOIN blob ON blob.id = blob_id GROUP BY project_id"""
# A process of its own, as a worker is: it tells the seconds of each batch.
_WORKER: Final = """
import time
import django
django.setup()
from datetime import UTC, datetime
from artifacts.usecases.apply_retention import apply_retention
def told() -> float:
    now = time.monotonic()
    print(now, flush=True)
    return now
apply_retention(clock=lambda: datetime.now(UTC), meter=told)
"""
_ROOT: Final = Path(__file__).resolve().parents[2]


def _rules(days: int) -> dict[str, Any]:
    return {
        "keep": [
            {"name": "releases", "when": {"refs": ["refs/tags/**"]}},
            {"name": "newest", "newest": 1},
        ],
        "expire": [
            {"name": "old", "after_days": days},
            {"name": "branches", "when": {"refs": ["refs/heads/feature/*"]}, "beyond_newest": 3},
        ],
    }


def measure(*, artifacts: int, days: int) -> None:
    """Fill the store, set rules, preview others, plan, apply; print what each took."""
    from django.core.management import call_command  # noqa: PLC0415 - after django.setup()
    from django.db import connection as django_connection  # noqa: PLC0415 - as above

    from tests.bench.seed import seed  # noqa: PLC0415 - as above
    from tests.environment import PASSWORD, SCRATCH  # noqa: PLC0415 - as above
    from tests.factories.postgres import running_postgres  # noqa: PLC0415 - as above

    SCRATCH.mkdir(mode=0o700)
    try:
        with running_postgres() as cluster:
            call_command("migrate_schema", verbosity=0)
            began = time.perf_counter()
            url = cluster.url("postgres", PASSWORD)
            seed_url = f"{url}{'&' if '?' in url else '?'}options={quote(_SEED_OPTIONS)}"
            now = datetime.now(UTC)
            seed(artifacts=artifacts, url=seed_url, now=now, behind="retention_downloads.sql")
            # What the database would do by and by, in the midst of what is measured.
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")
                connection.execute("CHECKPOINT")
            _say(f"seed: {artifacts:,} artifacts in {time.perf_counter() - began:.0f} s")
            _measure_retention(days=days)
            # The server waits for its clients before it ends, and a pool keeps what is closed.
            django_connection.close()
            django_connection.close_pool()
    finally:
        shutil.rmtree(SCRATCH)


def _measure_retention(*, days: int) -> None:
    from artifacts.queries.retention import Holder  # noqa: PLC0415 - after django.setup()
    from artifacts.usecases.plan_retention import plan_retention  # noqa: PLC0415 - as above
    from artifacts.usecases.preview_retention import preview_retention  # noqa: PLC0415 - as above
    from artifacts.usecases.set_retention import (  # noqa: PLC0415 - as above
        RetentionChange,
        set_retention,
    )
    from artifacts.usecases.start_retention_run import (  # noqa: PLC0415 - as above
        start_retention_run,
    )
    from tests.factories.actors import administrator  # noqa: PLC0415 - as above

    now, holder, actor = datetime.now(UTC), Holder.instance(), administrator()
    rules = _rules(days)
    _execute(_BARE)  # the first one reads everything from files
    bare, _rows = _timed("bare count and sum", lambda: _execute(_BARE))
    _cost, preview = _timed(
        "preview",
        lambda: preview_retention(holder=holder, document=rules, actor=actor, now=now),
        beside=bare,
    )
    change = RetentionChange(rules, preview=preview)
    set_retention(holder=holder, change=change, actor=actor, now=now)
    _cost, plan = _timed(
        "plan", lambda: plan_retention(holder=holder, actor=actor, now=now), beside=bare
    )
    _say(
        f"  {plan.looked_at:,} looked at, {plan.artifacts:,} go, {plan.logical_bytes:,} logical and"
        f" {plan.physical_bytes:,} physical bytes"
    )
    visits = _Visits()
    visits.report("before", seconds=20)
    with visits.going_on("during a plan"):
        plan = plan_retention(holder=holder, actor=actor, now=now)
    start_retention_run(plan=plan, actor=actor, now=now)
    with visits.going_on("during the run"):
        _apply()
    visits.report("after", seconds=20)


def _apply() -> None:
    from artifacts.models import RetentionRun, RunState  # noqa: PLC0415 - after django.setup()

    finished = subprocess.run(
        [sys.executable, "-c", _WORKER],
        cwd=_ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    moments = [float(line) for line in finished.stdout.split()]
    batches = [later - at for at, later in pairwise(moments)]
    run = RetentionRun.objects.get()
    if run.state != RunState.DONE:
        raise SystemExit(f"the run ended {run.state}: {run.changed}")
    _say(
        f"apply: {run.removed_artifacts:,} removed, {run.spared_artifacts:,} spared, {run.state},"
        f" {moments[-1] - moments[0]:.1f} s; {len(batches)} batches, the longest"
        f" {max(batches):.2f} s, the median {_quantile(batches, 0.5):.2f} s"
    )


class _Visits:
    """Somebody who lists a project's files, and somebody who uploads: one of each at a time."""

    def __init__(self) -> None:
        self.numbers = count()

    def report(self, when: str, *, seconds: float) -> None:
        """Visit for so long, and say how long the slowest took."""
        with self.going_on(when):
            time.sleep(seconds)

    @contextmanager
    def going_on(self, when: str) -> Iterator[None]:
        """Visit while the block runs. The first visits load code, and do not count."""
        self._list()
        self._upload()
        stop = threading.Event()
        took: dict[str, list[float]] = {"listing": [], "upload": []}
        threads = [
            threading.Thread(target=self._go_on, args=(stop, took[name], visit))
            for name, visit in (("listing", self._list), ("upload", self._upload))
        ]
        for one in threads:
            one.start()
        try:
            yield
        finally:
            stop.set()
            for one in threads:
                one.join()
        for name, seconds in took.items():
            _say(
                f"{name} {when}: {len(seconds)} times, median {_quantile(seconds, 0.5) * 1000:.0f},"
                f" p99 {_quantile(seconds, 0.99) * 1000:.0f} ms"
            )

    def _go_on(self, stop: threading.Event, took: list[float], visit: Callable[[], None]) -> None:
        from django.db import connection  # noqa: PLC0415 - after django.setup()

        try:
            while not stop.is_set():
                began = time.perf_counter()
                visit()
                took.append(time.perf_counter() - began)
                stop.wait(0.02)
        finally:
            connection.close()

    def _list(self) -> None:
        from django.test import Client  # noqa: PLC0415 - after django.setup()

        answer = Client().get("/api/v1/projects/acme/gadget/files")
        if answer.status_code != 200:
            raise SystemExit(answer.content)

    def _upload(self) -> None:
        from artifacts.queries import Place  # noqa: PLC0415 - after django.setup()
        from artifacts.usecases.publish_file import Incoming, publish_file  # noqa: PLC0415 - above
        from artifacts.wiring import blob_store  # noqa: PLC0415 - as above
        from tests.factories.actors import administrator  # noqa: PLC0415 - as above

        number = next(self.numbers)
        publish_file(
            actor=administrator(),
            place=Place("acme", "gadget", f"visits/{number}"),
            incoming=Incoming(chunks=iter([b"visit %d" % number]), declared=None),
            store=blob_store(),
            clock=lambda: datetime.now(UTC),
        )


@dataclass(frozen=True, slots=True)
class _Cost:
    seconds: float
    cpu_seconds: float


def _timed(name: str, act: Callable[[], Any], *, beside: _Cost | None = None) -> tuple[_Cost, Any]:
    """Do it, and say what it cost here and in the database."""
    backend = _execute("SELECT pg_backend_pid()")[0][0]
    cpu, began = _cpu_seconds_of_server(backend), time.perf_counter()
    done = act()
    cost = _Cost(time.perf_counter() - began, _cpu_seconds_of_server(backend) - cpu)
    multiples = ""
    if beside is not None:
        multiples = (
            f" ({cost.seconds / beside.seconds:.1f} and"
            f" {cost.cpu_seconds / max(beside.cpu_seconds, 0.01):.1f} times the bare count)"
        )
    _say(
        f"{name}: {cost.seconds:.1f} s, {cost.cpu_seconds:.1f} s of CPU in the database{multiples};"
        f" its process {_resident(backend):.0f} MiB, ours {_most_resident():.0f} at most;"
        f" load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    )
    return cost, done


def _execute(sql: str) -> list[tuple[Any, ...]]:
    from django.db import connection  # noqa: PLC0415 - after django.setup()

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _cpu_seconds_of_server(backend: int) -> float:
    """Of all its processes, those that have ended included: a statement may use several."""
    server = int(_stat(backend)[1])
    alive = [_stat(int(one.name)) for one in Path("/proc").iterdir() if one.name.isdigit()]
    own = [fields for fields in alive if fields and int(fields[1]) == server]
    ticks = sum(map(int, _stat(server)[11:15]))
    return (ticks + sum(int(one[11]) + int(one[12]) for one in own)) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """What the kernel tells of a process, from its state on; nothing when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _resident(pid: int) -> float:
    """Its own memory in MiB: what it shares with other processes is not counted."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) / 1024


def _most_resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's output


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--artifacts", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=180, help="older ones go, a fifth; tags stay")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import tests.environment  # noqa: F401, PLC0415 - names the servers, before settings are read

    django.setup()
    measure(artifacts=options.artifacts, days=options.days)


if __name__ == "__main__":
    main()
