"""A statement of our own gives and takes rows …"""

from typing import Final
from uuid import uuid4

import pytest
from django.db import IntegrityError
from django.db.models import Model
from django.utils import timezone

from artifacts.models import Artifact, Build, Contribution, Project
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from kernel.audit.models import AuditRecord
from kernel.rows import Joined, insert, insert_numbered
from tests.factories.actors import administrator, job
from tests.factories.builds import send, start
from tests.factories.facts import witnessed
from tests.fakes.blob_store import MemoryBlobStore

pytestmark = pytest.mark.django_db(transaction=True)

ROWS: Final = Joined(
    """
    SELECT {contribution}, {build}, {artifact}, 7 FROM build
    JOIN contribution ON contribution.build_id = build.id
    LEFT JOIN artifact ON artifact.build_id = build.id AND artifact.path = %(path)s
    WHERE build.id = %(build)s
    """,
    contribution=Contribution,
    build=Build,
    artifact=Artifact,
)


@pytest.fixture
def build() -> Build:
    """One with the file `a`."""
    create_organization(actor=administrator(), slug="acme", now=timezone.now())
    project: Project = create_project(
        actor=administrator(),
        organization="acme",
        slug="widget",
        is_public=False,
        now=timezone.now(),
    )
    actor = job(project, witnessed())
    opened = start(actor).build
    send(actor, opened, MemoryBlobStore(), "a")
    return opened


def columns(row: Model) -> dict[str, object]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_as_django_reads_them(build: Build) -> None:
    row = ROWS.first(build=build.pk, path="a")

    assert row is not None
    for model in (Contribution, Build, Artifact):
        found, expected = row.the(model), model.objects.get()
        assert columns(found) == columns(expected)
    assert row.the(Contribution).witnessed == witnessed().to_json()
    assert row.more == (7,)


def test_and_all_of_them(build: Build) -> None:
    rows = ROWS.all(build=build.pk, path="a")

    assert [row.the(Artifact) for row in rows] == [Artifact.objects.get()]
    assert [row.more for row in rows] == [(7,)]
    assert ROWS.all(build=build.project_id, path="a") == []


def test_and_says_where_nothing_was_joined(build: Build) -> None:
    row = ROWS.first(build=build.pk, path="b")

    assert row is not None
    assert row.maybe(Artifact) is None
    with pytest.raises(LookupError):
        row.the(Artifact)
    assert row.the(Build) == build


def test_or_none(build: Build) -> None:
    assert ROWS.first(build=build.project_id, path="a") is None


def test_is_written_as_django_writes_it(build: Build) -> None:
    given = {
        "at": timezone.now(),
        "actor": "somebody",
        "action": "only.here",
        "target": "acme/widget",
        "organization_id": build.project.organization_id,
        "facts": {"build": "…", "files": [1, None]},
    }
    AuditRecord.objects.create(**given)

    insert(AuditRecord(**given))

    by_django, by_us = AuditRecord.objects.filter(action="only.here").order_by("id").values()
    assert by_us["id"] > by_django["id"]
    assert by_us["transaction_id"] > by_django["transaction_id"]
    made = ("id", "transaction_id")
    assert [value for name, value in by_us.items() if name not in made] == [
        value for name, value in by_django.items() if name not in made
    ]


def test_knows_the_number_that_the_database_gave_it(build: Build) -> None:
    there = Contribution.objects.get(build=build)
    new = Contribution(**{**columns(there), "id": None, "job": "another"})

    insert_numbered(new)

    assert new.pk > there.pk
    assert columns(new) == columns(Contribution.objects.get(job="another"))


def test_and_is_refused_like_djangos(build: Build) -> None:
    there = Artifact.objects.get(build=build)
    again = Artifact(**{**columns(there), "id": uuid4()})

    with pytest.raises(IntegrityError):
        insert(again)
