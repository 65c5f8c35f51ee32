"""The fenced blocks of the documentation, and what happens to each.

    ```console               one session a page, against a store of `make up`; `$ ` begins a command
    ```console production    the operator's session, on a machine of its own
    ```console <tool> …      run by the tests of this tool (tests/conformance)
    <!-- not run: why -->    in the line before a block: only its form is checked

What a command shows is compared: `…` stands for anything within a line, a line of its own for any
number of lines. A command without output below it may say anything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = sorted(
    path
    for path in (
        ROOT / "README.md",
        *ROOT.glob("*/README.md"),
        *ROOT.glob("deploy/**/README.md"),
        *(ROOT / "docs").rglob("*.md"),
    )
    if "changes" not in path.parts
)
TOOLS: Final = frozenset({"cosign-2", "cosign-3", "sigstore-go", "sigstore-python", "sigstore-js"})
# CI itself runs `make check test`; `make demo` and `make up` have tests of their own.
ELSEWHERE: Final = "make "
_COMMANDS: Final = frozenset({"console", "sh", "yaml", "yml"})
_FENCE: Final = re.compile(
    r"(?:^ *<!-- not run: (?P<reason>[^\n]+?) -->\n)?"
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_HEREDOC: Final = re.compile(r"<<'?(\w+)'?")


class Treatment(Enum):
    """What the tests do with a block."""

    SESSION = "run against a store of make up"
    PRODUCTION = "run on a machine of its own, as in production"
    TOOL = "run by the tests of a verifier"
    NOT_RUN = "not run, for a stated reason; its form is checked"
    DATA = "no commands; its form is checked"


@dataclass(frozen=True, slots=True)
class Step:
    """A command and the lines that are shown below it."""

    command: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `reason` says why it is not run, where somebody said so."""

    page: Path
    line: int
    language: str
    mark: str
    body: str
    reason: str | None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def treatment(self) -> Treatment | None:
        """None where nobody has decided: a block of commands without a mark."""
        if self.reason is not None:
            return Treatment.NOT_RUN
        if self.language not in _COMMANDS:
            return Treatment.DATA
        if self.language != "console":
            return None
        if self.mark.partition(" ")[0] in TOOLS:
            return Treatment.TOOL
        return {"": Treatment.SESSION, "production": Treatment.PRODUCTION}.get(self.mark)

    @property
    def steps(self) -> list[Step]:
        """The commands of a console block, without those that are tried elsewhere."""
        return [step for step in _steps(self.body) if not step.command.startswith(ELSEWHERE)]


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, in order, without its indentation."""
    text = page.read_text()
    for found in _FENCE.finditer(text):
        language, _, mark = found["info"].strip().partition(" ")
        indent = re.compile(f"^{found['indent']}", re.MULTILINE)
        yield Block(
            page=page,
            line=text.count("\n", 0, found.start("info")) + 1,
            language=language,
            mark=mark,
            body=indent.sub("", found["body"]),
            reason=found["reason"],
        )


def steps_of(page: Path, treatment: Treatment) -> list[Step]:
    """All commands of a page that are treated so, in order."""
    return [step for block in blocks(page) if block.treatment is treatment for step in block.steps]


def _steps(body: str) -> Iterator[Step]:
    command: list[str] = []
    shown: list[str] = []
    lines = iter(body.splitlines())
    for line in lines:
        if line.startswith("$ "):
            if command:
                yield Step("\n".join(command), tuple(shown))
            command, shown = [line[2:], *_rest_of_heredoc(line, lines)], []
        elif command and not shown and line[:1].isspace() and line.strip():
            command += [line, *_rest_of_heredoc(line, lines)]
        elif command:
            shown.append(line)
    if command:
        yield Step("\n".join(command), tuple(shown))


def _rest_of_heredoc(line: str, lines: Iterator[str]) -> Iterator[str]:
    opened = _HEREDOC.search(line)
    if opened is None:
        return
    for inner in lines:
        yield inner
        if inner.strip() == opened[1]:
            return
