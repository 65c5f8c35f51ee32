"""A build of many files, when it is started, …"""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import UnsafeName
from artifacts.errors import (
    CiIdentityMissing,
    ProjectNotFound,
)
from artifacts.models import Contribution, Project
from artifacts.usecases.start_build import Started
from kernel.actor import ANONYMOUS, Actor, PermissionMissing
from kernel.audit.models import AuditRecord
from tests.factories.actors import job, reader, uploader
from tests.factories.builds import LATER, seal, send, start, statements
from tests.factories.facts import witnessed
from tests.fakes.blob_store import MemoryBlobStore


def test_is_the_same_one_for_the_job_that_asks_again(project: Project, first: Actor) -> None:
    opened = start(first)
    renewed = start(job(project, witnessed(token_id_sha256="1" * 64)))

    assert (opened.is_new, renewed.is_new) == (True, False)
    assert opened.build == renewed.build
    assert opened.build.origin == witnessed().job_key
    assert start(first, "other").is_new
    assert [one.action for one in AuditRecord.objects.filter(action="build.open")] == [
        "build.open"
    ] * 2


def test_stays_the_jobs_when_it_has_been_sealed(first: Actor, store: MemoryBlobStore) -> None:
    """A job that is killed after the seal and runs again finds that all is done."""
    opened = start(first)
    send(first, opened.build, store, "a")
    seal(first, opened.build, "a")

    again = start(first)

    assert not again.is_new
    assert again.build == opened.build
    assert again.build.state == BuildState.SEALED
    assert not send(first, again.build, store, "a").is_new
    assert seal(first, again.build, "a").sealed_at == LATER


def test_is_another_one_for_another_job_attempt_or_project(
    project: Project, first: Actor, second: Actor
) -> None:
    actors = [first, second, job(project, witnessed(run_attempt="2"))]

    assert len({start(actor).build.pk for actor in actors}) == 3
    assert len({start(actor, "same-name").build.pk for actor in actors}) == 3


def test_is_a_release_of_its_own_without_ci_identity(project: Project) -> None:
    actor = uploader(project)

    builds = {start(actor).build.pk for _ in range(2)}

    assert len(builds) == 2
    for wanted in ({"name": "x"}, {"name": "x", "shared": True}):
        with pytest.raises(CiIdentityMissing):
            start(actor, **wanted)


def test_is_shared_only_where_all_ask_for_it(first: Actor, second: Actor) -> None:
    shared = start(first, "matrix", shared=True)

    assert start(second, "matrix", shared=True).build == shared.build
    assert start(second, "matrix").is_new
    assert start(second, "other", shared=True).is_new


def test_is_shared_by_no_other_run_repository_or_issuer(project: Project, first: Actor) -> None:
    shared = start(first, "matrix", shared=True)

    for stranger in (
        witnessed(run_id="1"),
        witnessed(repository_id="1"),
        witnessed(issuer="https://ci.example"),
    ):
        assert start(job(project, stranger), "matrix", shared=True).build != shared.build


def test_is_found_by_shards_that_run_again_until_it_is_sealed(
    project: Project, first: Actor, store: MemoryBlobStore
) -> None:
    shared = start(first, "matrix", shared=True).build
    send(first, shared, store, "a")
    again = job(project, witnessed(run_attempt="2", job_id="31339"))

    assert start(again, "matrix", shared=True).build == shared
    send(again, shared, store, "b")
    seal(again, shared, "a", "b")

    assert start(again, "matrix", shared=True).build == shared
    third = job(project, witnessed(run_attempt="3", job_id="31340"))
    started = start(third, "matrix", shared=True)
    assert started.is_new
    assert not start(third, "matrix", shared=True).is_new
    assert statements() == [["a"], ["b"]]


def test_is_opened_once_by_jobs_that_come_at_once(project: Project) -> None:
    gate = threading.Barrier(8)

    def come(number: int) -> Started:
        actor = job(project, witnessed(job_id=str(number + 1)))
        gate.wait()
        try:
            return start(actor, "matrix", shared=True)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(come, range(8)))

    assert len({one.build.pk for one in started}) == 1
    assert [one.is_new for one in started].count(True) == 1
    assert Contribution.objects.count() == 8


def test_is_opened_by_those_who_may_upload(project: Project) -> None:
    for actor, refusal in (
        (ANONYMOUS, ProjectNotFound),
        (Actor("stranger"), ProjectNotFound),
        (reader(project), PermissionMissing),
    ):
        with pytest.raises(refusal):
            start(actor)
    with pytest.raises(UnsafeName):
        start(job(project, witnessed()), "Not A Name")
