"""The administrators' pages: whose they are, and the ways between them."""

import pytest
from django.test import Client
from django.utils import timezone

from access.domain.roles import Role
from access.queries import organization_place, project_place
from artifacts.models import Project
from artifacts.usecases.create_organization import create_organization
from tests.factories import actors
from tests.factories.people import (
    account,
    administrator_at_a_browser,
    logged_in,
    owner_at_a_browser,
)
from tests.factories.shelves import Shelf
from tests.integration.console.test_pages import text

pytestmark = pytest.mark.django_db


def test_leads_nobody_to_the_login_and_back() -> None:
    response = Client().get("/administration/store/plans")

    assert response.status_code == 302
    assert response["Location"] == "/login?next=%2Fadministration%2Fstore%2Fplans"


def test_is_closed_to_who_decides_about_nothing(shelf: Shelf) -> None:
    place = project_place(Project.objects.get())
    client = logged_in(account("mary", place, Role.MAINTAINER))

    assert "permission-missing" in text("/administration", client, status=403)
    text(f"/administration/projects/{shelf.project}/plans", client, status=403)
    assert "Administration" not in text("/", client)


def test_shows_an_owner_their_own_places_and_no_others(shelf: Shelf) -> None:
    now = timezone.now()
    create_organization(actor=actors.administrator(), slug="elsewhere", now=now)
    client = owner_at_a_browser(organization_place(shelf.project.organization))

    found = text("/administration", client)

    assert str(shelf.project) in found
    assert "The store" not in found
    assert "elsewhere" not in found
    assert "Administration" in text("/", client)
    text(f"/administration/projects/{shelf.project}/plans", client)
    text("/administration/organizations/acme/plans", client)
    text("/administration/store/plans", client, status=403)


def test_leads_upwards_as_far_as_one_decides(shelf: Shelf) -> None:
    address = f"/administration/projects/{shelf.project}/plans"
    to_organization = 'href="/administration/organizations/acme/plans"'
    to_store = 'href="/administration/store/plans"'

    of_owner = owner_at_a_browser(organization_place(shelf.project.organization)).get(address)
    of_administrator = administrator_at_a_browser().get(address)

    assert to_organization in of_owner.content.decode()
    assert to_store not in of_owner.content.decode()
    assert to_organization in of_administrator.content.decode()
    assert to_store in of_administrator.content.decode()


def test_shows_an_administrator_every_place(shelf: Shelf) -> None:
    found = text("/administration", administrator_at_a_browser())

    for name in ("The store", shelf.project.organization.slug, str(shelf.project)):
        assert name in found
