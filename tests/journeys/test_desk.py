"""An administrator at a real browser decides how long things live …

Each page on the way is examined by axe (WCAG 2.2 AA), wide and light or narrow and dark.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from access.domain.roles import Role
from access.queries import organization_place
from artifacts.models import Artifact, Hold, Project, StoredRetentionPolicy
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.run_bulk_actions import run_bulk_actions
from tests.factories.attestor import new_attestor
from tests.factories.browser import LOOKS, new_tab
from tests.factories.desk import Desk
from tests.factories.people import PASSWORD, account
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.journeys.conftest import Web

PLACE: Final = "/administration/organizations/acme"


@pytest.fixture
def place(transactional_db: None, tmp_path: Path) -> Project:  # noqa: ARG001 - really committed
    new_attestor(tmp_path)
    project = make_project()
    first = timezone.now() - timedelta(days=100)
    for number in range(4):
        put(project, Kind(path=f"dist/old-{number}.tar.gz", size_bytes=2048), first=first)
    put(project, Kind(path="dist/new.tar.gz", stored=99), first=first)
    for name in ("olga", "otto"):
        person = account(name, organization_place(project.organization), Role.OWNER)
        person.set_password(PASSWORD)
        person.save()
    return project


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def desk(
    web: Web, browser: Browser, place: Project, request: pytest.FixtureRequest
) -> Iterator[Desk]:
    assert place.slug
    scheme, width = request.param
    with new_tab(browser, width=width, scheme=scheme) as tab:
        made = Desk(tab, web.url, PASSWORD)
        made.log_in("olga")
        yield made
        assert made.troubles == []
        assert tab.strayed == []
        assert [one for one in tab.complaints if "422" not in one] == []


def test_writes_a_rule_sees_what_it_does_and_applies_it(desk: Desk) -> None:
    page = desk.tab.page
    desk.go("/administration")
    desk.go(f"{PLACE}/retention")
    desk.press("Write rules")
    desk.press("Add a rule")
    page.get_by_label("Name").first.fill("Old Ones")
    page.get_by_label("How many").first.fill("30")
    desk.press("Preview what it does")
    expect(page.get_by_role("alert")).to_contain_text("lowercase letters")
    page.get_by_label("Name").first.fill("old")
    desk.press("Preview what it does")
    expect(page.get_by_role("main")).to_contain_text("4 newly go at once")
    desk.write("Why", "the bucket is full")
    page.get_by_label("Write acme to go on").fill("acme")
    desk.press("Save the rules, and end 4 files")
    assert StoredRetentionPolicy.objects.get().reason == "the bucket is full"

    desk.go(f"{PLACE}/plans")
    desk.press("Make a plan now")
    desk.press("Apply it …")
    desk.write("Why", "the bucket is full")
    page.get_by_label("Write acme to go on").fill("acme")
    desk.press("Remove 4 files")
    expect(page.get_by_role("progressbar")).to_be_visible()
    apply_retention(clock=timezone.now, trash=timedelta(days=7))

    # The page finds out by itself.
    expect(page.get_by_role("main")).to_contain_text("Deleted")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    desk.look()
    assert Artifact.objects.count() == 1
    desk.go(f"{PLACE}/plans")

    desk.go("/administration/projects/acme/widget/trash")
    page.get_by_role("link", name="dist/old-0.tar.gz").click()
    desk.look()
    page.get_by_text("Restore it").first.click()
    desk.write("Why", "still needed")
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_role("main")).to_contain_text("a declared use keeps it")
    expect(page.get_by_role("main")).to_contain_text("Restored from the trash")
    desk.look()
    assert Artifact.objects.count() == 2


def test_holds_and_cannot_lift_it_alone(desk: Desk) -> None:
    page = desk.tab.page
    desk.go("/administration/projects/acme/widget/holds")
    desk.press("Place a hold")
    page.get_by_label("Files whose path is like this pattern").check()
    desk.write("Which: the pattern, or the id", "dist/**")
    desk.write("Why", "a lawsuit")
    desk.press("Place the hold")
    desk.write("Why", "it is settled")
    desk.press("Ask to have it lifted")
    expect(page.get_by_role("main")).to_contain_text("Nobody lifts a hold alone")
    expect(page.get_by_role("button", name="Lift the hold")).to_have_count(0)
    address = desk.address
    assert not hasattr(Hold.objects.get(), "lifting")

    desk.log_in("otto")
    desk.go("/administration/projects/acme/widget/holds")
    desk.go(address)
    desk.write("Why", "it is, I was there")
    page.get_by_label("Write acme/widget to go on").fill("acme/widget")
    desk.press("Lift the hold")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hold on")
    assert hasattr(Hold.objects.get(), "lifting")


def test_removes_many_at_once_and_takes_them_back(desk: Desk) -> None:
    page = desk.tab.page
    desk.go("/administration/projects/acme/widget/bulk")
    page.get_by_label("Remove").check()
    desk.write("Path is like", "dist/old-*")
    desk.press("Show what it would do")
    expect(page.get_by_role("main")).to_contain_text("4 files would be removed")
    desk.write("Why", "a secret is in them")
    page.get_by_label("Write acme/widget to go on").fill("acme/widget")
    desk.press("Remove 4 files")
    expect(page.get_by_role("progressbar")).to_be_visible()
    run_bulk_actions(clock=timezone.now)

    # The page finds out by itself.
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("main")).to_contain_text("a secret is in them")
    desk.look()
    assert Artifact.objects.count() == 1

    desk.go("/administration/projects/acme/widget/bulk")
    page.get_by_label("Restore").check()
    desk.press("Show what it would do")
    desk.write("Why", "it was none")
    page.get_by_label("Write acme/widget to go on").fill("acme/widget")
    desk.press("Restore 4 files")
    run_bulk_actions(clock=timezone.now)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    assert Artifact.objects.count() == 5
