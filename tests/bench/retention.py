"""Retention over very many artifacts: `python -m tests.bench.retention --artifacts 1000000`.

On a PostgreSQL of its own, filled by sets of rows. It prints what a plan, a preview and a run cost
(seconds; CPU seconds and memory of the database's process; both beside a bare count and sum of
the same rows), and how long listings and uploads take before, during and after the run.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Final

import django

from tests.bench.filled import filled

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
    with filled(artifacts=artifacts) as seconds:
        _say(f"seed: {artifacts:,} artifacts in {seconds:.0f} s")
        _measure_retention(days=days)


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
    _timed("bare count and sum", lambda: _execute(_BARE))
    _timed("the same again", lambda: _execute(_BARE))
    preview = _timed(
        "preview",
        lambda: preview_retention(holder=holder, document=rules, actor=actor, now=now),
    )
    change = RetentionChange(rules, preview=preview)
    set_retention(holder=holder, change=change, actor=actor, now=now)
    plan = _timed("plan", lambda: plan_retention(holder=holder, actor=actor, now=now))
    _say(
        f"  {plan.looked_at:,} looked at, {plan.artifacts:,} go, {plan.logical_bytes:,} logical and"
        f" {plan.physical_bytes:,} physical bytes"
    )
    visits = _Visits()
    visits.report("before", seconds=20)
    start_retention_run(plan=plan, actor=actor, now=now)
    with visits.going_on("during"):
        _apply()
    visits.report("after", seconds=20)


def _apply() -> None:
    from artifacts.models import RetentionRun  # noqa: PLC0415 - after django.setup()

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
        """Visit while the block runs."""
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


def _timed(name: str, act: Callable[[], Any]) -> Any:
    """Do it, and say what it cost here and in the database's process."""
    backend = _execute("SELECT pg_backend_pid()")[0][0]
    cpu, memory, began = _cpu_seconds(backend), _resident(backend), time.perf_counter()
    done = act()
    took = time.perf_counter() - began
    _say(
        f"{name}: {took:.1f} s, {_cpu_seconds(backend) - cpu:.1f} s of CPU in the database;"
        f" its process {memory:.0f} MiB before and {_resident(backend):.0f} after,"
        f" ours {_resident(os.getpid()):.0f}"
    )
    return done


def _execute(sql: str) -> list[tuple[Any, ...]]:
    from django.db import connection  # noqa: PLC0415 - after django.setup()

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    """Its own memory in MiB: what it shares with other processes is not counted."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) / 1024


def _quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's output


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--artifacts", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=250, help="older ones go; releases stay")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import tests.environment  # noqa: F401, PLC0415 - names the servers, before settings are read

    django.setup()
    measure(artifacts=options.artifacts, days=options.days)


if __name__ == "__main__":
    main()
