"""The page of the API reference in a real browser: drawn whole under its policy, from here alone.

REFERENCE_PICTURES names a folder for pictures of it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from config.reference.operations import OPERATIONS
from tests.factories.browser import NARROW, WIDE, new_tab
from tests.journeys.conftest import running_web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PATIENCE_MS: Final = 120_000
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

        expect(tab.page.locator(".opblock")).to_have_count(len(OPERATIONS), timeout=PATIENCE_MS)
        assert (tab.strayed, tab.complaints) == ([], [])
        if folder := os.environ.get("REFERENCE_PICTURES"):
            tab.page.screenshot(path=Path(folder) / f"reference-{width}.png")


def test_opens_an_operation_by_its_address(browser: Browser, address: str) -> None:
    with new_tab(browser) as tab:
        tab.page.goto(f"{address}#/Jobs/seal_build", timeout=PATIENCE_MS)
        opened = tab.page.wait_for_selector(
            ".opblock.is-open .responses-wrapper", timeout=PATIENCE_MS
        )

        assert opened is not None
        text = tab.page.locator(".opblock.is-open").inner_text()
        assert "/api/v1/builds/{build}/seal" in text
        assert "build-differs" in text
        complaints = [one for one in tab.complaints if not one.startswith(OF_THE_BUNDLE)]
        assert (tab.strayed, complaints) == ([], [])
        assert tab.violations() == []
        if folder := os.environ.get("REFERENCE_PICTURES"):
            tab.page.locator(".opblock.is-open").screenshot(path=Path(folder) / "operation.png")
