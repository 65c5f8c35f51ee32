"""What the command says: to a person at a terminal, to a CI log, or to a script as JSON.

Results go to stdout, everything else to stderr. Whatever came from outside is shown with its
control characters escaped, and can give a CI runner no commands. No secret is ever passed here;
so nothing is masked either: to ask a runner for it, the secret would have to be written out.
"""

import json
import sys
import threading
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TextIO

from client.errors import StoreRefused, Told, code_and_title

TERMINAL_SECONDS: Final = 0.1
LOG_SECONDS: Final = 10.0
MOST_MEMBERS: Final = 60
_UNSAFE: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})
_COMMAND: Final = ("::", "##[", "##vso[")
# Problem members that are said in words of their own, or that say nothing to a person.
_SAID: Final = frozenset({"type", "instance"})
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
_THOUSAND: Final = 1024


@dataclass(slots=True)
class Console:
    """Where the command speaks. Threads may speak at once: a line is never torn."""

    is_json: bool = False
    is_quiet: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    out: TextIO = field(default_factory=lambda: sys.stdout, repr=False)
    err: TextIO = field(default_factory=lambda: sys.stderr, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)
    _is_open: bool = field(default=False, init=False)
    _shown_at: float = field(default=float("-inf"), init=False)

    @property
    def is_terminal(self) -> bool:
        """Whether lines can be rewritten: a person is watching, and no CI log."""
        return self.err.isatty() and not self.environ.get("CI")

    @property
    def is_github(self) -> bool:
        """Whether GitHub's runner reads along."""
        return self.environ.get("GITHUB_ACTIONS") == "true"

    def say(self, text: str = "") -> None:
        """A line of the result. With --json people read it on stderr."""
        if not self.is_quiet:
            self._write(self.err if self.is_json else self.out, safe(text))

    def note(self, text: str) -> None:
        """A line about what is going on, which is no result."""
        if not self.is_quiet:
            self._write(self.err, safe(text))

    def warn(self, text: str) -> None:
        """A line that is said even with --quiet."""
        prefix = "::warning::" if self.is_github else "warning: "
        self._write(self.err, prefix + self._command_text(text))

    def result(self, document: Mapping[str, Any]) -> None:
        """The whole result for scripts: one JSON document, and only with --json."""
        if self.is_json:
            self._write(self.out, json.dumps(document, indent=2))

    def progress(self, text: str, *, is_last: bool = False) -> None:
        """How far it is: one line, rewritten; in a log a line every ten seconds and the last."""
        now = time.monotonic()
        pause = TERMINAL_SECONDS if self.is_terminal else LOG_SECONDS
        with self._lock:
            if self.is_quiet or (now - self._shown_at < pause and not is_last):
                return
            self._shown_at = now
            if not self.is_terminal:
                self._write(self.err, safe(text))
                return
            self.err.write(f"\r\x1b[K{safe(text)}")
            self._is_open = not is_last
            self.err.write("\n" if is_last else "")
            self.err.flush()

    def refused(self, refusal: Told, *, store: str | None = None) -> None:
        """A refusal: what it is, every fact, and where to read on. Said also with --quiet."""
        code, title = code_and_title(refusal)
        if self.is_json:
            self.result({"error": {"code": code, "title": title, "facts": plain(refusal.facts)}})
        if self.is_github:
            named = self._command_text(code).replace(":", "%3A").replace(",", "%2C")
            self._write(self.err, f"::error title=strongroom {named}::{self._command_text(title)}")
        else:
            self._write(self.err, safe(f"error: {title}"))
        self._write(self.err, f"  code: {safe(code)}")
        for line in fact_lines(refusal.facts):
            self._write(self.err, safe(f"  {line}"))
        more = page_of(refusal, store=store)
        if more:
            self._write(self.err, safe(f"  more: {more}"))

    def _command_text(self, text: str) -> str:
        """The text of a line that may be a runner's command (GitHub escapes `%` so)."""
        return safe(text).replace("%", "%25") if self.is_github else safe(text)

    def _write(self, stream: TextIO, line: str) -> None:
        with self._lock:
            if self._is_open:
                self._is_open = False
                self.err.write("\n")
                self.err.flush()
            stream.write(f"{line}\n")
            stream.flush()


def safe(text: str) -> str:
    """The text as one line that shows what it is, and that no CI runner takes for a command."""
    shown = "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _UNSAFE else char
        for char in text
    )
    return f". {shown}" if shown.lstrip().startswith(_COMMAND) else shown


def size(count: float) -> str:
    """A number of bytes for people."""
    unit = 0
    while count >= _THOUSAND and unit < len(_UNITS) - 1:
        count, unit = count / _THOUSAND, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"


def page_of(refusal: Told, *, store: str | None) -> str | None:
    """The page that says what to do: the one that the store named, or the store's own of the code.

    Every store has the client's pages as well, of its own version.
    """
    if isinstance(refusal, StoreRefused):
        named = refusal.facts.get("type")
        return named if isinstance(named, str) and named.startswith("http") else None
    return f"{store}/problems/{refusal.code}" if store else None


def fact_lines(facts: Mapping[str, object]) -> list[str]:
    """Facts as indented lines, nested ones below their name; long lists end with a count."""
    lines: list[str] = []
    for name, value in facts.items():
        if name not in _SAID:
            _add(lines, name, plain(value), indent="")
    return lines


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """A fact as JSON."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _add(lines: list[str], name: str, value: Any, *, indent: str) -> None:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        lines.append(f"{indent}{name}:")
        for member, one in list(value.items())[:MOST_MEMBERS]:
            _add(lines, member, one, indent=f"{indent}  ")
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        lines.append(f"{indent}{name}:")
        for one in value[:MOST_MEMBERS]:
            shown = ", ".join(f"{k} {v}" for k, v in one.items()) if isinstance(one, dict) else one
            lines.append(f"{indent}  - {shown}")
        if len(value) > MOST_MEMBERS:
            lines.append(f"{indent}  … and {len(value) - MOST_MEMBERS} more")
    elif isinstance(value, list):
        lines.append(f"{indent}{name}: {', '.join(str(one) for one in value) or '(none)'}")
    else:
        lines.append(f"{indent}{name}: {value}")
