"""How much processor time a running store has used, by kind of process."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.bench.memory import descendants

# What is in the command line of a process of the kind.
KINDS: Final[Mapping[str, str]] = {"granian": "web", "postgres": "database"}
_TICKS: Final = os.sysconf("SC_CLK_TCK")
# proc(5): utime, stime, and both of the children that were waited for; counted behind the name.
_TIMES: Final = slice(11, 15)


def used_seconds(pid: int) -> dict[str, float]:
    """The processor seconds of all processes of each kind below this one, ended ones too."""
    found = dict.fromkeys(KINDS.values(), 0.0)
    for child, command in descendants(pid):
        kind = next((name for word, name in KINDS.items() if word in command), None)
        if kind is not None:
            behind = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            found[kind] += sum(map(int, behind[_TIMES])) / _TICKS
    return found
