"""The pages of legal holds …"""

from datetime import timedelta
from typing import Final

import pytest
from django.test import Client
from django.utils import timezone

from access.queries import organization_place
from artifacts import wiring
from artifacts.domain.reconciliation import Difference
from artifacts.models import Artifact, BucketHold, Hold, Project, Reconciliation
from artifacts.usecases.probe_store import probe_store
from tests.factories.direct_uploads import Able
from tests.factories.people import administrator_at_a_browser, owner_at_a_browser
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.integration.console.test_pages import text, words

pytestmark = pytest.mark.django_db
HOLDS: Final = "/administration/projects/acme/widget/holds"
PATHS: Final = {"covers": "paths", "what": "dist/**", "reason": "a lawsuit"}


@pytest.fixture
def place(db: None) -> Project:  # noqa: ARG001 - the tables are there
    return make_project()


@pytest.fixture
def olga(place: Project) -> Client:
    return owner_at_a_browser(organization_place(place.organization))


@pytest.fixture
def otto(place: Project) -> Client:
    return owner_at_a_browser(organization_place(place.organization), "otto")


def placed(client: Client, **fields: str) -> str:
    return str(client.post(f"{HOLDS}/place", fields)["Location"])


def test_place_a_hold_and_list_it(olga: Client) -> None:
    address = placed(olga, **PATHS)

    page = text(address, olga)

    assert "Hold on files like dist/** holds" in page
    assert "Why a lawsuit" in page
    assert "by user:olga Until it is lifted" in page
    for level in (HOLDS, "/administration/organizations/acme/holds"):
        assert "Files like dist/** acme/widget holds a lawsuit" in text(level, olga)


def test_place_one_on_what_a_link_names(place: Project, olga: Client) -> None:
    put(place, Kind(path="dist/a"), first=timezone.now())
    found = Artifact.objects.get()
    query = {"covers": "artifact", "what": str(found.pk)}

    form = olga.get(f"{HOLDS}/place", query).content.decode()
    address = placed(olga, **query, reason="evidence")

    assert 'value="artifact" required checked' in form
    assert f'value="{found.pk}"' in form
    assert Hold.objects.get().artifact_id == found.pk
    assert "Held One file dist/a Why evidence" in text(address, olga)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"reason": ""}, "The reason cannot be that. Expected: 1 to 500 characters"),
        ({"what": "***"}, "What is to be held cannot be that"),
        ({"covers": "build", "what": "x"}, "Expected: the id of one build . Found: x"),
        ({"covers": "artifact", "what": "0" * 32}, "Expected: an artifact of this project"),
        ({"covers": "all"}, "What is to be held cannot be that"),
        ({"ends_at": "2001-01-01"}, "The end cannot be that. Expected: a time to come"),
        ({"ends_at": "soon"}, "Expected: a day as YYYY-MM-DD"),
    ],
)
def test_tell_what_cannot_be_held(olga: Client, changed: dict[str, str], says: str) -> None:
    response = olga.post(f"{HOLDS}/place", {**PATHS, **changed})

    assert response.status_code == 422
    assert says.replace(" .", ".") in words(response)
    assert not Hold.objects.exists()


def test_hold_until_the_end_of_a_day(olga: Client) -> None:
    day = timezone.now().date() + timedelta(days=3)

    placed(olga, **PATHS, ends_at=day.isoformat())

    ends_at = Hold.objects.get().ends_at
    assert ends_at is not None
    assert ends_at.date() == day + timedelta(days=1)


def test_let_nobody_lift_a_hold_alone(olga: Client, otto: Client) -> None:
    address = placed(olga, **PATHS)

    assert "Ask to have it lifted" in text(address, olga)
    olga.post(address, {"reason": "it is over"})
    olga.post(address, {"reason": "really", "name": "acme/widget"})

    page = text(address, olga)
    assert "It stands until somebody else says so too" in page
    assert "really" not in page
    assert "lifting was asked for" in text(HOLDS, otto)

    assert "You are the last" in text(address, otto)
    refused = otto.post(address, {"reason": "yes", "name": "widget"})
    assert refused.status_code == 422
    assert "“widget” is not its name" in words(refused)
    assert "holds" in text(address, olga)

    otto.post(address, {"reason": "yes", "name": "acme/widget"})

    assert "lifted" in text(address, otto)
    assert "No hold is like that here" in text(HOLDS, otto)
    assert "Files like dist/**" in text(HOLDS, otto, state="lifted")


def test_lift_nothing_without_a_reason(olga: Client) -> None:
    address = placed(olga, **PATHS)

    response = olga.post(address, {"reason": " "})

    assert response.status_code == 422
    assert "A reason is missing" in words(response)


def test_say_that_the_store_alone_holds_where_the_bucket_cannot(olga: Client) -> None:
    assert "Held by the store alone" in text(HOLDS, olga)


def test_say_what_the_bucket_holds_and_where_the_two_differ(olga: Client) -> None:
    probe_store(place=wiring.probed_place(), probe=Able(), now=timezone.now())
    BucketHold.objects.create(
        key="blobs/held", is_foreign=False, asked_at=timezone.now(), held_at=timezone.now()
    )
    counts = {one.value: {"count": 0, "bytes": 0} for one in Difference}
    Reconciliation.objects.create(
        place=wiring.probed_place(),
        started_at=timezone.now(),
        ended_at=timezone.now(),
        counts={**counts, "unheld": {"count": 2, "bytes": 7}},
        totals={},
    )

    everywhere = text("/administration/store/holds", administrator_at_a_browser())

    assert "It holds 1 object for the store." in everywhere
    assert "2 objects held by only one of the two" in everywhere
    theirs = text(HOLDS, olga)
    assert "The bucket holds these bytes too" in theirs
    # How much others hold is nobody's business.
    assert "for the store." not in theirs
    assert "only one of the two" not in theirs
