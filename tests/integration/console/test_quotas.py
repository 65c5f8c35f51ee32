"""The page of quotas …"""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from access.queries import organization_place
from artifacts.domain.quota import Limits, Quota
from artifacts.models import Organization, Project
from artifacts.queries.retention import Holder
from artifacts.usecases.measure_storage import measure_storage
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.set_quota import set_project_quota
from artifacts.usecases.set_retention import RetentionChange, set_retention
from kernel.audit.models import AuditRecord
from tests.factories.actors import administrator
from tests.factories.people import administrator_at_a_browser, owner_at_a_browser
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.integration.console.test_pages import text, words

pytestmark = pytest.mark.django_db
NOW = timezone.now()
OF_ORGANIZATION = "/administration/organizations/acme/quotas"
OF_PROJECT = "/administration/projects/acme/widget/quotas"


@pytest.fixture
def place(db: None) -> Project:  # noqa: ARG001 - the tables are there
    project = make_project()
    put(project, Kind(path="dist/a", size_bytes=4096), first=NOW - timedelta(days=100))
    measure_storage(now=NOW)
    return project


@pytest.fixture
def olga(place: Project) -> Client:
    return owner_at_a_browser(organization_place(place.organization))


@pytest.fixture
def ada() -> Client:
    return administrator_at_a_browser()


def test_shows_an_owner_the_limits_and_says_who_raises_them(olga: Client) -> None:
    found = text(OF_ORGANIZATION, olga)

    assert "not limited" in found
    assert "4.0 KiB physical" in found
    assert "An administrator of this store sets and raises them" in found
    assert "Set the quota" not in found
    assert "Set the quota" in text(OF_PROJECT, olga)
    refused = olga.post(OF_ORGANIZATION, {"bytes_hard": "1 GiB"})
    assert refused.status_code == 403
    assert Organization.objects.get(slug="acme").quota is None


def test_sets_what_there_is_room_for_without_asking_twice(olga: Client) -> None:
    answer = olga.post(OF_PROJECT, {"bytes_warn": "1 MiB", "bytes_hard": "1.5 GiB"})

    assert answer.status_code == 302
    found = Quota.parse(Project.objects.get().quota)
    assert found == Quota(bytes=Limits(warn=1024**2, hard=3 * 1024**3 // 2))
    assert "The quota holds from now on" in text(answer["Location"], olga)
    written = AuditRecord.objects.get(action="project.set-quota")
    assert (written.actor, written.facts["before"]) == ("user:olga", None)
    olga.post(OF_PROJECT, {})
    assert Project.objects.get().quota is None


def test_asks_for_the_name_before_uploads_are_refused(olga: Client) -> None:
    asked = olga.post(OF_PROJECT, {"bytes_hard": "1 KiB"})

    assert asked.status_code == 200
    assert "there are 4,096 already, and the hard limit is 1 KiB" in words(asked)
    assert 'value="1 KiB"' in asked.content.decode()
    wrong = olga.post(OF_PROJECT, {"bytes_hard": "1 KiB", "asked": "1", "name": "acme"})
    assert wrong.status_code == 422
    assert "“acme” is not its name" in words(wrong)
    assert Project.objects.get().quota is None
    whole = {"bytes_hard": "1 KiB", "asked": "1", "name": "acme/widget", "reason": "too much"}
    assert olga.post(OF_PROJECT, whole).status_code == 302
    assert AuditRecord.objects.get(action="project.set-quota").facts["reason"] == "too much"
    assert "full" in text(OF_PROJECT, olga)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"bytes_hard": "much"}, "a number with a unit"),
        ({"files_soft": "0"}, "more than nothing"),
        ({"bytes_warn": "2 GiB", "bytes_hard": "1 GiB"}, "at least what stands at “warn”"),
    ],
)
def test_says_what_is_wrong_at_its_field(olga: Client, sent: dict[str, str], said: str) -> None:
    answer = olga.post(OF_PROJECT, sent)

    assert answer.status_code == 422
    assert said in words(answer)
    assert 'aria-invalid="true"' in answer.content.decode()
    assert Project.objects.get().quota is None


def test_refuses_what_no_form_sends(olga: Client) -> None:
    assert olga.post(OF_PROJECT, {"bytes_hard": "1" * 100}).status_code == 400
    assert olga.post(OF_PROJECT, {"bytes_hard": "1\x00"}).status_code == 400


def test_lists_below_who_has_a_quota(place: Project, ada: Client) -> None:
    quota = Quota(bytes=Limits(hard=1024**2))
    set_project_quota(
        actor=administrator(), organization="acme", project="widget", quota=quota, now=NOW
    )

    assert "None has one" in text("/administration/store/quotas", ada)
    found = text(OF_ORGANIZATION, ada)
    assert "widget within its limits 4.0 KiB 1.0 MiB" in found
    ada.post(OF_ORGANIZATION, {"files_hard": "100"})
    assert "acme within its limits" in text("/administration/store/quotas", ada)
    assert place.organization.slug == "acme"


def test_names_the_plan_that_would_free_most(place: Project, olga: Client) -> None:
    assert "No plan waits that would free anything" in text(OF_ORGANIZATION, olga)
    holder = Holder.of_project(place)
    change = RetentionChange({"expire": [{"name": "old", "after_days": 30}]})
    set_retention(holder=holder, change=change, actor=administrator(), now=NOW)
    plan = plan_retention(holder=holder, actor=administrator(), now=NOW)

    for page in (OF_ORGANIZATION, OF_PROJECT):
        found = olga.get(page)
        assert "frees most: 4.0 KiB , in 1 file" in words(found)
        assert f"/administration/plans/{plan.pk}" in found.content.decode()
