"""Staff at a real browser …

Each page is opened wide and narrow, light and dark, and examined by axe (WCAG 2.2 AA). What it
does is done by keyboard alone. Nothing is asked of another machine.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, expect

from access.models import Issuer, Token, User
from access.usecases.create_token import create_token
from artifacts.models import Build
from artifacts.wiring import endings
from kernel.actor import Permission
from kernel.audit.models import AuditRecord
from provenance.models import Attestation, AttestationRequest
from provenance.usecases.attest_builds import attest_builds
from tests.bench.seed import seed, sign_some
from tests.factories.actors import administrator
from tests.factories.attestor import new_attestor
from tests.factories.browser import NARROW, WIDE, Scheme, Tab, new_tab
from tests.factories.people import PASSWORD
from tests.factories.tour import pending_request, signed_artifact, staff_pages
from tests.journeys.conftest import Web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ARTIFACTS: Final = 2_000
LOOKS: Final[list[tuple[int, Scheme]]] = [(WIDE, "light"), (NARROW, "dark")]


@dataclass(frozen=True, slots=True)
class Desk:
    """A signed-in member of staff at a browser."""

    web: Web
    browser: Browser

    def sign_in(self, tab: Tab) -> None:
        """By keyboard, through the login page."""
        tab.page.goto(f"{self.web.url}/admin/")
        tab.page.focus("#username")
        tab.page.keyboard.type("admin")
        tab.page.keyboard.press("Tab")
        tab.page.keyboard.type(PASSWORD)
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_url(f"{self.web.url}/admin/")


@pytest.fixture
def desk(
    web: Web,
    browser: Browser,
    transactional_db: None,  # noqa: ARG001 - really committed
    tmp_path: Path,
) -> Desk:
    """A store with some builds of every state, two of them signed."""
    now = timezone.now()
    seed(artifacts=ARTIFACTS, url=str(settings.ENVIRONMENT.migrator_database_url), now=now)
    attestor = new_attestor(tmp_path)
    sign_some(count=2, now=now)
    attest_builds(attestor=attestor, endings=endings(), clock=timezone.now)
    User.objects.create_superuser("admin", password=PASSWORD)
    return Desk(web, browser)


def an_api_token() -> Token:
    return create_token(
        name="deploy",
        project=signed_artifact().project,
        permissions=(Permission.READ,),
        life=timedelta(days=1),
        actor=administrator(),
        now=timezone.now(),
    ).token


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_find_every_page_usable(desk: Desk, width: int, scheme: Scheme) -> None:
    an_api_token()
    with new_tab(desk.browser, width=width, scheme=scheme) as tab:
        troubles = []
        desk.sign_in(tab)
        for name, path in {**staff_pages(), "password": "/password"}.items():
            answer = tab.page.goto(desk.web.url + path)
            assert answer is not None
            assert (answer.status, tab.page.url) == (200, desk.web.url + path)
            troubles += [(name, trouble) for trouble in tab.violations()]
            if tab.overflow() > 0:
                troubles.append((name, f"stands out by {tab.overflow()} pixels"))

        assert not troubles, "\n".join(f"{name}: {trouble}" for name, trouble in troubles)
        assert not tab.strayed
        assert not tab.complaints


def press_until_on(tab: Tab, name: str) -> None:
    """Go through the page by Tab to the control of this name, and press it."""
    for _ in range(80):
        tab.page.keyboard.press("Tab")
        focused = tab.page.locator(":focus")
        if focused.count() and focused.inner_text().strip() == name:
            tab.page.keyboard.press("Enter")
            return
    pytest.fail(f"Tab does not reach {name!r} on {tab.page.url}")


def test_try_again_by_keyboard_alone(desk: Desk) -> None:
    request = pending_request()
    with new_tab(desk.browser) as tab:
        desk.sign_in(tab)
        tab.page.goto(f"{desk.web.url}/admin/provenance/attestationrequest/{request.pk}/change/")
        press_until_on(tab, "Try again")
        expect(tab.page.get_by_text("1 of 1 wait for a later attempt")).to_be_visible()
        press_until_on(tab, "Try again")
        expect(tab.page.get_by_text("1 of 1 will be tried now")).to_be_visible()

    assert AttestationRequest.objects.get(pk=request.pk).next_attempt_at <= timezone.now()
    told = AuditRecord.objects.get(action="attestation.retry")
    assert (told.actor, told.target) == ("user:admin", str(request.build_id))


def test_try_many_again_from_the_list(desk: Desk) -> None:
    with new_tab(desk.browser) as tab:
        desk.sign_in(tab)
        tab.page.goto(f"{desk.web.url}/admin/provenance/attestationrequest/")
        for box in tab.page.locator("input.action-select[name=_selected_action]").all()[:3]:
            box.focus()
            tab.page.keyboard.press("Space")
        tab.page.select_option("select[name=action]", label="Try again")
        tab.page.get_by_role("button", name="Run").press("Enter")
        press_until_on(tab, "Try again")
        expect(tab.page.get_by_text(re.compile("of 3 will be tried now"))).to_be_visible()

    assert AuditRecord.objects.filter(action="attestation.retry").count() >= 1


def test_see_each_step_of_the_verification_and_the_statement(desk: Desk) -> None:
    attestation = Attestation.objects.get(build_id=signed_artifact().build_id)
    forged = Attestation.objects.exclude(
        build_id__in=Build.objects.filter(artifacts__path__startswith="dist/signed-").values("pk")
    )[0]
    with new_tab(desk.browser) as tab:
        desk.sign_in(tab)
        tab.page.goto(f"{desk.web.url}/admin/provenance/attestation/{attestation.pk}/change/")
        expect(tab.page.get_by_text("Passed — SLSA_BUILD_LEVEL_1")).to_be_visible()
        expect(tab.page.get_by_role("rowheader", name="signature")).to_be_visible()
        expect(tab.page.get_by_text('"predicateType": "https://slsa.dev')).to_be_visible()
        tab.page.goto(f"{desk.web.url}/admin/provenance/attestation/{forged.pk}/change/")
        expect(tab.page.get_by_text("failed: malformed-bundle", exact=True)).to_be_visible()


def test_are_told_what_is_refused_and_what_to_do(desk: Desk) -> None:
    with new_tab(desk.browser) as tab:
        desk.sign_in(tab)
        tab.page.goto(f"{desk.web.url}/admin/access/issuer/add-issuer/")
        tab.page.fill("#id_name", "our-own")
        tab.page.fill("#id_url", settings.PUBLIC_URL)
        press_until_on(tab, "Add the issuer")
        link = tab.page.get_by_role("link", name="What to do: issuer-not-allowed")
        expect(link).to_have_attribute("href", "/problems/issuer-not-allowed")

    assert Issuer.objects.count() == 1


def test_revoke_a_token_whose_value_they_never_see(desk: Desk) -> None:
    token = an_api_token()
    with new_tab(desk.browser) as tab:
        desk.sign_in(tab)
        tab.page.goto(f"{desk.web.url}/admin/access/token/{token.pk}/change/")
        assert token.secret_sha256 not in tab.page.content()
        press_until_on(tab, "Revoke")
        press_until_on(tab, "Revoke it")
        expect(tab.page.get_by_text("is revoked")).to_be_visible()

    assert Token.objects.get(pk=token.pk).revoked_at is not None


def test_are_nobody_without_the_staff_mark(desk: Desk) -> None:
    User.objects.create_user("somebody", password=PASSWORD)
    with new_tab(desk.browser) as tab:
        for name in ("", "artifacts/build/", f"access/token/{uuid.uuid4()}/revoke/"):
            tab.page.goto(f"{desk.web.url}/admin/{name}")
            assert "/login?next=%2Fadmin%2F" in tab.page.url
        tab.page.get_by_role("textbox", name="Name").fill("somebody")
        tab.page.get_by_role("textbox", name="Password").fill(PASSWORD)
        tab.page.keyboard.press("Enter")
        expect(tab.page.get_by_role("link", name="permission-missing")).to_be_visible()
