"""Documentation that can be checked without reading it: links lead somewhere, named tests exist."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
PAGES: Final = sorted(
    path
    for path in (ROOT / "README.md", *ROOT.glob("*/README.md"), *(ROOT / "docs").rglob("*.md"))
    if "changes" not in path.parts
)
LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PLACE: Final = re.compile(r"`((?:artifacts|provenance|access|kernel|config|deploy)/[\w/]+\.\w+)`")
SYMBOL: Final = re.compile(
    r"`((?:artifacts|provenance|access|kernel|config|client)/[\w/]+\.py):(\w+)`"
)
FENCE: Final = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    prose = FENCE.sub("", page.read_text())
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(prose)
    }


@cache
def functions(module: Path) -> set[str]:
    tree = ast.parse(module.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_to_what_is_there(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_names_tests_and_modules_that_exist(page: Path) -> None:
    text = page.read_text()

    missing = [place for place in PLACE.findall(text) if not (ROOT / place).exists()]
    for module, test in TEST.findall(text):
        path = ROOT / module
        if not path.exists() or test not in functions(path):
            missing.append(f"{module}::{test}")

    assert not missing


@cache
def symbols(module: Path) -> set[str]:
    """What stands at the top of a module: classes, functions, constants."""
    found: set[str] = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_names_symbols_that_exist(page: Path) -> None:
    missing = [
        f"{module}:{symbol}"
        for module, symbol in SYMBOL.findall(page.read_text())
        if not (ROOT / module).exists() or symbol not in symbols(ROOT / module)
    ]

    assert missing == []


def test_says_of_every_requirement_where_it_stands_and_what_attacks_it() -> None:
    rows = [
        line
        for line in (ROOT / "docs" / "claims.md").read_text().splitlines()
        if re.search(r"^\| \*\*.*\| L[123] \|", line)
    ]

    assert len(rows) == 11
    assert [row[:60] for row in rows if not (SYMBOL.search(row) and TEST.search(row))] == []


def test_backs_every_rule_by_a_test() -> None:
    rules = re.split(r"^\*\*\d+\. ", (ROOT / "docs" / "claims.md").read_text(), flags=re.MULTILINE)

    assert len(rules) == 11
    assert [rule[:40] for rule in rules[1:] if not TEST.search(rule)] == []
