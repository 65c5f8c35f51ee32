"""Times of 404s over the real web server: `pytest -s tests/journeys/absence_times.py` shows them.

Not collected otherwise and not judged, because machines differ. What every run judges is that a
foreign thing takes as many queries as an absent one: tests/integration/access/test_strangers.py.
"""

import http.client
from contextlib import closing
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.utils import timezone

from access.domain.roles import SERVICE_PERMISSIONS, Role
from access.models import Membership
from access.queries import organization_place
from access.usecases.create_token import create_token
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from tests.bench.absence import REQUESTS, TELLING, compare
from tests.factories.actors import administrator
from tests.factories.people import account, personal_token
from tests.journeys.conftest import Shelf

ABSENT = UUID(int=7)


@pytest.fixture
def strangers(shelf: Shelf) -> dict[str, str | None]:  # noqa: ARG001 - it starts the server
    """Nobody, and a service and a person with every right in an organization of their own."""
    now = timezone.now()
    owned = create_organization(actor=administrator(), slug="zeta", now=now)
    own = create_project(
        actor=administrator(), organization="zeta", slug="own", is_public=False, now=now
    )
    service = create_token(
        name="a service",
        project=own,
        permissions=SERVICE_PERMISSIONS,
        life=timedelta(hours=1),
        actor=administrator(),
        now=now,
    )
    person = account("stranger", organization_place(owned), Role.OWNER)
    assert Membership.objects.get().person == person
    return {"nobody": None, "service": service.secret, "person": personal_token(person)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", ["nobody", "service", "person"])
def test_compares_foreign_with_absent(
    shelf: Shelf, strangers: dict[str, str | None], who: str
) -> None:
    headers = {"Authorization": f"Bearer {strangers[who]}"} if strangers[who] else {}
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
