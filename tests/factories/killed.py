"""A worker that is killed with SIGKILL where it reaches a fault point."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def killed_at(point: str, trigger: Path, *, script: str, argument: str) -> int:
    """How the process ended that ran the script (which finds the argument in `sys.argv`)."""
    trigger.touch()
    finished = subprocess.run(
        [sys.executable, "-c", script, argument],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "STRONGROOM_FAULT_POINTS": f"{point}={trigger}",
        },
        check=False,
        timeout=120,
    )
    return finished.returncode
