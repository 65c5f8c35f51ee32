"""Fault points: named places where a test may kill the process, to prove that a restart heals.

`reach` does nothing unless the process was started in the test profile with fault points
armed (config/settings refuses the variable in every other profile).
"""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

_armed: dict[str, Path] = {}


def arm(points: Mapping[str, Path]) -> None:
    """Kill this process with SIGKILL when it reaches a point whose trigger file exists.

    The file is removed first, so that each trigger kills once, whichever process reaches it.
    """
    _armed.update(points)


def reach(point: str) -> None:
    """Mark a step boundary; see `arm`."""
    trigger = _armed.get(point)
    if trigger is None:
        return
    try:
        trigger.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
