"""A person with a real browser looks around, checks a file, and logs in with their provider."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, expect

from access.domain.roles import Role
from access.models import User
from access.queries import organization_place
from artifacts.models import Artifact
from provenance.domain.build_facts import Platform
from provenance.models import Attestation
from provenance.usecases.grant_builders import grant_builders
from tests.environment import SCRATCH
from tests.factories.actors import administrator
from tests.factories.attestor import new_attestor
from tests.factories.browser import LOOKS, Scheme, Tab, new_tab
from tests.factories.facts import witnessed
from tests.factories.free_ports import free_port
from tests.factories.oidc_provider import CLIENT, SECRET, Provider, running_provider
from tests.factories.people import PASSWORD, account
from tests.factories.shelves import SOURCE, Shelf, make_project
from tests.journeys.conftest import Web, running_web

OPEN_ALL: Final = "for (const one of document.querySelectorAll('details')) one.open = true"


@pytest.fixture
def shelf(transactional_db: None, tmp_path: Path) -> Shelf:  # noqa: ARG001 - really committed
    made = Shelf(make_project(), new_attestor(tmp_path))
    with transaction.atomic():
        grant_builders(
            issuer_name="github",
            platform=Platform.GITHUB,
            base_url=settings.PUBLIC_URL,
            actor=administrator(),
            now=timezone.now(),
        )
    return made


@pytest.fixture
def addresses(shelf: Shelf) -> list[str]:
    """A page of each kind, with a file that is signed, one that is refused and one that waits."""
    signed = shelf.push(witnessed(), widget_whl=b"bytes")
    released = shelf.release("by-hand/notes.zip", b"notes")
    shelf.attest()
    waiting = shelf.push(witnessed(run_id="2", ref="refs/heads/main"), widget_whl=b"others")
    files = [Artifact.objects.get(build=build) for build in (signed, waiting)]
    about = [f"/artifacts/{one.pk}" for one in (*files, released)]
    attestation = _attestation_of(released)
    return [
        "/",
        "/about",
        "/login",
        "/projects/acme",
        "/projects/acme/widget",
        "/projects/acme/widget?q=widget",
        "/projects/acme/widget?state=refused",
        "/projects/acme/widget/files",
        "/projects/acme/nothing",
        f"/builds/{signed.pk}",
        f"/builds/{waiting.pk}",
        *about,
        f"/artifacts/{released.pk}/attestations/{attestation}",
        f"/artifacts/{released.pk}/members",
        "/problems/",
        "/problems/policy-not-met",
        "/attestors/release/v1",
        "/predicates/removal/v1",
        "/buildtypes/github-actions-upload/v1",
    ]


def _attestation_of(artifact: Artifact) -> str:
    return str(Attestation.objects.get(build_id=artifact.build_id).pk)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_finds_every_page_accessible_and_whole(
    web: Web, browser: Browser, addresses: list[str], scheme: Scheme, width: int
) -> None:
    found: dict[str, list[str]] = {}
    with new_tab(browser, width=width, scheme=scheme) as tab:
        for address in addresses:
            tab.page.goto(web.url + address)
            tab.page.evaluate(OPEN_ALL)
            if problems := tab.troubles():
                found[address] = problems
        strayed, complaints = tab.strayed, tab.complaints

    assert found == {}
    assert strayed == []
    # The browser itself reports each page that answers 404.
    assert [one for one in complaints if "404" not in one] == []


def test_goes_from_the_front_page_to_a_verdict_by_keyboard(
    web: Web, browser: Browser, shelf: Shelf
) -> None:
    shelf.accept(SOURCE)
    shelf.push(witnessed(), widget_whl=b"bytes")
    shelf.attest()
    with new_tab(browser) as tab:
        page = tab.page
        page.goto(web.url)
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_focused()
        for name in ("acme/widget", "v1.4.0", "widget.whl"):
            follow(tab, name)

        expect(page.get_by_role("heading", level=2).first).to_have_text("Verified: SLSA Build L1")
        tab.tab_to("Check it yourself")
        page.keyboard.press("Enter")
        expect(page.locator("#check")).to_be_focused()


def test_logs_in_and_downloads_by_keyboard_alone(web: Web, browser: Browser, shelf: Shelf) -> None:
    shelf.project.is_public = False
    shelf.project.save()
    shelf.accept(SOURCE)
    shelf.push(witnessed(), widget_whl=b"bytes")
    shelf.attest()
    person = account("dora", organization_place(shelf.project.organization), Role.READER)
    person.set_password(PASSWORD)
    person.save()
    with new_tab(browser) as tab:
        page = tab.page
        page.goto(web.url)
        follow(tab, "Log in")
        for _press in range(10):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "username":
                break
        page.keyboard.type("dora")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        for name in ("acme/widget", "v1.4.0", "widget.whl"):
            follow(tab, name)
        tab.tab_to("Download (5 bytes)")
        with page.expect_download() as download:
            page.keyboard.press("Enter")

        assert download.value.suggested_filename == "widget.whl"
        assert download.value.path().read_bytes() == b"bytes"


def follow(tab: Tab, name: str) -> None:
    """Reach the link by Tab, and press Enter."""
    tab.tab_to(name)
    with tab.page.expect_navigation():
        tab.page.keyboard.press("Enter")


def test_copies_a_digest_whole(web: Web, browser: Browser, shelf: Shelf) -> None:
    released = shelf.release("notes.txt", b"notes")
    with new_tab(browser) as tab:
        tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        tab.page.goto(f"{web.url}/artifacts/{released.pk}")
        tab.page.get_by_role("button", name="Copy the SHA-256").click()

        expect(tab.page.get_by_role("status")).to_have_text("Copied")
        assert tab.page.evaluate("navigator.clipboard.readText()") == released.blob.sha256


def test_lets_a_member_in_where_a_stranger_finds_nothing(
    web: Web, browser: Browser, shelf: Shelf
) -> None:
    shelf.project.is_public = False
    shelf.project.save()
    person = account("dora", organization_place(shelf.project.organization), Role.READER)
    person.set_password(PASSWORD)
    person.save()
    with new_tab(browser) as tab:
        page = tab.page
        page.goto(f"{web.url}/projects/acme/widget")
        expect(page.get_by_role("heading", level=1)).to_contain_text("There is no such project")
        page.get_by_role("main").get_by_role("link", name="Log in").click()
        page.get_by_role("textbox", name="Name").fill("dora")
        page.get_by_role("textbox", name="Password").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("do not belong together")
        page.get_by_role("textbox", name="Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("acme/widget")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def web_with_provider(
    django_db_setup: None,  # noqa: ARG001 - the tables are there
    transactional_db: None,  # noqa: ARG001 - really committed
    provider: Provider,
) -> Iterator[Web]:
    secret = SCRATCH / "oidc-client-secret"
    secret.write_text(SECRET)
    port = free_port()
    with running_web(
        port=port,
        STRONGROOM_PUBLIC_URL=f"http://127.0.0.1:{port}",
        STRONGROOM_LOGIN_OIDC_ISSUER=provider.url,
        STRONGROOM_LOGIN_OIDC_CLIENT_ID=CLIENT,
        STRONGROOM_LOGIN_OIDC_CLIENT_SECRET_FILE=str(secret),
        STRONGROOM_LOGIN_OIDC_NAME="Acme",
    ) as server:
        yield server


def test_logs_in_with_the_provider_and_out_again(
    web_with_provider: Web, browser: Browser, provider: Provider
) -> None:
    provider.claims = {"preferred_username": "dora"}
    with new_tab(browser) as tab:
        page = tab.page
        page.goto(f"{web_with_provider.url}/login?next=/about")
        page.get_by_role("button", name="Log in with Acme").click()
        page.wait_for_url("**/about")
        expect(page.get_by_role("navigation", name="Account")).to_contain_text("dora@127.0.0.1")
        page.get_by_role("link", name="Log out").click()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("navigation", name="Account")).to_contain_text("Log in")
        assert tab.complaints == []

    assert User.objects.get().is_staff is False


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another"}, "another audience"),
        ({"nonce": "another"}, "another login's nonce"),
        ({"iss": "https://login.evil.test"}, "another issuer"),
    ],
)
def test_stays_out_with_a_token_that_proves_something_else(
    web_with_provider: Web,
    browser: Browser,
    provider: Provider,
    claims: dict[str, str],
    reason: str,
) -> None:
    provider.claims = claims
    with new_tab(browser) as tab:
        tab.page.goto(f"{web_with_provider.url}/login")
        tab.page.get_by_role("button", name="Log in with Acme").click()

        expect(tab.page.get_by_role("main")).to_contain_text(reason)
        expect(tab.page.get_by_role("navigation", name="Account")).to_contain_text("Log in")

    assert not User.objects.exists()
