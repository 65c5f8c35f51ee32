"""How long a retention plan over very many artifacts takes, and how long one of its batches locks.

    STRONGROOM_ENV_FILE=.strongroom/env python -m tests.bench.retention --days 90

Of a store that `tests.bench.seed` has filled: the plan is of the whole instance, by rules that
count and match; then it is applied.
"""

import argparse
import os
import resource
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import django


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


def measure(*, days: int) -> None:
    """Set the rules, make the plan, apply it; print what each took."""
    from artifacts.queries.retention import Holder  # noqa: PLC0415 - after django.setup()
    from artifacts.usecases import apply_retention as applying  # noqa: PLC0415 - as above
    from artifacts.usecases.plan_retention import plan_retention  # noqa: PLC0415 - as above
    from artifacts.usecases.set_retention import (  # noqa: PLC0415 - as above
        RetentionChange,
        set_retention,
    )
    from artifacts.usecases.start_retention_run import (  # noqa: PLC0415 - as above
        start_retention_run,
    )
    from tests.factories.actors import administrator  # noqa: PLC0415 - as above

    now, holder, actor = datetime.now(UTC), Holder.instance(), administrator()
    set_retention(holder=holder, change=RetentionChange(_rules(days)), actor=actor, now=now)
    before = _peak_mebibytes()
    began = time.perf_counter()
    plan = plan_retention(holder=holder, actor=actor, now=now)
    took = time.perf_counter() - began
    print(  # noqa: T201 - a command's output
        f"plan: {plan.looked_at:,} looked at, {plan.artifacts:,} go, {plan.logical_bytes:,} logical"
        f" and {plan.physical_bytes:,} physical bytes, {took:.1f} s,"
        f" {_peak_mebibytes() - before:.0f} MiB more"
    )
    start_retention_run(plan=plan, actor=actor, now=now)
    moments: list[float] = []

    def clock() -> datetime:
        moments.append(time.perf_counter())
        return now

    run = applying.apply_retention(clock=clock)
    if run is None:
        raise SystemExit("another process is applying a plan")
    ended = time.perf_counter()
    batches = [later - at for at, later in zip(moments, [*moments[1:], ended], strict=True)]
    print(  # noqa: T201 - as above
        f"apply: {run.removed_artifacts:,} removed, {run.spared_artifacts:,} spared, {run.state},"
        f" {ended - moments[0]:.1f} s; {len(batches)} batches, the longest {max(batches):.2f} s"
    )


def _peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and measure the configured store."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=300)
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    measure(days=options.days)


if __name__ == "__main__":
    main()
