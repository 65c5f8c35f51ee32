"""The pages of retention rules …"""

import json
from datetime import timedelta
from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone

from access.queries import organization_place
from artifacts.models import Project, StoredRetentionPolicy
from artifacts.queries.retention import Holder
from artifacts.usecases.set_retention import RetentionChange, set_retention
from kernel.audit.models import AuditRecord
from tests.factories.actors import administrator
from tests.factories.people import owner_at_a_browser
from tests.factories.shelf import Kind, put
from tests.factories.shelves import make_project
from tests.integration.console.test_pages import text, words

pytestmark = pytest.mark.django_db
OF_STORE: Final = {"expire": [{"name": "two-years", "after_days": 730, "is_final": True}]}
OF_ACME: Final = {"expire": [{"name": "old", "after_days": 90}]}
RULES: Final = "/administration/organizations/acme/retention"


@pytest.fixture
def place(db: None) -> Project:  # noqa: ARG001 - the tables are there
    project = make_project()
    rule(Holder.instance(), OF_STORE)
    rule(Holder.of_organization(project.organization), OF_ACME, "the bucket is full")
    return project


@pytest.fixture
def olga(place: Project) -> Client:
    return owner_at_a_browser(organization_place(place.organization))


def rule(holder: Holder, document: object, reason: str = "") -> None:
    change = RetentionChange(document, reason)
    set_retention(holder=holder, change=change, actor=administrator(), now=timezone.now())


def sent(client: Client, **fields: str) -> tuple[int, Any]:
    response = client.post(f"{RULES}/edit", {"version": "1", **fields})
    return response.status_code, response


def test_show_the_rules_of_all_levels_together(place: Project, olga: Client) -> None:
    page = text(f"/administration/projects/{place}/retention", olga)

    order = ["From this store", "two-years", "From acme", "90 days after", "Its own"]
    assert [page.index(word) for word in order] == sorted(page.index(word) for word in order)
    assert "final: what lower levels keep does not count" in page
    assert "No rule. Nothing ends by acme/widget itself" in page


def test_tell_what_each_version_changed_and_why(place: Project, olga: Client) -> None:
    longer = {"expire": [{"name": "old", "after_days": 180}]}
    rule(Holder.of_organization(place.organization), longer, "auditors asked")

    page = text(RULES, olga)

    assert "“auditors asked”" in page
    assert "“the bucket is full”" in page
    changed = "changed old was ends everything 90 days after the storing is ends everything 180"
    assert changed in page
    assert "new old is ends everything 90 days after the storing" in page


def test_offer_the_rules_as_a_form_and_as_json(olga: Client) -> None:
    form = olga.get(f"{RULES}/edit").content.decode()
    as_json = text(f"{RULES}/edit?json", olga)

    assert 'name="rule-1-name" value="old"' in form
    assert 'name="rule-1-amount" value="90"' in form
    assert '"after_days": 90' in as_json


def test_show_a_trouble_at_its_field(olga: Client) -> None:
    rows = {"rule-1-name": "old", "rule-1-term": "after_days", "rule-1-amount": "soon"}

    status, response = sent(olga, do="preview", **rows)

    page = response.content.decode()
    assert status == 422
    assert 'id="rule-1-amount-trouble"' in page
    assert "a whole number from 1 to 36500" in words(response)
    assert 'value="soon"' in page


def test_show_the_line_of_a_trouble_in_json(olga: Client) -> None:
    status, response = sent(olga, do="preview", text=json.dumps({"keep": [{"nome": "a"}]}))

    assert status == 422
    assert "Line 4: this cannot be a rule ( /keep/0/nome )" in words(response)


def test_go_from_the_form_to_json_and_back(olga: Client) -> None:
    rows = {"rule-1-name": "old", "rule-1-term": "after_days", "rule-1-amount": "5"}

    _status, as_json = sent(olga, do="as-json", **rows)
    _status, as_form = sent(olga, do="as-form", text='{"keep": [{"name": "all"}]}')

    assert '"after_days": 5' in words(as_json)
    assert 'name="rule-1-name" value="all"' in as_form.content.decode()


def test_add_an_empty_rule_on_request(olga: Client) -> None:
    rows = {"rule-1-name": "old", "rule-1-term": "after_days", "rule-1-amount": "5"}

    _status, response = sent(olga, do="add", **rows)

    assert 'name="rule-2-name" value=""' in response.content.decode()


@pytest.mark.parametrize("fields", [{"version": "x"}, {"text": "\x00"}, {"version": "9" * 30}])
def test_refuse_what_no_form_sends(olga: Client, fields: dict[str, str]) -> None:
    status, _response = sent(olga, **fields)

    assert status == 400


def aged(project: Project, days: int, path: str) -> None:
    put(project, Kind(path=path, size_bytes=1024), first=timezone.now() - timedelta(days=days))


def previewed(client: Client, days: str) -> str:
    rows = {"rule-1-name": "old", "rule-1-term": "after_days", "rule-1-amount": days}
    _status, response = sent(client, do="preview", **rows)
    return str(response["Location"])


def test_show_what_a_rule_would_do_before_it_holds(place: Project, olga: Client) -> None:
    aged(place, 10, "dist/young")
    aged(place, 60, "dist/older")

    page = text(previewed(olga, "30"), olga)

    assert "changed old was ends everything 90 days after the storing is" in page
    assert "1 newly go at once: 1.0 KiB, of which 1.0 KiB are freed" in page
    assert "1 go sooner than now" in page
    assert "dist/older acme/widget old" in page
    assert "dist/young" not in page
    assert StoredRetentionPolicy.objects.filter(scope_id=place.organization_id).count() == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "acme", "reason": ""}, "A reason is missing"),
        ({"name": "acmee", "reason": "room"}, "“acmee” is not its name"),
        ({"name": "", "reason": "room"}, "Its name is missing"),
    ],
)
def test_save_nothing_that_ends_files_without_name_and_reason(
    place: Project, olga: Client, fields: dict[str, str], says: str
) -> None:
    aged(place, 60, "dist/older")
    address = previewed(olga, "30")

    response = olga.post(address, fields)

    assert response.status_code == 422
    assert says in words(response)
    assert StoredRetentionPolicy.objects.filter(scope_id=place.organization_id).count() == 1


def test_save_what_was_previewed(place: Project, olga: Client) -> None:
    aged(place, 60, "dist/older")
    address = previewed(olga, "30")

    response = olga.post(address, {"name": "acme", "reason": "room"})

    assert response["Location"] == RULES
    assert "“room”" in text(RULES, olga)
    [record] = AuditRecord.objects.filter(action="retention.set", facts__version=2)
    assert record.facts["preview"] == address.rpartition("/")[2]
    assert record.actor == "user:olga"


def test_ask_for_no_name_where_nothing_goes(place: Project, olga: Client) -> None:
    aged(place, 60, "dist/older")
    address = previewed(olga, "365")

    assert "Write acme to go on" not in text(address, olga)
    assert olga.post(address, {"reason": "longer"})["Location"] == RULES


def test_save_no_preview_that_others_have_overtaken(place: Project, olga: Client) -> None:
    address = previewed(olga, "30")
    rule(Holder.instance(), {})

    page = text(address, olga)
    response = olga.post(address, {"reason": "room"})

    assert "It is out of date" in page
    assert "of the rules of this store" in page
    assert response.status_code == 422
    assert StoredRetentionPolicy.objects.filter(scope_id=place.organization_id).count() == 1


def test_tell_who_edits_that_somebody_was_faster(place: Project, olga: Client) -> None:
    rule(Holder.of_organization(place.organization), {"keep": [{"name": "all"}]})
    rows = {"rule-1-name": "old", "rule-1-term": "after_days", "rule-1-amount": "30"}

    status, response = sent(olga, do="preview", **rows)

    assert status == 409
    assert "Somebody else has set version 2 meanwhile" in words(response)
    assert 'name="version" value="2"' in response.content.decode()


def test_go_back_from_a_preview_to_what_was_written(olga: Client) -> None:
    address = previewed(olga, "31")

    again = olga.get(f"{RULES}/edit", {"preview": address.rpartition("/")[2]})

    assert 'name="rule-1-amount" value="31"' in again.content.decode()
    assert olga.get(f"{RULES}/edit", {"preview": "nonsense"}).status_code == 404
