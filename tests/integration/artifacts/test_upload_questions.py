"""An upload of a file that is a build of its own asks the database little …"""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artifacts.models import Project
from artifacts.queries import Place
from artifacts.queries.retention import Holder
from artifacts.usecases.publish_file import Incoming, Published, publish_file
from artifacts.usecases.set_retention import RetentionChange, set_retention
from tests.factories.actors import administrator, uploader
from tests.factories.builds import NOW, send, start
from tests.fakes.blob_store import MemoryBlobStore


def publish(
    project: Project, chunks: Iterator[bytes], path: str = "a", days: int | None = None
) -> Published:
    return publish_file(
        actor=uploader(project),
        place=Place("acme", "widget", path),
        incoming=Incoming(chunks=chunks, declared=None, asked_life_days=days),
        store=MemoryBlobStore(),
        clock=lambda: NOW,
    )


def set_policy(holder: Holder) -> None:
    change = RetentionChange({"expire": [{"name": "nine", "after_days": 9}]})
    set_retention(holder=holder, change=change, actor=administrator(), now=NOW)


def test_nine_times_beside_the_transactions_begin_and_end(project: Project) -> None:
    publish(project, iter([b"first"]))

    with CaptureQueriesContext(connection) as asked:
        published = publish(project, iter([b"second"]), "b")

    assert len(asked) - len(("BEGIN", "COMMIT")) == 9
    assert not published.may_expire  # so that nobody asks for its answer either


def test_and_not_at_all_whether_a_file_of_an_open_build_expires(
    project: Project, store: MemoryBlobStore
) -> None:
    build = start(uploader(project)).build

    assert not send(uploader(project), build, store, "a").may_expire

    set_policy(Holder.of_project(project))
    assert send(uploader(project), build, store, "b").may_expire


@pytest.mark.parametrize("level", ["instance", "organization", "project"])
def test_and_knows_of_a_policy_that_came_while_its_bytes_did(project: Project, level: str) -> None:
    holders = {
        "instance": Holder.instance(),
        "organization": Holder.of_organization(project.organization),
        "project": Holder.of_project(project),
    }

    def chunks() -> Iterator[bytes]:
        set_policy(holders[level])
        yield b"data"

    assert publish(project, chunks()).may_expire


def test_and_knows_of_the_life_that_its_job_asked_for(project: Project) -> None:
    assert publish(project, iter([b"data"]), days=3).may_expire
