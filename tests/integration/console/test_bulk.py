"""The pages of acts on many files …"""

from datetime import timedelta
from typing import Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.domain.roles import Role
from access.queries import organization_place
from artifacts.models import Artifact, BulkAction, BulkRun, Project, TrashedArtifact, Yank
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.run_bulk_actions import run_bulk_actions
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_retention_run import start_retention_run
from tests.factories.actors import administrator
from tests.factories.people import account, logged_in, owner_at_a_browser
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.integration.console.test_pages import text, words

pytestmark = pytest.mark.django_db
FIRST: Final = timezone.now() - timedelta(days=100)
MANY: Final = "/administration/projects/acme/widget/bulk"
WHY: Final = {"name": "acme/widget", "reason": "a secret is in them"}


@pytest.fixture
def place(db: None) -> Project:  # noqa: ARG001 - the tables are there
    """Three files that can go, one that is held, and one of another kind."""
    project = make_project()
    for number in range(3):
        put(project, Kind(path=f"dist/{number}", size_bytes=1024), first=FIRST)
    put(project, Kind(path="dist/held", held_to=1000), first=FIRST)
    put(project, Kind(path="doc/manual"), first=FIRST)
    return project


@pytest.fixture
def olga(place: Project) -> Client:
    return owner_at_a_browser(organization_place(place.organization))


def ask(client: Client, **fields: str) -> str:
    """The address of what was asked for."""
    answer = client.post(MANY, {"act": "remove", "paths": "dist/*", **fields})
    assert answer.status_code == 302, words(answer)
    return answer["Location"]


def test_show_in_numbers_what_would_be_done_and_do_nothing(olga: Client) -> None:
    page = text(ask(olga), olga)

    assert "Remove files of acme/widget whose path is like dist/*" in page
    assert "3 files would be removed, of 4 that are like that" in page
    assert "1 left as it is: on legal hold" in page
    assert "3.0 KiB they have together" in page
    assert "dist/held" in page
    assert "not started" in text(MANY, olga)
    assert Artifact.objects.count() == 5


def test_do_it_for_whoever_writes_the_name_and_a_reason(olga: Client) -> None:
    address = ask(olga)

    for wrong in ({**WHY, "name": "acme/widgets"}, {**WHY, "reason": ""}):
        refused = olga.post(address, {**wrong, "artifacts": "3"})
        assert refused.status_code == 422
    assert not BulkRun.objects.exists()

    started = olga.post(address, {**WHY, "artifacts": "3"})

    assert started["Location"] == address
    assert "0 of 4 files are behind it" in text(address, olga)
    run_bulk_actions(clock=timezone.now)
    page = text(address, olga)
    assert "Removed 3 files, 3.0 KiB" in page
    assert "Left: on legal hold 1 file" in page
    assert "a secret is in them" in page
    assert "dist/1" not in text(address, olga, outcome="held")
    assert TrashedArtifact.objects.count() == 3


def test_show_the_numbers_of_now_where_they_are_others(place: Project, olga: Client) -> None:
    address = ask(olga)
    put(place, Kind(path="dist/1", bytes_of="other", held_to=1000), first=FIRST)
    gone = Artifact.objects.get(path="dist/2")
    gone.delete()

    answer = olga.post(address, {**WHY, "artifacts": "3"})

    assert answer.status_code == 422
    page = words(answer)
    assert "The number is another by now. Nothing was done." in page
    assert "2 files would be removed" in page
    assert "1 left as it is: not there any more" in page
    assert olga.post(address, {**WHY, "artifacts": "2"}).status_code == 302


def test_tell_what_cannot_be_asked(olga: Client) -> None:
    for wrong in (
        {"act": "burn"},
        {"paths": "***"},
        {"stored_before": "yesterday"},
        {"size_from_bytes": "much"},
        {"plan": "mine"},
    ):
        answer = olga.post(MANY, {"act": "yank", **wrong})

        assert answer.status_code == 422
        assert "That cannot be asked." in words(answer)
        [field] = wrong
        assert f"/{field}" in words(answer)
    assert olga.post(MANY, {"act": "yank", "paths": "a\x00"}).status_code == 400
    assert olga.post(ask(olga), {**WHY, "artifacts": "three"}).status_code == 400
    assert BulkAction.objects.count() == 1


def test_ask_by_day_and_size(olga: Client) -> None:
    before = (FIRST + timedelta(days=1)).date().isoformat()

    page = text(
        ask(olga, act="yank", paths="", stored_before=before, size_from_bytes="1 KiB"), olga
    )

    assert "3 files would be yanked, of 3" in page


def test_cancel_it(olga: Client) -> None:
    address = ask(olga, act="yank")
    olga.post(address, {**WHY, "artifacts": "4"})

    olga.post(f"{address}/cancel")

    assert "it ends behind the batch that is under way" in text(address, olga)
    run_bulk_actions(clock=timezone.now)
    assert "cancelled" in text(address, olga)
    assert not Yank.objects.exists()


def test_give_back_from_the_trash_all_that_a_plan_took(place: Project, olga: Client) -> None:
    now, holder = timezone.now(), Holder.of_project(place)
    change = RetentionChange({"expire": [{"name": "old", "after_days": 1}]}, "no room")
    set_retention(holder=holder, change=change, actor=administrator(), now=now)
    plan = plan_retention(holder=holder, actor=administrator(), now=now)
    start_retention_run(plan=plan, actor=administrator(), now=now)
    apply_retention(clock=timezone.now)

    trash = olga.get("/administration/projects/acme/widget/trash")
    form = text(MANY, olga, act="restore", plan=str(plan.pk))

    assert f"{MANY}?act=restore&amp;plan={plan.pk}" in trash.content.decode()
    assert ": 4 files" in words(trash)
    assert "Taken away by the plan" in form
    address = ask(olga, act="restore", paths="", plan=str(plan.pk))
    olga.post(address, {**WHY, "artifacts": "4"})
    run_bulk_actions(clock=timezone.now)
    assert "Restored 4 files" in text(address, olga)
    assert Artifact.objects.count() == 5


def test_are_for_owners(place: Project, olga: Client) -> None:
    address = ask(olga)
    reader = logged_in(account("rita", organization_place(place.organization), Role.READER))

    text(MANY, reader, status=403)
    text(address, reader, status=404)
    assert "all of them" not in text("/projects/acme/widget/files", reader)
    assert "Do something with all of them" in text("/projects/acme/widget/files", olga)


def test_ask_the_database_as_often_for_many_files_as_for_few(place: Project, olga: Client) -> None:
    def queries() -> int:
        address = ask(olga)
        with CaptureQueriesContext(connection) as captured:
            text(address, olga)
        return len(captured)

    few = queries()
    for number in range(20):
        put(place, Kind(path=f"dist/more-{number}"), first=FIRST)

    assert queries() == few
