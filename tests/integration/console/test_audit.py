"""The audit trail in the console …"""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from access.queries import organization_place
from artifacts.models import Project
from console.views.audit import PAGE_RECORDS
from kernel.actor import Actor
from kernel.audit.models import AuditRecord
from kernel.audit.record import record
from tests.factories.people import administrator_at_a_browser, owner_at_a_browser
from tests.factories.shelves import make_project
from tests.integration.console.test_pages import text

pytestmark = pytest.mark.django_db
STORE = "/administration/store/audit"
OWN = "/administration/organizations/acme/audit"
DAY = datetime(2026, 3, 4, 23, 59, tzinfo=UTC)


@pytest.fixture
def place(db: None) -> Project:  # noqa: ARG001 - the tables are there
    made = make_project()
    record(
        Actor("mary"),
        "policy.set",
        "acme/widget",
        now=DAY,
        organization=made.organization_id,
        before={"enforcement": "observe"},
        after={"enforcement": "enforce"},
        reason="a release is near",
        version=2,
    )
    record(Actor("root"), "issuer.add", "gitlab", now=DAY + timedelta(days=1))
    return made


@pytest.fixture
def ada() -> Client:
    return administrator_at_a_browser()


def test_tells_who_changed_what_and_why(place: Project, ada: Client) -> None:
    found = text(STORE, ada)

    assert place.organization.slug == "acme"
    assert "mary policy.set acme/widget enforcement: observe → enforce “a release is near”" in found
    assert "version 2" in found
    assert "issuer.add" in found


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ({"actor": "mary"}, True),
        ({"actor": "mar"}, False),
        ({"action": "policy.set", "target": "acme/widget"}, True),
        ({"since": "2026-03-04", "until": "2026-03-04"}, True),
        ({"since": "2026-03-05"}, False),
        ({"until": "2026-03-03"}, False),
    ],
)
def test_finds_by_exact_words_and_whole_days(
    ada: Client,
    query: dict[str, str],
    is_shown: bool,  # noqa: FBT001 - a case
) -> None:
    found = text(STORE, ada, 200, **query)

    assert ("a release is near" in found) is is_shown


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    "query",
    [{"since": "yesterday"}, {"until": "9999-12-31"}, {"cursor": "x"}, {"cursor": "WyItMSJd"}],
)
def test_refuses_what_is_no_day_and_no_place(ada: Client, query: dict[str, str]) -> None:
    assert ada.get(STORE, query).status_code == 400


def test_shows_owners_their_own_alone(place: Project) -> None:
    olga = owner_at_a_browser(organization_place(place.organization))

    found = text(OWN, olga)

    assert "a release is near" in found
    assert "issuer.add" not in found
    text(STORE, olga, status=403)
    text("/administration/projects/acme/widget/audit", olga, status=404)


@pytest.mark.usefixtures("place")
def test_goes_on_behind_the_last_of_a_page(ada: Client) -> None:
    for number in range(2 * PAGE_RECORDS):
        record(Actor("many"), "many.done", f"thing {number}", now=DAY)

    seen, address = set(), f"{STORE}?actor=many"
    pages = 0
    while address:
        page = ada.get(address).content.decode()
        seen |= {one for one in range(2 * PAGE_RECORDS) if f">thing {one}<" in page}
        pages += 1
        following = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        address = STORE + following if following else ""

    assert len(seen) == 2 * PAGE_RECORDS
    assert pages == 2
    assert AuditRecord.objects.filter(actor="many").count() == len(seen)


def test_hands_out_what_it_shows_as_a_file(place: Project) -> None:
    olga = owner_at_a_browser(organization_place(place.organization))
    page = olga.get(OWN, {"actor": "mary", "until": "2026-03-04"}).content.decode()
    addresses = [one.partition('"')[0] for one in page.split('href="') if "audit/export" in one]

    files = [olga.get(one.replace("&amp;", "&")) for one in addresses]

    bodies = [b"".join(one.streaming_content).decode() for one in files]  # type: ignore[attr-defined]
    assert [one.status_code for one in files] == [200, 200]
    for body in bodies:
        assert "a release is near" in body
        assert "issuer.add" not in body
