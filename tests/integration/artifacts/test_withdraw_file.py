"""A file is withdrawn from an open build, and a build may have only so many, …"""

from functools import partial

import pytest

from artifacts.errors import (
    ArtifactNotFound,
    BuildFull,
    BuildNotFound,
    BuildNotYours,
    BuildSealed,
    PathTaken,
)
from artifacts.models import Artifact, Blob, Build, Project
from artifacts.usecases.create_project import create_project
from artifacts.usecases.withdraw_file import withdraw_file
from kernel.actor import Actor, Permission, PermissionMissing
from kernel.audit.models import AuditRecord
from tests.factories.actors import administrator, job, reader, uploader
from tests.factories.builds import NOW, at_once, digest_of, seal, send, start, statements
from tests.factories.facts import witnessed
from tests.fakes.blob_store import MemoryBlobStore

pytestmark = pytest.mark.django_db


def withdraw(actor: Actor, build: Build, path: str) -> None:
    withdraw_file(actor=actor, build=build.pk, path=path, now=NOW)


def test_lets_a_repeated_shard_bring_other_bytes(
    project: Project, first: Actor, store: MemoryBlobStore
) -> None:
    build = start(first, "matrix", shared=True).build
    send(first, build, store, "a", b"1")
    again = job(project, witnessed(run_attempt="2", job_id="77"))
    assert start(again, "matrix", shared=True).build == build
    with pytest.raises(PathTaken):
        send(again, build, store, "a", b"2")

    withdraw(again, build, "a")
    brought = send(again, build, store, "a", b"2")

    assert brought.is_new
    assert (
        brought.artifact.contribution.witnessed == witnessed(run_attempt="2", job_id="77").to_json()
    )
    seal(again, build, a=b"2")
    told = AuditRecord.objects.get(action="artifact.withdraw")
    assert told.target == "acme/widget/a"
    assert told.facts["sha256"] == digest_of(b"1").hex
    assert told.facts["brought_by"] == witnessed().job_key


def test_states_nothing_about_a_withdrawn_file(first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build
    for path in ("a", "b"):
        send(first, build, store, path)

    withdraw(first, build, "a")
    seal(first, build, "b")

    assert statements() == [["b"]]
    assert Blob.objects.count() == 2


def test_withdraws_nothing_once_the_build_is_sealed(first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build
    send(first, build, store, "a")
    sealed = seal(first, build, "a")

    with pytest.raises(BuildSealed) as refused:
        withdraw(first, build, "a")

    assert refused.value.facts["sealed_at"] == sealed.sealed_at
    assert Artifact.objects.count() == 1


@pytest.mark.parametrize("path", ["b", "", "../a", "a/", "\x00"])
def test_finds_only_what_is_there(first: Actor, store: MemoryBlobStore, path: str) -> None:
    build = start(first).build
    send(first, build, store, "a")

    with pytest.raises(ArtifactNotFound):
        withdraw(first, build, path)

    withdraw(first, build, "a")
    with pytest.raises(ArtifactNotFound):
        withdraw(first, build, "a")


def test_obeys_only_the_builds_own_jobs(
    project: Project, first: Actor, store: MemoryBlobStore
) -> None:
    build = start(first).build
    send(first, build, store, "a")
    other_project = create_project(
        actor=administrator(), organization="acme", slug="other", is_public=False, now=NOW
    )
    strangers = [
        (job(project, witnessed(run_id="1")), BuildNotYours),
        (uploader(project), BuildNotYours),
        (reader(project), PermissionMissing),
        (uploader(other_project), BuildNotFound),
    ]

    for stranger, refusal in strangers:
        with pytest.raises(refusal):
            withdraw(stranger, build, "a")

    assert Artifact.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_either_seals_the_file_or_withdraws_it(first: Actor, store: MemoryBlobStore) -> None:
    for number in range(10):
        build = start(first, f"race-{number}").build
        for path in ("a", "b"):
            send(first, build, store, path)

        sealed, withdrawn = at_once(
            partial(seal, first, build, "a", "b"), partial(withdraw, first, build, "a")
        )

        build.refresh_from_db()
        if build.state == "open":
            assert sealed.code == "build-differs"
            assert withdrawn is None
        else:
            assert withdrawn.code == "build-sealed"
        assert build.artifacts.count() == (1 if build.state == "open" else 2)


@pytest.mark.django_db(transaction=True)
def test_lets_one_of_two_bytes_have_the_freed_path(
    first: Actor, second: Actor, store: MemoryBlobStore
) -> None:
    build = start(first, "matrix", shared=True).build
    send(first, build, store, "a", b"old")

    answers = at_once(
        lambda: withdraw(first, build, "a"),
        lambda: send(second, build, store, "a", b"new"),
    )

    bytes_there = [one.blob.sha256 for one in build.artifacts.all()]
    was_taken = getattr(answers[1], "code", "") == "path-taken"
    assert bytes_there == ([] if was_taken else [digest_of(b"new").hex])


def test_takes_no_more_files_than_a_build_may_have(first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build
    for path in ("a", "b"):
        send(first, build, store, path, most_files=2)

    with pytest.raises(BuildFull) as refused:
        send(first, build, store, "c", most_files=2)

    assert refused.value.facts["limit_files"] == refused.value.facts["observed_files"] == 2
    assert refused.value.facts["setting"] == "STRONGROOM_MAX_BUILD_FILES"
    assert not send(first, build, store, "a", most_files=2).is_new
    withdraw(first, build, "a")
    assert send(first, build, store, "c", most_files=2).is_new
    seal(first, build, "b", "c")


def test_needs_the_permission_to_upload(first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build
    send(first, build, store, "a")
    may_read = frozenset(g for g in first.grants if g.permission is Permission.READ)

    with pytest.raises(PermissionMissing):
        withdraw(Actor(first.name, may_read, first.workload), build, "a")
