"""Acts on very many artifacts: `python -m tests.bench.bulk --artifacts 240000`.

On a PostgreSQL of its own. Every act is done to all artifacts of the project that has most of
them. It prints how long asking, starting and doing took, and the longest batch, in seconds; and
the processor time of doing it, of this process and of the database's.
"""

import argparse
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import django

from tests.bench.filled import filled
from tests.bench.processor import used_seconds


def measure(*, artifacts: int) -> None:
    """Fill the store; yank, put into quarantine and remove all of a project, and take it back."""
    with filled(artifacts=artifacts) as seconds:
        _say(f"seed: {artifacts:,} artifacts in {seconds:.0f} s")
        for act in ("yank", "unyank", "quarantine", "release", "remove", "restore"):
            _measure_act(act)


def _measure_act(word: str) -> None:
    from artifacts.domain.bulk import Act  # noqa: PLC0415 - after django.setup()
    from artifacts.queries import visible_project  # noqa: PLC0415 - as above
    from artifacts.usecases.ask_bulk_action import ask_bulk_action  # noqa: PLC0415 - as above
    from artifacts.usecases.run_bulk_actions import run_bulk_actions  # noqa: PLC0415 - as above
    from artifacts.usecases.start_bulk_action import (  # noqa: PLC0415 - as above
        Confirmation,
        start_bulk_action,
    )
    from tests.factories.actors import administrator  # noqa: PLC0415 - as above

    actor = administrator()
    project = visible_project(actor=actor, organization="acme", project="widget")
    moments = [time.perf_counter()]

    def told() -> float:
        moments.append(time.perf_counter())
        return moments[-1]

    asked = ask_bulk_action(
        project=project, act=Act(word), selection={}, actor=actor, now=datetime.now(UTC)
    )
    told()
    confirmed = Confirmation(str(project), asked.artifacts, "measured")
    run = start_bulk_action(action=asked, confirmed=confirmed, actor=actor, now=datetime.now(UTC))
    told()
    before, used = len(moments), _used()
    run_bulk_actions(clock=lambda: datetime.now(UTC), meter=told)
    ours, databases = (late - early for late, early in zip(_used(), used, strict=True))
    run.refresh_from_db()
    batches = [later - at for at, later in pairwise(moments[before:])][::2]
    _say(
        f"{word}: {run.outcomes}; asked {moments[1] - moments[0]:.1f} s, started"
        f" {moments[2] - moments[1]:.1f} s, done {moments[-1] - moments[before]:.1f} s;"
        f" {len(batches)} batches, the longest {max(batches):.2f} s,"
        f" the median {sorted(batches)[len(batches) // 2]:.2f} s;"
        f" processor {ours:.1f} s here, {databases:.1f} s in the database"
    )


def _used() -> tuple[float, float]:
    """Processor seconds so far: of this process, and of the database's."""
    return time.process_time(), used_seconds(os.getpid())["database"]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's output


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--artifacts", type=int, default=240_000)
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import tests.environment  # noqa: F401, PLC0415 - names the servers, before settings are read

    django.setup()
    measure(artifacts=options.artifacts)


if __name__ == "__main__":
    main()
