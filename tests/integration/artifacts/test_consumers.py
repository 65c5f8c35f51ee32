"""What a consumer asks beforehand: which artifacts there are, and what to expect of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from access.usecases.create_token import create_token
from artifacts.models import Artifact, Blob, Build, Contribution, Project
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from kernel.actor import Permission
from provenance.domain.expectations import read_expectations
from provenance.domain.policy import Source
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.set_policy import set_policy
from tests.factories.actors import administrator
from tests.factories.builds import NOW
from tests.factories.facts import ISSUER

pytestmark = pytest.mark.django_db

SHA256 = "ab" * 32
PLACE = "/api/v1/projects/acme/widget"


@pytest.fixture
def widget() -> Project:
    create_organization(actor=administrator(), slug="acme", now=NOW)
    return create_project(
        actor=administrator(), organization="acme", slug="widget", is_public=False, now=NOW
    )


@pytest.fixture
def reader(widget: Project) -> Client:
    made = create_token(
        name="a reader",
        project=widget,
        permissions=[Permission.READ],
        life=timedelta(hours=1),
        actor=administrator(),
        now=timezone.now(),
    )
    return Client(headers={"Authorization": f"Bearer {made.secret}"})


def stored(project: Project, *, state: str = "published", number: int = 0) -> Artifact:
    """One artifact of a build in this state, as the uploads leave it."""
    blob, _new = Blob.objects.get_or_create(
        sha256=SHA256, defaults={"size_bytes": 1, "key": "absent", "stored_at": NOW}
    )
    moment = NOW.replace(minute=number)
    build = Build.objects.create(
        project=project,
        origin=f"job {number}",
        opened_by="somebody",
        state=state,
        opened_at=moment,
        published_at=moment if state == "published" else None,
    )
    made = Contribution.objects.create(build=build, job=f"job {number}", joined_at=moment)
    return Artifact.objects.create(
        project=project,
        build=build,
        contribution=made,
        path="dist/tool",
        blob=blob,
        stored_at=moment,
    )


def found(reader: Client, asked: str) -> Any:
    answer = reader.get(f"{PLACE}/artifacts?{asked}")
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.parametrize("asked", [f"sha256={SHA256}", "path=dist/tool"])
def test_finds_published_artifacts_newest_first(
    reader: Client, widget: Project, asked: str
) -> None:
    older, newer = stored(widget, number=1), stored(widget, number=2)
    for state in ("open", "sealed", "refused"):
        stored(widget, state=state, number=3)

    document = found(reader, asked)

    assert [one["id"] for one in document["artifacts"]] == [str(newer.pk), str(older.pk)]
    assert document["is_complete"] is True
    assert document["artifacts"][0]["build"] == {"id": str(newer.build_id), "state": "published"}


def test_finds_nothing_of_another_project(reader: Client, widget: Project) -> None:
    other = create_project(
        actor=administrator(), organization="acme", slug="other", is_public=True, now=NOW
    )
    stored(other)

    assert found(reader, f"sha256={SHA256}")["artifacts"] == []
    assert found(reader, "path=dist/tool")["artifacts"] == []
    stored(widget, number=1)
    assert len(found(reader, "path=dist/tool")["artifacts"]) == 1


def test_says_when_there_are_more_than_it_shows(reader: Client, widget: Project) -> None:
    for number in range(51):
        stored(widget, number=number)

    document = found(reader, f"sha256={SHA256}")

    assert (len(document["artifacts"]), document["is_complete"]) == (50, False)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("", "malformed-request"),
        (f"sha256={SHA256}&path=dist/tool", "malformed-request"),
        ("name=dist/tool", "malformed-request"),
        (f"sha256={SHA256.upper()}", "malformed-digest"),
        ("sha256=", "malformed-digest"),
    ],
)
def test_says_what_it_wants_to_be_asked(reader: Client, asked: str, code: str) -> None:
    answer = reader.get(f"{PLACE}/artifacts?{asked}")

    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("path", ["%00", "../x", "a//b", "", "x" * 3000])
def test_finds_nothing_at_a_path_that_is_none(reader: Client, path: str) -> None:
    assert found(reader, f"path={path}")["artifacts"] == []


def test_tells_what_to_expect_of_the_project(
    reader: Client, widget: Project, attestor: Attestor
) -> None:
    assert attestor.base_url == settings.PUBLIC_URL
    source = Source(ISSUER, "4242", "77")

    with transaction.atomic():
        set_policy(scope=widget.scope, sources=[source], actor=administrator(), now=timezone.now())

    answer = reader.get(f"{PLACE}/expectations")

    expected = read_expectations(answer.content)
    assert (expected.base_url, expected.project) == (settings.PUBLIC_URL, widget.pk)
    assert (expected.policy.sources, expected.policy.accepts_release) == ((source,), False)
    assert expected.trust_map.levels[f"{settings.PUBLIC_URL}/builders/github/hosted-confirmed/v1"]
