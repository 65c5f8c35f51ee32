"""The page of the API reference in a real browser: drawn whole under its policy, from here alone.

REFERENCE_PICTURES names a folder for pictures of it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page

from config.reference.operations import OPERATIONS
from tests.factories.browser import NARROW, WIDE, new_tab
from tests.journeys.conftest import running_web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PATIENCE_MS: Final = 120_000
_IDS: Final = "found => found.map(one => one.id.replace(/^operations-[^-]+-/, ''))"
_TWO_FRAMES: Final = (
    "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
)
# The bundle warns of every `_` in an address, also of those that it writes there itself.
OF_THE_BUNDLE: Final = "Deprecated: escaping deep link whitespace with `_`"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Needs no row: the page and the document are the same for everybody."""
    with running_web() as web:
        yield f"{web.url}/api/v1/docs"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_shows_every_operation_and_asks_nobody_else(
    browser: Browser, address: str, width: int
) -> None:
    with new_tab(browser, width=width) as tab:
        tab.page.goto(address, timeout=PATIENCE_MS)
        tab.page.wait_for_selector(".opblock", timeout=PATIENCE_MS)

        assert _read_to_the_end(tab.page) == {one.id for one in OPERATIONS.values()}
        assert (tab.strayed, tab.complaints) == ([], [])
        if folder := os.environ.get("REFERENCE_PICTURES"):
            tab.page.screenshot(path=Path(folder) / f"reference-{width}.png")


def _read_to_the_end(page: Page) -> set[str]:
    """The operations that were shown on the way: of so many, the page keeps only those in sight."""
    shown: set[str] = set()
    step = page.evaluate("innerHeight / 2")
    for _screen in range(400):
        shown.update(page.locator(".opblock").evaluate_all(_IDS))
        if page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 1"):
            break
        page.evaluate("by => scrollBy(0, by)", step)
        page.evaluate(_TWO_FRAMES)
    shown.update(page.locator(".opblock").evaluate_all(_IDS))
    return shown


@pytest.mark.parametrize(
    ("operation", "path", "code"),
    [
        ("Jobs/seal_build", "/api/v1/builds/{build}/seal", "build-differs"),
        ("Administrators/apply_retention_plan", "/apply", "retention-plan-stale"),
    ],
)
def test_opens_an_operation_by_its_address(
    browser: Browser, address: str, *, operation: str, path: str, code: str
) -> None:
    with new_tab(browser) as tab:
        tab.page.goto(f"{address}#/{operation}", timeout=PATIENCE_MS)
        opened = tab.page.wait_for_selector(
            ".opblock.is-open .responses-wrapper", timeout=PATIENCE_MS
        )

        assert opened is not None
        text = tab.page.locator(".opblock.is-open").inner_text()
        assert path in text
        assert code in text
        complaints = [one for one in tab.complaints if not one.startswith(OF_THE_BUNDLE)]
        assert (tab.strayed, complaints) == ([], [])
        assert tab.violations() == []
        if folder := os.environ.get("REFERENCE_PICTURES"):
            tab.page.locator(".opblock.is-open").screenshot(path=Path(folder) / "operation.png")
