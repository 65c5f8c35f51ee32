"""The policy over HTTP: maintainers decide, every version is told, and nothing is lost."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from django.db import transaction
from django.test import Client

from access.domain.roles import Role
from access.queries import project_place
from artifacts.errors import PolicyChanged
from artifacts.models import Project
from artifacts.usecases.change_policy import PolicyChange, change_policy
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from kernel.actor import PermissionMissing
from kernel.audit.models import AuditRecord
from provenance.domain.policy import Enforcement, Source
from provenance.queries import current_policy
from provenance.usecases.set_policy import set_policy
from tests.factories.actors import administrator, uploader
from tests.factories.builds import at_once
from tests.factories.people import account, personal_token

pytestmark = pytest.mark.django_db

NOW: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SOURCE: Final = Source("https://issuer.example", "4242", "77")


@pytest.fixture
def project() -> Project:
    create_organization(actor=administrator(), slug="acme", now=NOW)
    return create_project(
        actor=administrator(), organization="acme", slug="widget", is_public=False, now=NOW
    )


def trust(project: Project, *sources: Source) -> None:
    with transaction.atomic():
        set_policy(scope=project.scope, sources=sources, actor=administrator(), now=NOW)


def change(project: Project, **wanted: Any) -> int:
    changed = change_policy(
        project=project, change=PolicyChange(**wanted), actor=administrator(), now=NOW
    )
    return changed.version


def test_counts_releases_with_publishers_only_where_somebody_opted_in(project: Project) -> None:
    change(project, accepts_release=True)  # before there was a publisher this says nothing
    trust(project, SOURCE)
    assert not current_policy(scope=project.scope).accepts_release

    change(project, accepts_release=True)
    trust(project, SOURCE, Source("https://issuer.example", "1", "2"))
    assert current_policy(scope=project.scope).accepts_release

    change(project, accepts_release=False)
    trust(project)
    trust(project, SOURCE)
    assert not current_policy(scope=project.scope).accepts_release


def test_writes_a_version_for_a_change_and_none_for_a_repeat(project: Project) -> None:
    trust(project, SOURCE)

    assert change(project, enforcement=Enforcement.OBSERVE) == 2
    assert change(project, enforcement=Enforcement.OBSERVE) == 2
    assert change(project, enforcement=Enforcement.ENFORCE, version=2) == 3

    policy = current_policy(scope=project.scope)
    assert policy.sources == (SOURCE,)
    told = AuditRecord.objects.filter(action="policy.set").order_by("id")
    assert [one.facts["after"]["enforcement"] for one in told] == ["enforce", "observe", "enforce"]
    assert told[2].facts["before"]["enforcement"] == "observe"


def test_refuses_a_change_that_was_decided_on_another_version(project: Project) -> None:
    change(project, enforcement=Enforcement.OBSERVE, version=0)

    with pytest.raises(PolicyChanged):
        change(project, accepts_release=False, version=0)


def test_refuses_those_who_do_not_administer_the_project(project: Project) -> None:
    with pytest.raises(PermissionMissing):
        change_policy(
            project=project,
            change=PolicyChange(enforcement=Enforcement.OBSERVE),
            actor=uploader(project),
            now=NOW,
        )


@pytest.mark.django_db(transaction=True)
def test_loses_no_change_to_another_at_the_same_time(project: Project) -> None:
    outcomes = at_once(
        lambda: change(project, enforcement=Enforcement.OBSERVE),
        lambda: change(project, accepts_release=False),
    )

    versions = sorted(one for one in outcomes if isinstance(one, int))
    refused = [one for one in outcomes if isinstance(one, PolicyChanged)]
    assert len(versions) + len(refused) == 2
    assert current_policy(scope=project.scope).version == versions[-1]


def test_answers_over_http(client: Client, project: Project) -> None:
    person = account("m", project_place(project), Role.MAINTAINER)
    headers = {"Authorization": f"Bearer {personal_token(person)}"}
    path = f"/api/v1/projects/{project}/policy"

    def put(body: object) -> tuple[int, Any]:
        answer = client.put(path, body, content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    assert client.get(path, headers=headers).json() == {
        "project": "acme/widget",
        "version": 0,
        "enforcement": "enforce",
        "sources": [],
        "accepts_release": True,
    }
    assert put({"enforcement": "observe"})[1]["version"] == 1
    wrong: Any
    for wrong in ({"enforcement": "off"}, {"enforcment": "observe"}, [], {"version": "x"}):
        assert put(wrong)[0] == 400
    assert put({"accepts_release": False, "version": 0})[0] == 409
    assert put({})[1]["version"] == 1
