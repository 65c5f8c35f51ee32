"""The tables of claims in docs/trusted-publishing.md are the ones in the code."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from access.domain import generic, github, gitlab
from access.domain.claim_rows import Check, Events, Row, optional, required
from provenance.domain import slsa_v1
from provenance.domain.build_facts import Hosting, Platform, Witnessed
from provenance.domain.slsa_v1 import Sealed
from tests.factories.facts import witnessed, witnessed_by_subject, witnessed_on_gitlab

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "trusted-publishing.md"
BEGIN: Final = "UPDATE=1 writes them anew -->\n"
END: Final = "<!-- end of tables -->"


def _hosting(words: Mapping[object, Hosting]) -> Row:
    expected = f"{' or '.join(map(str, words))}; anything else is unknown"
    return optional("runner_environment", "hosting", Check(expected, lambda _value: True))


# Read by rules of their own, beside the tables.
_FILE: Final = {
    Platform.GITHUB: (
        required("workflow_ref", "workflow_path", github.WORKFLOW_PATH),
        _hosting(github.HOSTING),
    ),
    Platform.GITLAB: (
        required("ci_config_ref_uri", "workflow_path", gitlab.CONFIG_PATH),
        _hosting(gitlab.HOSTING),
    ),
    Platform.GENERIC: (),
}
ROWS: Final[Mapping[Platform, Sequence[Row]]] = {
    Platform.GITHUB: github.ROWS,
    Platform.GITLAB: gitlab.ROWS,
    Platform.GENERIC: generic.ROWS,
}
EVENTS: Final[Mapping[Platform, Events]] = {
    Platform.GITHUB: github.EVENTS,
    Platform.GITLAB: gitlab.EVENTS,
    Platform.GENERIC: generic.EVENTS,
}
EXAMPLES: Final[Mapping[Platform, Witnessed]] = {
    # In a reusable workflow, so that what is said of it shows.
    Platform.GITHUB: witnessed(
        job_workflow_ref="acme/ci/.github/workflows/build.yml@refs/heads/main",
        job_workflow_commit="b" * 40,
    ),
    Platform.GITLAB: witnessed_on_gitlab(),
    Platform.GENERIC: witnessed_by_subject(),
}
# The specification's two halves are left out: no member stands in both. So is what a dependency
# that comes or goes as a whole is made of.
_SHORT: Final = re.compile(r"^(buildDefinition|runDetails)\.|(?<=\[job_workflow\])\..*$")
TITLES: Final = {
    Platform.GITHUB: "GitHub",
    Platform.GITLAB: "GitLab",
    Platform.GENERIC: "Any other issuer",
}


def rendered() -> str:
    """The tables, as the page has them."""
    parts = []
    for platform, rows in ROWS.items():
        parts.append(f"\n### {TITLES[platform]}\n\n")
        parts.append(
            "| claim | | form | witnessed fact | in the predicate |\n|---|---|---|---|---|\n"
        )
        parts += [_line(platform, row) for row in (*rows, *_FILE[platform])]
        parts += [
            _agreeing(row) for row in (gitlab.AGREEING if platform is Platform.GITLAB else ())
        ]
        events = EVENTS[platform]
        if events.usual:
            parts.append(f"\nEvents: {', '.join(events.usual)}; ")
            parts.append(f"where a publisher opens them {', '.join(events.opt_in)}.\n")
    return "".join(parts) + "\n"


def _line(platform: Platform, row: Row) -> str:
    is_required = "required" if row.is_required else ""
    places = ", ".join(f"`{place}`" for place in places_of(platform, row.fact)) or "not shown"
    expected = row.check.expected.replace("|", "\\|").replace("<", "&lt;")
    return f"| `{row.claim}` | {is_required} | {expected} | `{row.fact}` | {places} |\n"


def _agreeing(row: Row) -> str:
    is_required = "required" if row.is_required else ""
    return f"| `{row.claim}` | {is_required} | {row.check.expected} | *must agree* | not shown |\n"


def places_of(platform: Platform, fact: str) -> list[str]:
    """Where the predicate changes when only this fact is another one."""
    facts = EXAMPLES[platform]
    other: dict[str, Any] = {fact: Hosting.UNKNOWN if fact == "hosting" else "another"}
    before, after = _leaves(_predicate(facts)), _leaves(_predicate(replace(facts, **other)))
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    return sorted({_SHORT.sub("", path) for path in changed})


def _predicate(facts: Witnessed) -> dict[str, Any]:
    moment = datetime(2026, 11, 21, tzinfo=UTC)
    sealed = Sealed(UUID(int=1), UUID(int=2), moment, moment)
    return slsa_v1.provenance(facts, sealed, base_url="https://store.example.com")


def _leaves(value: Any, path: str = "") -> dict[str, str]:
    """Every value of the predicate by its place; dependencies by their names."""
    if isinstance(value, Mapping):
        members = {name: member for name, member in value.items() if path or name}
    elif isinstance(value, list):
        members = {entry["name"]: entry for entry in value}
    else:
        return {path: json.dumps(value)}
    found: dict[str, str] = {}
    for name, member in members.items():
        place = f"{path}[{name}]" if isinstance(value, list) else f"{path}.{name}".strip(".")
        found |= _leaves(member, place)
    return found


def test_shows_the_tables_that_the_code_has() -> None:
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    found, _, tail = rest.partition(END)

    if os.environ.get("UPDATE"):
        PAGE.write_text(head + BEGIN + rendered() + END + tail)
        found = rendered()
    assert found == rendered()


@pytest.mark.parametrize("platform", Platform)
def test_lets_no_fact_that_identifies_stay_out_of_the_predicate(platform: Platform) -> None:
    hidden = {row.fact for row in ROWS[platform] if not places_of(platform, row.fact)}

    # Names beside their ids, and what only publishers are asked for.
    assert hidden <= {"owner", "visibility", "subject"}
