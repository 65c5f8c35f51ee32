"""What was measured, as a table to read and as JSON to compare."""

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.load import MEBIBYTE
from tests.bench.rows import Measured


def as_json(results: Sequence[Measured], memory: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """Every rate of every round."""
    return {
        "machine": {"cores": os.cpu_count(), "kernel": platform.release()},
        "rows": [
            {
                "name": one.row.name,
                "unit": one.row.unit,
                "rates": one.rates,
                "times_a_round": one.times,
                "ratio": {"of": one.row.ours, "to": one.row.against, "median": one.ratio()},
            }
            for one in results
        ],
        "memory_bytes": {
            kind: {"pss": pss, "peak_rss": peak} for kind, (pss, peak) in memory.items()
        },
    }


def as_table(results: Sequence[Measured], memory: Mapping[str, tuple[int, int]]) -> str:
    """Markdown: a line for each contestant of each row with median, extremes and ratio."""
    lines = ["| what | who | times a round | median | lowest | highest | |"]
    lines += ["|---|---|---:|---:|---:|---:|---|"]
    for one in results:
        for number, (name, rates) in enumerate(one.rates.items()):
            title = f"{one.row.name} ({one.row.unit})" if number == 0 else ""
            note = f"{one.ratio():.2f} of {one.row.against}" if name == one.row.ours else ""
            figures = f"{one.median(name):,.0f} | {min(rates):,.0f} | {max(rates):,.0f}"
            lines.append(f"| {title} | {name} | {one.times[name]:,} | {figures} | {note} |")
    lines += ["", "| process | PSS, MiB | peak RSS, MiB |", "|---|---:|---:|"]
    lines += [
        f"| {kind} | {pss / MEBIBYTE:.0f} | {peak / MEBIBYTE:.0f} |"
        for kind, (pss, peak) in memory.items()
    ]
    return "\n".join(lines)
