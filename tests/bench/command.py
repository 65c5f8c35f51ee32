"""`make bench`: this store beside what else could hold the bytes, interleaved in one run.

    python -m tests.bench [--rounds 5] [--small] [--only WORD] [--json FILE]

Rates and ratios; absolute figures move from machine to machine. Everything runs on loopback in a
temporary folder, which needs some 15 GB, and is stopped and removed at the end. It runs this
checkout: leave it alone meanwhile.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.bench import profiles, report
from tests.bench.arena import arena
from tests.bench.load import MEBIBYTE
from tests.bench.rows import Amounts, measure
from tests.bench.trials import memory, rows_of

STARTED: Final = time.monotonic()
SMALL_AMOUNTS = Amounts(
    small_files=40, small_reads=100, large_bytes=32 * MEBIBYTE, builds=20, verifications=20
)


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds, after a warming one")
    parser.add_argument("--small", action="store_true", help="little data: does it still work?")
    parser.add_argument("--only", default="", help="rows whose name has this word")
    parser.add_argument("--json", type=Path, help="where every single rate is written")
    asked = parser.parse_args()
    amounts = SMALL_AMOUNTS if asked.small else Amounts()
    with (
        tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder,
        arena(Path(folder)) as present,
    ):
        for one in present.missing:
            say(f"not measured, because it is missing: {one}")
        say("everything has started")
        rows = rows_of(present, amounts, rounds=asked.rounds)
        rows = [row for row in rows if asked.only in row.name]
        results = measure(rows, rounds=asked.rounds, say=say)
        sizes = memory(present)
        say("profiles of the two that are furthest behind")
        watched = [] if profiles.program() is None else profiles.slowest(results)
        stories = [profiles.profile(present, one, asked.rounds + 1) for one in watched]
    if asked.json is not None:
        asked.json.write_text(json.dumps(report.as_json(results, sizes), indent=2))
    sys.stdout.write("\n".join(["", report.as_table(results, sizes), "", *stories, ""]))


def say(line: str) -> None:
    """Progress, with minutes and seconds since the start, apart from the result."""
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    sys.stderr.write(f"{minutes:2}:{seconds:02}  {line}\n")
    sys.stderr.flush()
