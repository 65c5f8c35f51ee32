"""A build of many files, while it is open, …"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artifacts.domain.file_counts import FileCounts
from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import UnsafePath
from artifacts.errors import (
    BuildNotFound,
    BuildNotYours,
    DigestMismatch,
    PathTaken,
)
from artifacts.models import Artifact, Build, Contribution, Project
from artifacts.queries import visible_artifact, visible_build
from artifacts.usecases.collect_litter import PATIENCE, collect_litter
from kernel.actor import ANONYMOUS, Actor, Permission, PermissionMissing, Unauthenticated
from kernel.errors import Refusal
from provenance.models import AttestationRequest
from tests.factories.actors import job, reader, uploader
from tests.factories.builds import NOW, digest_of, seal, send, start
from tests.factories.facts import witnessed
from tests.fakes.blob_store import MemoryBlobStore


def test_shows_its_files_to_nobody_before_it_is_sealed(
    project: Project, first: Actor, store: MemoryBlobStore
) -> None:
    build = start(first).build
    artifact = send(first, build, store, "dist/a").artifact

    for actor in (reader(project), first):
        with pytest.raises(Refusal, match="artifact-not-found"):
            visible_artifact(actor=actor, artifact=artifact.pk)
    with pytest.raises(BuildNotFound):
        visible_build(actor=reader(project), build=build.pk)
    assert visible_build(actor=first, build=build.pk) == build
    assert AttestationRequest.objects.count() == 0


def test_takes_the_same_bytes_again_and_no_others(first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build
    new = send(first, build, store, "a", b"1", declared=digest_of(b"1"))
    again = send(first, build, store, "a", b"1")

    assert (new.is_new, again.is_new) == (True, False)
    assert new.artifact == again.artifact
    for declared in (None, digest_of(b"2")):
        with pytest.raises(PathTaken) as refused:
            send(first, build, store, "a", b"2", declared=declared)
        assert refused.value.facts["existing_sha256"] == digest_of(b"1").hex
        assert refused.value.facts["sent_sha256"] == digest_of(b"2").hex
    with pytest.raises(DigestMismatch):
        send(first, build, store, "a", b"2", declared=digest_of(b"1"))
    with pytest.raises(UnsafePath):
        send(first, build, store, "../a")


def test_lets_two_builds_of_one_job_use_one_path(first: Actor, store: MemoryBlobStore) -> None:
    for name in ("", "one", "two"):
        assert send(first, start(first, name).build, store, "a", name.encode() or b"x").is_new


def test_keeps_the_facts_of_the_job_that_brought_a_file_first(
    first: Actor, second: Actor, store: MemoryBlobStore
) -> None:
    build = start(first, "matrix", shared=True).build
    brought = send(first, build, store, "a").artifact
    again = send(second, build, store, "a")

    assert not again.is_new
    assert again.artifact.contribution == brought.contribution
    assert brought.contribution.witnessed == witnessed().to_json()


def test_asks_the_database_eight_times_for_a_file(first: Actor, store: MemoryBlobStore) -> None:
    build, counts = start(first).build, FileCounts()
    send(first, build, store, "a", counts=counts)

    with CaptureQueriesContext(connection) as asked:
        send(first, build, store, "b", counts=counts)

    # Before the bytes: build, path, rights. Then BEGIN, the same held, contribution, blob,
    # artifact, audit record, COMMIT.
    assert len(asked) == 8, [query["sql"] for query in asked]


def test_holds_no_connection_while_bytes_arrive(first: Actor, store: MemoryBlobStore) -> None:
    held = []

    def slow() -> Iterator[bytes]:
        held.append(connection.connection is not None)
        yield b"data"

    send(first, start(first).build, store, "a", slow())

    assert held == [False]


def outsiders(project: Project) -> list[tuple[Actor, type[Refusal]]]:
    return [
        (ANONYMOUS, BuildNotFound),
        (Actor("stranger"), BuildNotFound),
        (reader(project), PermissionMissing),
        (uploader(project), BuildNotYours),
        (job(project, witnessed(job_id="2")), BuildNotYours),
        (job(project, witnessed(run_id="2")), BuildNotYours),
    ]


def test_is_only_its_own_jobs(project: Project, first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build
    send(first, build, store, "a")

    for actor, refusal in outsiders(project):
        with pytest.raises(refusal):
            send(actor, build, store, "b")
        with pytest.raises(refusal):
            seal(actor, build, "a")
    Project.objects.filter(pk=project.pk).update(is_public=True)
    with pytest.raises(Unauthenticated):
        seal(ANONYMOUS, build, "a")

    assert list(store.blobs.values()) == [b"a"]
    assert seal(first, build, "a").state == BuildState.SEALED


def test_is_only_the_token_s_that_opened_a_release(
    project: Project, store: MemoryBlobStore
) -> None:
    owner = uploader(project)
    other = Actor("token:2", owner.grants)
    build = start(owner).build

    with pytest.raises(BuildNotYours):
        send(other, build, store, "a")
    with pytest.raises(BuildNotYours):
        send(job(project, witnessed()), build, store, "a")
    send(owner, build, store, "a")
    seal(owner, build, "a")

    [request] = AttestationRequest.objects.all()
    assert request.facts is None


class NoLitter:
    """A place where nothing was left."""

    def sweep(self, *, before: datetime, busy: object = ()) -> int:  # noqa: ARG002 - the port has them
        assert before.tzinfo is not None
        return 0


def test_is_forgotten_with_its_files_when_it_stays_open(
    first: Actor, store: MemoryBlobStore
) -> None:
    build = start(first).build
    send(first, build, store, "a")

    collect_litter(staging=NoLitter(), now=NOW + PATIENCE + timedelta(seconds=1))

    assert [Build.objects.count(), Artifact.objects.count(), Contribution.objects.count()] == [
        0
    ] * 3
    for late in (lambda: send(first, build, store, "b"), lambda: seal(first, build, "a")):
        with pytest.raises(BuildNotFound):
            late()
    assert start(first).is_new


def test_is_said_to_be_gone_when_it_is_forgotten_meanwhile(
    first: Actor, store: MemoryBlobStore
) -> None:
    build = start(first).build

    def slow() -> Iterator[bytes]:
        yield b"data"
        collect_litter(staging=NoLitter(), now=NOW + PATIENCE + timedelta(seconds=1))

    with pytest.raises(BuildNotFound):
        send(first, build, store, "a", slow())


def test_has_its_rights_from_the_token_alone(first: Actor) -> None:
    """A token of the right job without the right to upload is refused all the same."""
    build = start(first).build
    powerless = Actor(
        first.name,
        frozenset(grant for grant in first.grants if grant.permission is Permission.READ),
        first.workload,
    )

    with pytest.raises(PermissionMissing):
        seal(powerless, build)
