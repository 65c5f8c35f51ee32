"""The life of an artifact, as those find it who decide about it …"""

from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from access.domain.roles import Role
from access.queries import organization_place
from artifacts.domain.bulk import Act
from artifacts.models import Artifact, Hold, Project
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.ask_bulk_action import ask_bulk_action
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.run_bulk_actions import run_bulk_actions
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_bulk_action import Confirmation, start_bulk_action
from artifacts.usecases.start_retention_run import start_retention_run
from provenance.usecases.attest_builds import Attestor
from tests.factories.actors import administrator, owner
from tests.factories.burying import bury
from tests.factories.people import account, logged_in, owner_at_a_browser
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.integration.console.test_pages import text, words

pytestmark = pytest.mark.django_db
WEEK: Final = timedelta(days=7)


@pytest.fixture
def place(db: None, attestor: Attestor) -> Project:  # noqa: ARG001 - something is trusted
    return make_project()


@pytest.fixture
def file(place: Project) -> Artifact:
    first = timezone.now() - timedelta(days=100)
    return put(place, Kind(path="dist/a", predicate="https://slsa.dev/provenance/v1"), first=first)


@pytest.fixture
def olga(place: Project) -> Client:
    return owner_at_a_browser(organization_place(place.organization))


def life(file: Artifact) -> str:
    return f"/artifacts/{file.pk}/history"


def do(client: Client, file: Artifact, what: str, **more: str) -> int:
    return client.post(life(file), {"do": what, "reason": "because"} | more).status_code


def hold(place: Project, file: Artifact, *, since: timedelta, until: timedelta) -> None:
    """A hold of so long ago, over so long ago."""
    now = timezone.now()
    Hold.objects.create(
        project=place,
        artifact_id=file.pk,
        reason="a lawsuit",
        placed_at=now - since,
        placed_by="user:olga",
        ends_at=now - until,
    )


def swept(project: Project) -> None:
    """A rule ends everything, and a run takes it."""
    now, holder = timezone.now(), Holder.of_project(project)
    change = RetentionChange({"expire": [{"name": "old", "after_days": 1}]}, "no room")
    set_retention(holder=holder, change=change, actor=administrator(), now=now)
    plan = plan_retention(holder=holder, actor=administrator(), now=now)
    start_retention_run(plan=plan, actor=administrator(), now=now)
    apply_retention(clock=timezone.now, trash=WEEK)


def test_is_told_from_upload_to_tombstone(
    place: Project, file: Artifact, olga: Client, attestor: Attestor
) -> None:
    covered = {"covers": "artifact", "what": str(file.pk), "reason": "a lawsuit"}
    olga.post(f"/administration/projects/{place}/holds/place", covered)
    held = text(life(file), olga)
    swept(place)
    assert "there" in text(life(file), olga)
    address = olga.get("/administration/projects/acme/widget/holds").content.decode()
    hold_page = address.partition('<a href="/administration/holds/')[2].partition('"')[0]
    otto = owner_at_a_browser(organization_place(place.organization), "otto")
    for client in (olga, otto):
        client.post(f"/administration/holds/{hold_page}", {"reason": "settled", "name": str(place)})
    swept_after_lifting = {"expire": [{"name": "older", "after_days": 1}]}
    set_retention(
        holder=Holder.of_project(place),
        change=RetentionChange(swept_after_lifting),
        actor=administrator(),
        now=timezone.now(),
    )
    holder = Holder.of_project(place)
    plan = plan_retention(holder=holder, actor=administrator(), now=timezone.now())
    start_retention_run(plan=plan, actor=administrator(), now=timezone.now())
    apply_retention(clock=timezone.now, trash=WEEK)
    in_trash = text(life(file), olga)
    bury(attestor, timezone.now() + WEEK * 2)
    gone = text(life(file), olga)

    assert "Put on hold: this file “a lawsuit”" in held
    assert "in the trash" in in_trash
    assert "This is its tombstone" in gone
    assert "by user:olga and user:otto" in gone
    order = [
        "Uploaded: 100 bytes",
        "Put on hold",
        "“a lawsuit”",
        "Rules of acme/widget changed, version 1",
    ]
    order += ["“no room”", "asked to have the hold", "The hold was lifted"]
    order += ["Expired by rule older of acme/widget, version 2"]
    order += ["A plan said that it goes: 1 file in all, 100 bytes"]
    order += ["Moved to the trash by rule older of acme/widget", "Gone for good; its 100 bytes"]
    order += ["Evidence kept", "https://slsa.dev/provenance/v1", "/predicates/removal/v1"]
    order += ["the removal", "A hold keeps what was signed about it"]
    assert [gone.index(word) for word in order] == sorted(gone.index(word) for word in order)


def test_tells_of_expiry_before_anything_takes_it(
    place: Project, file: Artifact, olga: Client
) -> None:
    now, holder = timezone.now(), Holder.of_project(place)
    rules = {"expire": [{"name": "old", "after_days": 120}, {"name": "later", "after_days": 300}]}
    set_retention(
        holder=holder, change=RetentionChange(rules), actor=administrator(), now=now - WEEK
    )
    live = text(life(file), olga)
    Artifact.objects.update(stored_at=now - timedelta(days=121))
    hold(place, file, since=timedelta(days=2), until=timedelta(hours=1))
    expired = text(life(file), olga)

    assert " there " in live
    assert "Expired by" not in live
    assert "expired Nobody gets it any more. It goes when a plan is applied" in expired
    # Its rule names yesterday, in the time of the hold.
    order = ["Put on hold: this file, until", "Expired by rule old of acme/widget, version 1"]
    assert [expired.index(one) for one in order] == sorted(expired.index(one) for one in order)
    moment = expired.partition("nobody gets it from then on ")[2][:16]
    assert moment == f"{now - timedelta(hours=1):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("page", "named"),
    [
        ("/artifacts/{0.pk}", "covers=artifact&amp;what={0.pk}"),
        ("/artifacts/{0.pk}/history", "covers=artifact&amp;what={0.pk}"),
        ("/builds/{0.build_id}", "covers=build&amp;what={0.build_id}"),
        ("/projects/acme/widget", 'covers=project"'),
    ],
)
def test_is_put_on_hold_from_wherever_it_is_seen(
    place: Project, file: Artifact, olga: Client, page: str, named: str
) -> None:
    mary = logged_in(account("mary", organization_place(place.organization), Role.MAINTAINER))
    link = f"/administration/projects/{place}/holds/place?{named.format(file)}"

    assert link in olga.get(page.format(file)).content.decode()
    assert link not in mary.get(page.format(file)).content.decode()


def test_is_yanked_and_shown_again(file: Artifact, olga: Client) -> None:
    do(olga, file, "yank")
    assert "Yanked “because”" in text(life(file), olga)
    assert "Yanked: its project has taken it back. because" in text(f"/artifacts/{file.pk}", olga)

    do(olga, file, "unyank")
    assert "Yank it" in text(life(file), olga)


def test_goes_into_quarantine_and_out_of_it(file: Artifact, olga: Client) -> None:
    do(olga, file, "quarantine")
    assert "In quarantine: nobody gets its bytes" in text(f"/artifacts/{file.pk}", olga)

    do(olga, file, "release")
    assert "Put it into quarantine" in text(life(file), olga)


def test_is_removed_by_its_path_and_restored(place: Project, file: Artifact, olga: Client) -> None:
    trash = f"/administration/projects/{place}/trash"

    assert do(olga, file, "remove", name="dist/b") == 422
    assert Artifact.objects.exists()
    assert do(olga, file, "remove", name="dist/a") == 302
    assert "dist/a" in text(trash, olga)
    assert olga.get(f"/artifacts/{file.pk}")["Location"] == life(file)
    assert "Removed for because" in text(life(file), olga)

    assert do(olga, file, "restore") == 302
    assert Artifact.objects.get().pk == file.pk
    assert "The trash is empty" in text(trash, olga)
    assert "Restored from the trash “because”" in text(life(file), olga)


def test_says_at_its_head_what_it_is_now(file: Artifact, olga: Client) -> None:
    def head() -> str:
        page = olga.get(life(file)).content.decode()
        return page.partition('<span class="mark ')[2].partition("</span>")[0]

    said = [head()]
    for act in ("yank", "quarantine", "unyank", "release"):
        do(olga, file, act)
        said.append(head())

    assert said == [
        'passed">there',
        'waiting">yanked',
        'failed">in quarantine',
        'failed">in quarantine',
        'passed">there',
    ]


def test_asks_for_a_reason(file: Artifact, olga: Client) -> None:
    response = olga.post(life(file), {"do": "yank", "reason": ""})

    assert response.status_code == 422
    assert "Nothing was done" in words(response)


def test_refuses_what_cannot_be_done_with_it(file: Artifact, olga: Client) -> None:
    assert do(olga, file, "restore") == 400


def test_is_for_those_alone_who_decide_about_it(place: Project, file: Artifact) -> None:
    mary = logged_in(account("mary", organization_place(place.organization), Role.MAINTAINER))

    text(life(file), mary, status=403)
    assert "what can be done" not in text(f"/artifacts/{file.pk}", mary)
    assert Client().get(life(file)).status_code == 302


def test_tells_what_was_done_to_many_at_once(place: Project, file: Artifact, olga: Client) -> None:
    other = put(place, Kind(path="other"), first=timezone.now() - timedelta(days=3))
    ids = {act: _done_to_many(place, act, f"{act} them") for act in Act}
    by_hand = do(olga, file, "yank", reason="broken")

    page = olga.get(life(file)).content.decode()
    told = text(life(file), olga)

    assert by_hand == 302
    sentences = {
        Act.YANK: "Yanked",
        Act.UNYANK: "Shown again",
        Act.QUARANTINE: "Put into quarantine",
        Act.RELEASE: "Released from quarantine",
        Act.REMOVE: "Moved to the trash",
        Act.RESTORE: "Restored from the trash",
    }
    for act, sentence in sentences.items():
        assert told.count(f"{sentence}, with many at once “{act} them”") == 1
        assert page.count(f'<a href="/administration/bulk/{ids[act]}">{sentence}, with') == 1
    assert "Yanked “broken”" in told
    assert "many at once" not in text(life(other), olga)
    found = f"/api/v1/projects/{place}/bulk-actions?artifact="
    listed = olga.get(f"{found}{file.pk}").json()["bulk_actions"]
    assert {one["id"] for one in listed} == {str(one) for one in ids.values()}
    assert olga.get(f"{found}{other.pk}").json()["bulk_actions"] == []
    assert olga.get(f"{found}mine").status_code == 400


def test_tells_once_what_still_stands_of_it(place: Project, file: Artifact, olga: Client) -> None:
    _done_to_many(place, Act.YANK, "a secret")
    _done_to_many(place, Act.REMOVE, "a secret")

    in_trash = text(life(file), olga)

    assert in_trash.count("Yanked") == in_trash.count("Moved to the trash") == 1
    assert in_trash.count("“a secret”") == 2


def _done_to_many(project: Project, act: Act, reason: str) -> UUID:
    """Every file like `dist/*` of the project."""
    actor, now = owner(project), timezone.now()
    action = ask_bulk_action(
        project=project, act=act, selection={"paths": ["dist/*"]}, actor=actor, now=now
    )
    confirmed = Confirmation(str(project), action.artifacts, reason)
    start_bulk_action(action=action, confirmed=confirmed, actor=actor, now=now)
    run_bulk_actions(clock=timezone.now)
    return action.pk
