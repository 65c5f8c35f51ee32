"""What cleans a store up, over and over, in a process of its own that may be killed anywhere.

`python -m tests.soak.chores GRACE` with a store's settings: collector, reconciliation and scrub in
turns, without the pauses that they have in production; a line of JSON for each.
"""

import json
import os
import sys
from datetime import timedelta
from typing import Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.utils import timezone  # noqa: E402 - after setup

from artifacts import wiring  # noqa: E402 - after setup
from artifacts.usecases.collect_blobs import collect_blobs  # noqa: E402 - after setup
from artifacts.usecases.reconcile_store import reconcile_store  # noqa: E402 - after setup
from artifacts.usecases.scrub_blobs import scrub_blobs  # noqa: E402 - after setup

SCRUB_BYTES_PER_SECOND: Final = 256 * 1024 * 1024


def turn(*, grace: timedelta) -> dict[str, int]:
    """One turn of each, and what it came to."""
    collected = collect_blobs(inventory=wiring.inventory(), now=timezone.now(), grace=grace)
    report = reconcile_store(kept=wiring.kept(), clock=timezone.now)
    scrubbed = scrub_blobs(
        copies=wiring.copies(), bytes_per_second=SCRUB_BYTES_PER_SECOND, clock=timezone.now
    )
    return {
        "collected": collected.removed if collected is not None else 0,
        "reconciled": report.totals.get("blobs", 0),
        **{f"found {name}": counted["count"] for name, counted in report.counts.items()},
        "scrubbed": scrubbed.blobs if scrubbed is not None else 0,
        "damaged": scrubbed.damaged if scrubbed is not None else 0,
    }


def main() -> None:
    """Until somebody ends it."""
    grace = timedelta(seconds=float(sys.argv[1]))
    while True:
        sys.stdout.write(json.dumps(turn(grace=grace)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
