"""Creating organizations and projects …"""

import pytest

from artifacts.domain.names import UnsafeName
from artifacts.errors import NameTaken, OrganizationNotFound
from artifacts.models import Organization, Project
from artifacts.queries import find_project
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from kernel.actor import ANONYMOUS, PermissionMissing, Unauthenticated
from kernel.audit.models import AuditRecord
from tests.factories.actors import administrator, uploader
from tests.factories.builds import NOW


def test_is_private_found_by_its_slugs_and_audited(project: Project) -> None:
    found = find_project(organization="acme", project="widget")

    assert found == project
    assert not project.is_public
    actions = AuditRecord.objects.order_by("id").values_list("action", "target", "actor")
    assert list(actions) == [
        ("organization.create", "acme", "administrator"),
        ("project.create", "acme/widget", "administrator"),
    ]


@pytest.mark.parametrize("slugs", [("acme", "other"), ("other", "widget"), ("acme", "a\x00b")])
def test_is_not_found_by_other_slugs(project: Project, slugs: tuple[str, str]) -> None:
    assert project.slug == "widget"
    assert find_project(organization=slugs[0], project=slugs[1]) is None


def test_is_for_administrators_of_the_instance(project: Project) -> None:
    with pytest.raises(Unauthenticated):
        create_organization(actor=ANONYMOUS, slug="other", now=NOW)
    with pytest.raises(PermissionMissing):
        create_project(
            actor=uploader(project), organization="acme", slug="x", is_public=True, now=NOW
        )

    assert Organization.objects.count() == 1
    assert Project.objects.count() == 1


def test_gives_no_name_twice(project: Project) -> None:
    with pytest.raises(NameTaken):
        create_organization(actor=administrator(), slug="acme", now=NOW)
    with pytest.raises(NameTaken):
        create_project(
            actor=administrator(),
            organization="acme",
            slug=project.slug,
            is_public=True,
            now=NOW,
        )

    assert AuditRecord.objects.count() == 2


@pytest.mark.usefixtures("project")
def test_wants_safe_names_and_an_organization_that_is_there() -> None:
    with pytest.raises(UnsafeName):
        create_organization(actor=administrator(), slug="Not A Slug", now=NOW)
    for organization, slug, refusal in (
        ("acme", "../x", UnsafeName),
        ("Acme", "x", OrganizationNotFound),
        ("absent", "x", OrganizationNotFound),
    ):
        with pytest.raises(refusal):
            create_project(
                actor=administrator(),
                organization=organization,
                slug=slug,
                is_public=False,
                now=NOW,
            )
