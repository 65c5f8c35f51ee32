"""Every refusal has a stable code, one sentence, and a page that says what to do."""

import importlib
import pkgutil
from pathlib import Path

import pytest

import access
import artifacts
import client
import config
import kernel
import provenance
from kernel.errors import Refusal, all_refusals
from kernel.problems import STATUS

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ROOT / "docs" / "problems"
SKIPPED = ("migrations", "management", "embedded", "settings")


def _import_everything() -> list[type[Refusal]]:
    for package in (access, artifacts, client, config, kernel, provenance):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not any(part in SKIPPED for part in found.name.split(".")):
                importlib.import_module(found.name)
    return [refusal for refusal in all_refusals() if not refusal.__module__.startswith("tests")]


REFUSALS = _import_everything()


def test_gives_each_code_to_one_refusal() -> None:
    codes = [refusal.code for refusal in REFUSALS]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
def test_says_one_sentence_and_has_a_status(refusal: type[Refusal]) -> None:
    assert refusal.title().endswith(".")
    assert refusal.kind in STATUS


def test_has_one_page_for_each_code_and_no_other_page() -> None:
    pages = {page.stem for page in PAGES.glob("*.md")}

    assert pages == {refusal.code for refusal in REFUSALS}


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_says_on_each_page_what_happened_and_what_to_do(page: Path) -> None:
    text = page.read_text()

    assert text.startswith(f"# {page.stem}\n")
    assert "## What happened\n" in text
    assert "## What to do\n" in text
