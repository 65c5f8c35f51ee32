"""A real Chromium that reaches this machine and nothing else, and axe to examine pages with.

Django refuses rows to a thread with an event loop, and playwright keeps one in the thread that
drives it: while a browser runs, Django is told that nobody awaits there.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

WIDE: Final = 1280
NARROW: Final = 360
HEIGHT: Final = 900
# How long a page may take to show what is expected, also on a machine that has much to do.
PATIENCE_MS: Final = 90_000
LOOPBACK: Final = "127.0.0.1"
Scheme = Literal["light", "dark"]
# Between them they show whether a page holds.
LOOKS: Final[tuple[tuple[Scheme, int], ...]] = (("light", WIDE), ("dark", NARROW))
_MOST_TABS: Final = 60
# WCAG 2.2, levels A and AA, in axe's words.
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_FLAGS: Final = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {LOOPBACK}",
]
_DJANGO_ALLOWS: Final = "DJANGO_ALLOW_ASYNC_UNSAFE"


def program() -> str | None:
    """Chromium, where it is installed."""
    return shutil.which("chromium")


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser without a window, closed at the end."""
    flags = [*_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else _FLAGS
    os.environ[_DJANGO_ALLOWS] = "true"
    expect.set_options(timeout=PATIENCE_MS)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program(), args=flags)
            try:
                yield browser
            finally:
                browser.close()
    finally:
        del os.environ[_DJANGO_ALLOWS]


@dataclass(frozen=True, slots=True)
class Tab:
    """A page, with what it asked of other machines and what it complained about so far."""

    page: Page
    strayed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def violations(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA: the rule, and the elements that break it."""
        options = {"runOnly": {"type": "tag", "values": _RULES}, "resultTypes": ["violations"]}
        found = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{one['id']}: {node['html'][:300]} {node['failureSummary']}"
            for one in found
            for node in one["nodes"]
        ]

    def overflow(self) -> int:
        """How many pixels of the page stand out to the right of the window."""
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(width))

    def troubles(self) -> list[str]:
        """What is wrong with the page as it is, by axe and by its width."""
        stands_out = self.overflow()
        found = [f"{stands_out} pixels stand out"] if stands_out > 0 else []
        return [*self.violations(), *found]

    def picture(self, file: Path) -> None:
        """A picture of the whole page."""
        self.page.screenshot(path=file, full_page=True)

    def wear(self, scheme: Scheme, width: int) -> None:
        """Show what is there in this scheme, so wide."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size({"width": width, "height": HEIGHT})

    def tab_to(self, name: str) -> None:
        """Press Tab until what has this text is focused; within what a page can hold."""
        for _press in range(_MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement.textContent").strip() == name:
                return
        raise AssertionError(f"{name} cannot be reached by Tab on {self.page.url}")

    def log_in(self, *, url: str, name: str, password: str) -> None:
        """Begin a session of that person at the store."""
        self.page.context.clear_cookies()
        self.page.goto(f"{url}/login")
        self.page.get_by_role("textbox", name="Name").fill(name)
        self.page.get_by_role("textbox", name="Password").fill(password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{url}/")


@contextmanager
def new_tab(browser: Browser, *, width: int = WIDE, scheme: Scheme = "light") -> Iterator[Tab]:
    """A tab with cookies of its own, this wide."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, reduced_motion="reduce"
    )
    tab = Tab(context.new_page())

    def note_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.hostname != LOOPBACK:
            tab.strayed.append(request.url)

    def note_complaint(message: ConsoleMessage) -> None:
        if message.type == "error":
            tab.complaints.append(message.text)

    tab.page.on("request", note_request)
    tab.page.on("console", note_complaint)
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    try:
        yield tab
    finally:
        context.close()
