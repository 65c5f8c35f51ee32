"""Times of 404s over the real web server: `pytest -s tests/journeys/absence_times.py` shows them.

Not collected otherwise and not judged, because machines differ. What every run judges is that a
foreign thing takes as many queries as an absent one: tests/integration/access/test_strangers.py.
"""

import http.client
from contextlib import closing
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.utils import timezone

from access.domain.roles import Role
from access.models import Membership
from access.queries import organization_place
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from tests.bench.absence import REQUESTS, TELLING, compare
from tests.factories.actors import administrator
from tests.factories.people import account, personal_token
from tests.journeys.conftest import Shelf

ABSENT = UUID(int=7)


@pytest.fixture
def stranger(shelf: Shelf) -> str:  # noqa: ARG001 - it starts the server
    """A person with every right in an organization of their own."""
    now = timezone.now()
    owner = create_organization(actor=administrator(), slug="zeta", now=now)
    create_project(actor=administrator(), organization="zeta", slug="own", is_public=False, now=now)
    person = account("stranger", organization_place(owner), Role.OWNER)
    assert Membership.objects.get().person == person
    return personal_token(person)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", ["nobody", "service", "person"])
def test_compares_foreign_with_absent(shelf: Shelf, stranger: str, who: str) -> None:
    tokens = {"nobody": None, "service": shelf.shop.tokens.stranger, "person": stranger}
    headers = {"Authorization": f"Bearer {tokens[who]}"} if tokens[who] else {}
    with closing(http.client.HTTPConnection(urlsplit(shelf.shop.web.url).netloc)) as connection:
        show(connection, shelf, headers, who)


def show(
    connection: http.client.HTTPConnection, shelf: Shelf, headers: dict[str, str], who: str
) -> None:
    build, artifact = shelf.artifact["build"]["id"], shelf.artifact["id"]
    for name, foreign, absent in (
        ("organization members", "organizations/acme/members", "organizations/acne/members"),
        ("project", "projects/acme/widget", "projects/acme/wodget"),
        ("policy", "projects/acme/widget/policy", "projects/acme/wodget/policy"),
        ("build", f"builds/{build}", f"builds/{ABSENT}"),
        ("artifact", f"artifacts/{artifact}", f"artifacts/{ABSENT}"),
        ("download", f"artifacts/{artifact}/download", f"artifacts/{ABSENT}/download"),
    ):
        found = compare(
            connection, foreign=f"/api/v1/{foreign}", absent=f"/api/v1/{absent}", headers=headers
        )
        verdict = "no difference seen" if abs(found.z) < TELLING else "DIFFERENT"
        line = f"{who}, {name}, {REQUESTS} requests: {found}: {verdict}"
        print(line)  # noqa: T201 - what this file is for
