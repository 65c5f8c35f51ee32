"""A statement of our own gives rows …"""

from typing import Final

import pytest
from django.db.models import Model
from django.utils import timezone

from artifacts.models import Artifact, Build, Contribution, Project
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from kernel.joined import Joined
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


def test_and_says_where_nothing_was_joined(build: Build) -> None:
    row = ROWS.first(build=build.pk, path="b")

    assert row is not None
    assert row.maybe(Artifact) is None
    with pytest.raises(LookupError):
        row.the(Artifact)
    assert row.the(Build) == build


def test_or_none(build: Build) -> None:
    assert ROWS.first(build=build.project_id, path="a") is None
