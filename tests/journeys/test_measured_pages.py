"""An administrator at a real browser looks at storage, limits it, and repairs the store …"""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, expect

from access.models import User
from artifacts import wiring
from artifacts.domain.quota import Limits, Quota
from artifacts.models import Project, StoreRepair
from artifacts.usecases.measure_storage import measure_storage
from artifacts.usecases.reconcile_store import reconcile_store
from artifacts.usecases.repair_when_asked import repair_when_asked
from tests.factories.browser import NARROW, WIDE, Scheme, Tab, new_tab
from tests.factories.facts import witnessed
from tests.factories.people import PASSWORD
from tests.factories.requests import requested
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.journeys.conftest import Web
from tests.journeys.test_staff_pages import press_until_on

STORE = "/administration/store"
LOOKS: list[tuple[int, Scheme]] = [(WIDE, "light"), (NARROW, "dark")]


@pytest.fixture
def project(transactional_db: None) -> Project:  # noqa: ARG001 - really committed
    """With old and new files, and somebody who administers the store."""
    now = timezone.now()
    made = make_project()
    for number in range(3):
        put(
            made,
            Kind(path=f"dist/{number}", ref=f"refs/heads/{number}", size_bytes=4096),
            first=now - timedelta(days=200 * number),
        )
    measure_storage(now=now - timedelta(days=1))
    measure_storage(now=now)
    requested(witnessed(), now=now - timedelta(hours=1))
    User.objects.create_superuser("ada", password=PASSWORD)
    return made


@pytest.fixture
def orphan(project: Project) -> str:  # noqa: ARG001 - the tables are there
    """The key of bytes that no row names, older than the collector's grace."""
    key = wiring.kept().store.put([b"nobody's"], expected=None).key
    [file] = [
        one
        for one in Path(settings.BLOB_DIRECTORY or "").rglob("*")
        if key.endswith(f"/{one.name}") and one.is_file()
    ]
    before = time.time() - timedelta(days=3).total_seconds()
    os.utime(file, (before, before))
    return key


def signed_in(tab: Tab, web: Web) -> None:
    tab.page.goto(f"{web.url}/login")
    tab.page.get_by_role("textbox", name="Name").fill("ada")
    tab.page.get_by_role("textbox", name="Password").fill(PASSWORD)
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"{web.url}/")


@pytest.mark.parametrize("look", LOOKS)
def test_finds_every_page_accessible_and_whole(
    web: Web, browser: Browser, project: Project, orphan: str, look: tuple[int, Scheme]
) -> None:
    report = reconcile_store(kept=wiring.kept(), clock=timezone.now)
    assert orphan in [one.key for one in report.discrepancies.all()]
    organization, own = "/administration/organizations/acme", f"/administration/projects/{project}"
    troubles = []
    with new_tab(browser, width=look[0], scheme=look[1]) as tab:
        signed_in(tab, web)
        for path in (
            *(
                f"{place}/{tab}"
                for place in (STORE, organization, own)
                for tab in ("storage", "quotas")
            ),
            f"{own}/storage?ref=refs/heads/0",
            *(f"{STORE}/{one}" for one in ("signing", "audit", "reconciliation")),
            f"{STORE}/reconciliation/{report.pk}",
            f"{STORE}/reconciliation/{report.pk}/repair",
        ):
            answer = tab.page.goto(web.url + path)
            assert answer is not None
            assert answer.status == 200, path
            troubles += [(path, one) for one in tab.violations()]
            if tab.overflow() > 0:
                troubles.append((path, f"{tab.overflow()} pixels stand out"))
        complaints, strayed = tab.complaints, tab.strayed

    assert not troubles
    assert not complaints
    assert not strayed


def test_limits_a_project_by_keyboard_and_is_asked_for_its_name(
    web: Web, browser: Browser, project: Project
) -> None:
    with new_tab(browser) as tab:
        signed_in(tab, web)
        tab.page.goto(f"{web.url}/administration/projects/{project}/quotas")
        tab.page.focus("#bytes_hard")
        tab.page.keyboard.type("1 KiB")
        tab.page.keyboard.press("Enter")
        expect(tab.page.get_by_text("Every upload of new bytes is refused at once")).to_be_visible()
        tab.page.focus("#name")
        tab.page.keyboard.type(str(project))
        press_until_on(tab, "Set it although it refuses uploads")
        expect(tab.page.get_by_text("The quota holds from now on")).to_be_visible()
        expect(tab.page.get_by_text("full", exact=True)).to_be_visible()

    project.refresh_from_db()
    assert Quota.parse(project.quota) == Quota(bytes=Limits(hard=1024))


def test_goes_from_the_store_down_to_a_ref_by_keyboard(
    web: Web, browser: Browser, project: Project
) -> None:
    with new_tab(browser) as tab:
        signed_in(tab, web)
        tab.page.goto(f"{web.url}{STORE}/storage")
        for name in (project.organization.slug, project.slug, "refs/heads/1"):
            press_until_on(tab, name)
            expect(tab.page.locator("h1, .lead").filter(has_text=name).first).to_be_visible()
        expect(tab.page.get_by_text("Bytes of refs/heads/1")).to_be_visible()


def test_repairs_what_was_found_and_sees_it_end(web: Web, browser: Browser, orphan: str) -> None:
    report = reconcile_store(kept=wiring.kept(), clock=timezone.now)
    with new_tab(browser) as tab:
        signed_in(tab, web)
        tab.page.goto(f"{web.url}{STORE}/reconciliation/{report.pk}")
        tab.page.get_by_role("link", name="Repair it").click()
        tab.page.get_by_label("Why").fill("a disk was lost")
        tab.page.get_by_label(f"Write {report.place} to go on").fill(report.place)
        tab.page.keyboard.press("Enter")
        expect(tab.page.get_by_text("listed differences are done")).to_be_visible()

        done = repair_when_asked(kept=wiring.kept(), copies=wiring.copies(), clock=timezone.now)
        assert done is not None

        # Nobody reloads: the page looks by itself.
        expect(tab.page.get_by_text("Ended")).to_be_visible()

    assert StoreRepair.objects.get().ended_at is not None
    assert orphan not in [one.key for one in wiring.inventory().page(after="")]
