"""Tables of figures that tests measure, shown at the end of a run."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import pytest

TABLES: Final = pytest.StashKey[list["Table"]]()


@dataclass
class Table:
    """Rows under a head, as Markdown."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[object, ...]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Head, rule and rows."""
        rule = tuple("---" for _ in self.head)
        return [f"| {' | '.join(map(str, row))} |" for row in (self.head, rule, *self.rows)]


def new_table(config: pytest.Config, title: str, *head: str) -> Table:
    """A table that the run shows at its end, with the rows that it has by then."""
    table = Table(title, head)
    config.stash.setdefault(TABLES, []).append(table)
    return table


def written(config: pytest.Config) -> list[tuple[str, list[str]]]:
    """Title and lines of each table of this process, as a run beside others hands them over."""
    return [(table.title, table.lines()) for table in config.stash.get(TABLES, [])]


def show(reporter: pytest.TerminalReporter, tables: Iterable[tuple[str, list[str]]]) -> None:
    """Title and lines of each."""
    for title, lines in tables:
        reporter.section(title)
        for line in lines:
            reporter.write_line(line)
