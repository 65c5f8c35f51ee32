"""What was planned, previewed or asked of many files, and never used …"""

from datetime import timedelta
from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone

from access.queries import organization_place
from artifacts.domain.bulk import Act
from artifacts.domain.fates import PATIENCE_WITH_NEWEST_PLAN
from artifacts.models import BulkRun, Project, RetentionRun, RetentionWait
from artifacts.queries.retention import Holder, held_by
from artifacts.usecases.ask_bulk_action import ask_bulk_action
from artifacts.usecases.forget_lists import forget_lists
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.preview_retention import preview_retention
from artifacts.usecases.set_retention import RetentionChange, set_retention
from tests.factories.actors import administrator, owner
from tests.factories.people import owner_at_a_browser
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.integration.console.test_pages import text, words

pytestmark = pytest.mark.django_db
AGO: Final = timezone.now() - PATIENCE_WITH_NEWEST_PLAN - timedelta(hours=1)
DAY: Final = timedelta(days=1)
NAMED: Final = {"name": "acme/widget", "reason": "the bucket is full", "artifacts": "3"}
OLD: Final = {"expire": [{"name": "old", "after_days": 30}]}
OLDER: Final = {"expire": [{"name": "older", "after_days": 20}]}


@pytest.fixture
def place(db: None) -> Project:  # noqa: ARG001 - the tables are there
    """Three files that a rule ends."""
    project = make_project()
    for number in range(3):
        put(project, Kind(path=f"dist/{number}"), first=AGO - 70 * DAY)
    set_retention(
        holder=Holder.of_project(project),
        change=RetentionChange(OLD),
        actor=administrator(),
        now=AGO - DAY,
    )
    return project


@pytest.fixture
def olga(place: Project) -> Client:
    return owner_at_a_browser(organization_place(place.organization))


def test_say_of_a_plan_that_nobody_applied_it(place: Project, olga: Client) -> None:
    plan = plan_retention(holder=Holder.of_project(place), actor=administrator(), now=AGO)
    RetentionWait.objects.create(plan=plan, since=AGO, exceeded=[])
    address = f"/administration/plans/{plan.pk}"
    assert "dist/1" in text(address, olga)

    forget_lists(now=timezone.now())

    page = text(address, olga)
    assert f"Its list of files was forgotten {timezone.now():%Y-%m-%d}" in page
    assert "because nobody applied it in time. Its numbers are kept. Make another plan." in page
    assert "3 files go, of 3 looked at" in page
    assert "File by file" not in page
    assert "Apply it" not in page
    assert "forgotten" in text("/administration/projects/acme/widget/plans", olga)
    assert "nothing to apply here: the plan is forgotten" in text(f"{address}/apply", olga)
    assert olga.post(f"{address}/apply", NAMED)["Location"] == address
    assert not RetentionRun.objects.exists()
    refused_by_the_api(olga, f"/api/v1/retention-plans/{plan.pk}", "apply")


def test_say_of_a_preview_that_nobody_saved_it(place: Project, olga: Client) -> None:
    holder = Holder.of_project(place)
    preview = preview_retention(holder=holder, document=OLDER, actor=administrator(), now=AGO)
    address = f"/administration/previews/{preview.pk}"
    forget_lists(now=timezone.now())

    page = text(address, olga)

    assert "because nobody saved it in time" in page
    assert "Let them hold" not in page
    assert olga.post(address, NAMED).status_code == 422
    assert held_by(holder)[0].document == OLD
    assert "older" in text(
        f"/administration/projects/{place}/retention/edit", olga, preview=str(preview.pk)
    )
    refused_by_the_api(olga, f"/api/v1/retention-previews/{preview.pk}")
    saved = olga.put(
        f"/api/v1/projects/{place}/retention-policy",
        {"document": OLDER, "preview": str(preview.pk)},
        content_type="application/json",
    )
    assert (saved.status_code, saved.json()["type"].rpartition("/")[2]) == (410, "list-forgotten")


def test_say_of_a_bulk_action_that_nobody_started_it(place: Project, olga: Client) -> None:
    action = ask_bulk_action(
        project=place, act=Act.REMOVE, selection={}, actor=owner(place), now=AGO
    )
    address = f"/administration/bulk/{action.pk}"
    forget_lists(now=timezone.now())

    page = text(address, olga)

    assert "because nobody started it in time. Its numbers are kept. Ask anew." in page
    assert "3 files would be removed, of 3 that are like that" in page
    assert "File by file" not in page
    assert olga.post(address, NAMED)["Location"] == address
    assert not BulkRun.objects.exists()
    assert "forgotten" in text("/administration/projects/acme/widget/bulk", olga)
    start = {"project": "acme/widget", "artifacts": 3, "reason": "so"}
    refused_by_the_api(olga, f"/api/v1/bulk-actions/{action.pk}", "start", start)


def refused_by_the_api(
    client: Client, address: str, use: str = "", body: dict[str, Any] | None = None
) -> None:
    """Its document has since when; its list, and using it, are refused with the same code."""
    forgotten_at = client.get(address).json()["list_forgotten_at"]
    answers = [client.get(f"{address}/items")]
    if use:
        answers.append(client.post(f"{address}/{use}", body, content_type="application/json"))
    for answer in answers:
        problem = answer.json()
        assert answer.status_code == 410, words(answer)
        assert problem["type"].endswith("/list-forgotten")
        assert problem["forgotten_at"] == forgotten_at
