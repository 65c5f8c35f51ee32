"""A page's commands in one shell, and what each of them said."""

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.factories.pages import Step

_MARK: Final = "\x01"
_DONE: Final = re.compile(r"\x01(\d+) (\d+)\n")
Run = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, on both outputs, and its exit status."""

    step: Step
    output: str
    status: int


def bash(*, folder: Path, environment: Mapping[str, str], timeout: float) -> Run:
    """What runs a session in this folder, with this environment and nothing else."""

    def run(script: str) -> str:
        return subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        ).stdout

    return run


def failures(steps: Sequence[Step], run: Run, *, as_shown: Mapping[str, str]) -> list[str]:
    """What is not as the page says: a command that failed, or showed something else.

    The session ends with the first command that fails. `as_shown` replaces what pages write for
    what only a run knows (addresses).
    """
    output = run(script(steps))
    said = list(_said(steps, output))
    problems = [
        f"$ {one.step.command}\nended with {one.status}:\n{one.output[-3000:]}"
        for one in said
        if one.status
    ]
    for one in said:
        shown = [_replaced(line, as_shown) for line in one.step.shown]
        if not one.status and not shows(shown, one.output):
            expected = "\n".join(shown)
            problems.append(f"$ {one.step.command}\nshould show:\n{expected}\nbut:\n{one.output}")
    if len(said) < len(steps) and not problems:
        command = steps[len(said)].command
        problems.append(f"the session ended within: $ {command}\n{output[-3000:]}")
    return problems


def script(steps: Sequence[Step]) -> str:
    """One shell that runs the commands, and ends with the first that fails (`set -e` skips `!`)."""
    done = '__done() { printf \'\\001%d %d\\n\' "$1" "$2"; [ "$2" = 0 ] || exit 1; }'
    told = [f"{step.command}\n__done {number} $?" for number, step in enumerate(steps)]
    return "\n".join(["set -o pipefail", done, *told])


def shows(shown: Sequence[str], output: str) -> bool:
    """Whether the output is what is shown. `…` is anything; nothing shown is not compared."""
    expected = [line.rstrip() for line in shown]
    while expected and not expected[-1]:
        expected.pop()
    if not expected:
        return True
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == "…" else _line(line) + r"\n" for line in expected
    )
    found = "".join(f"{line.rstrip()}\n" for line in output.strip("\n").splitlines())
    return re.fullmatch(pattern, found) is not None


def _line(shown: str) -> str:
    return r"[^\n]*".join(re.escape(part) for part in shown.split("…"))


def _replaced(line: str, replacements: Mapping[str, str]) -> str:
    for old, new in replacements.items():
        line = line.replace(old, new)
    return line


def _said(steps: Sequence[Step], output: str) -> "list[Said]":
    found = []
    begin = 0
    for done in _DONE.finditer(output):
        text = output[begin : done.start()]
        found.append(Said(steps[int(done[1])], text, int(done[2])))
        begin = done.end()
    return found
