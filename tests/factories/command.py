"""`strongroom` as its users run it: a process of its own, with an environment of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


@dataclass(frozen=True, slots=True)
class Command:
    """The command in the hands of somebody with this environment, in this folder."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, stdin: str = "", **more: str) -> Ran:
        started = self.start(*arguments, **more)
        out, err = started.communicate(stdin, timeout=SECONDS)
        return Ran(started.returncode, out, err)

    def start(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Begin, and leave it to the caller how it ends."""
        return subprocess.Popen(
            [sys.executable, "-m", "client", *arguments],
            cwd=self.folder,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.folder.parent / "home"),
                "PYTHONPATH": str(ROOT),
                "PYTHONUTF8": "1",
                **self.environ,
                **more,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
