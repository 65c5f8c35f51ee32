"""The page of storage …"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.queries import organization_place
from artifacts.models import Project
from artifacts.queries.retention import Holder
from artifacts.usecases.create_project import create_project
from artifacts.usecases.measure_storage import measure_storage
from artifacts.usecases.plan_retention import plan_retention
from tests.factories.actors import administrator
from tests.factories.people import owner_at_a_browser
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.integration.console.test_pages import text

pytestmark = pytest.mark.django_db
NOW = timezone.now()
FIRST = NOW - timedelta(days=100)
PAGE = "/administration/organizations/acme/storage"


@pytest.fixture
def place(db: None) -> Project:  # noqa: ARG001 - the tables are there
    project = make_project()
    put(project, Kind(path="dist/large", size_bytes=5 * 1024**2), first=FIRST)
    put(project, Kind(path="dist/new", ref="", size_bytes=1024, stored=99), first=FIRST)
    return project


@pytest.fixture
def olga(place: Project) -> Client:
    return owner_at_a_browser(organization_place(place.organization))


def test_says_that_nothing_was_measured_yet(olga: Client) -> None:
    assert "Nothing has been measured yet" in text(PAGE, olga)


def test_leads_from_the_organization_to_the_ages_of_a_ref(olga: Client) -> None:
    measure_storage(now=NOW)

    organization = olga.get(PAGE).content.decode()
    project = olga.get("/administration/projects/acme/widget/storage").content.decode()
    ref = text("/administration/projects/acme/widget/storage", olga, ref="refs/heads/main")

    assert 'href="/administration/projects/acme/widget/storage"' in organization
    assert "?ref=refs%2Fheads%2Fmain" in project
    assert "Bytes of refs/heads/main" in ref
    assert "5.0 MiB physical" in ref
    assert "91 to 365 days 5.0 MiB" in ref
    assert "up to 7 days 0 bytes" in ref
    assert "without a ref" in text("/administration/projects/acme/widget/storage", olga, ref="")


def test_names_the_largest_files_and_what_would_go_next(place: Project, olga: Client) -> None:
    measure_storage(now=NOW)
    holder = Holder.of_organization(place.organization)
    plan_retention(holder=holder, actor=administrator(), now=NOW)

    found = text(PAGE, olga)

    assert found.index("dist/large") < found.index("dist/new")
    assert "The newest plan ends 0 files" in found
    assert "From tomorrow on there is a history here" in found
    measure_storage(now=NOW + timedelta(days=1))
    assert "physical; the most was 5.0 MiB" in text(PAGE, olga)


def test_asks_as_often_for_many_projects_and_files_as_for_few(place: Project, olga: Client) -> None:
    measure_storage(now=NOW)
    with CaptureQueriesContext(connection) as few:
        text(PAGE, olga)
    for number in range(5):
        more = create_project(
            actor=administrator(), organization="acme", slug=f"p{number}", is_public=False, now=NOW
        )
        put(more, Kind(path=f"dist/{number}"), first=FIRST)
        put(place, Kind(path=f"dist/{number}", ref=f"refs/heads/{number}"), first=FIRST)
    measure_storage(now=NOW)
    with CaptureQueriesContext(connection) as many:
        text(PAGE, olga)

    assert len(many) == len(few)
    assert not [
        one for one in many if "SUM(" in one["sql"].upper() or "COUNT(" in one["sql"].upper()
    ]
