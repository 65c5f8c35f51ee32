"""Publishing one file …"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from django.db import IntegrityError, connection

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import UnsafePath
from artifacts.errors import (
    DigestMismatch,
    PathTaken,
    ProjectNotFound,
    StorageFull,
    UploadTruncated,
)
from artifacts.models import Artifact, Blob, BlobState, Build, Project
from artifacts.queries import Place
from artifacts.usecases.publish_file import Incoming, Published, publish_file
from kernel.actor import ANONYMOUS, Actor, PermissionMissing, Unauthenticated
from kernel.audit.models import AuditRecord
from kernel.digest import Sha256
from kernel.outbox.models import OutboxEvent
from provenance.domain.build_facts import MalformedFacts
from provenance.queries import request_statuses
from tests.factories.actors import job, reader, uploader
from tests.factories.builds import NOW
from tests.factories.facts import witnessed
from tests.fakes.blob_store import MemoryBlobStore

DATA = b"the widget"
OTHER = b"another widget"


def digest_of(data: bytes) -> Sha256:
    return Sha256(sha256(data).hexdigest())


@dataclass
class Clock:
    """A minute passes each time that somebody looks."""

    now: datetime = NOW
    looks: int = field(default=0)

    def __call__(self) -> datetime:
        self.looks += 1
        return self.now + timedelta(minutes=self.looks - 1)


def publish(
    actor: Actor,
    store: MemoryBlobStore,
    data: bytes = DATA,
    *,
    path: str = "dist/widget.tar.gz",
    declared: Sha256 | None = None,
) -> Published:
    return publish_file(
        actor=actor,
        place=Place("acme", "widget", path),
        incoming=Incoming(chunks=iter([data]), declared=declared),
        store=store,
        clock=Clock(),
    )


class Unread:
    """A body that must not be touched."""

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("the body was read")


def test_seals_a_build_of_its_own_and_asks_for_one_statement(
    project: Project, store: MemoryBlobStore
) -> None:
    published = publish(uploader(project), store, declared=digest_of(DATA))

    artifact = published.artifact
    assert published.is_new
    assert artifact.path == "dist/widget.tar.gz"
    assert artifact.blob.sha256 == digest_of(DATA).hex
    assert artifact.blob.size_bytes == len(DATA)
    assert store.blobs[artifact.blob.key] == DATA
    build = Build.objects.get()
    assert (build.state, build.origin) == (BuildState.SEALED, "release")
    assert artifact.contribution.witnessed is None
    assert (build.opened_at, build.sealed_at) == (NOW, NOW + timedelta(minutes=1))
    [request] = request_statuses(build=build.pk)
    assert request.state == "pending"
    assert [event.name for event in OutboxEvent.objects.all()] == ["attestation.requested"]
    audited = AuditRecord.objects.order_by("-id")[0]
    assert (audited.actor, audited.action) == ("uploader", "artifact.upload")
    assert audited.facts["sha256"] == digest_of(DATA).hex


def test_witnesses_the_job_that_uploads(project: Project, store: MemoryBlobStore) -> None:
    facts = witnessed()

    artifact = publish(job(project, facts), store).artifact

    assert artifact.build.origin == facts.job_key
    assert artifact.contribution.job == facts.job_key
    assert artifact.contribution.witnessed == facts.to_json()


def test_finds_the_artifact_again_for_a_retry(project: Project, store: MemoryBlobStore) -> None:
    first = publish(uploader(project), store)
    again = publish(uploader(project), store, declared=digest_of(DATA))

    assert not again.is_new
    assert again.artifact == first.artifact
    assert Build.objects.count() == Artifact.objects.count() == Blob.objects.count() == 1
    assert OutboxEvent.objects.count() == 1


def test_refuses_other_bytes_and_names_both(project: Project, store: MemoryBlobStore) -> None:
    first = publish(uploader(project), store)

    with pytest.raises(PathTaken) as refused:
        publish(uploader(project), store, OTHER)

    assert refused.value.facts == {
        "path": "dist/widget.tar.gz",
        "existing_sha256": digest_of(DATA).hex,
        "sent_sha256": digest_of(OTHER).hex,
        "artifact": first.artifact.pk,
    }
    assert Artifact.objects.count() == 1


def test_refuses_a_declared_other_digest_before_reading(
    project: Project, store: MemoryBlobStore
) -> None:
    publish(uploader(project), store)

    with pytest.raises(PathTaken):
        publish_file(
            actor=uploader(project),
            place=Place("acme", "widget", "dist/widget.tar.gz"),
            incoming=Incoming(chunks=Unread(), declared=digest_of(OTHER)),
            store=store,
            clock=Clock(),
        )


def test_believes_no_declared_digest_even_of_what_is_there(
    project: Project, store: MemoryBlobStore
) -> None:
    publish(uploader(project), store)

    with pytest.raises(DigestMismatch):
        publish(uploader(project), store, OTHER, declared=digest_of(DATA))


def test_gives_each_origin_its_own_paths_and_shares_the_bytes(
    project: Project, store: MemoryBlobStore
) -> None:
    actors = [
        uploader(project),
        job(project, witnessed()),
        job(project, witnessed(run_attempt="2")),
    ]

    published = [publish(actor, store) for actor in actors]

    assert all(one.is_new for one in published)
    assert len({one.artifact.build_id for one in published}) == 3
    assert len({one.artifact.blob_id for one in published}) == 1
    assert publish(job(project, witnessed(run_attempt="3")), store, OTHER).is_new


@pytest.mark.parametrize(
    ("actor_of", "refusal"),
    [
        (lambda _project: ANONYMOUS, ProjectNotFound),
        (lambda _project: Actor("stranger"), ProjectNotFound),
        (reader, PermissionMissing),
    ],
)
def test_is_for_those_who_may_upload(
    project: Project,
    store: MemoryBlobStore,
    actor_of: Callable[[Project], Actor],
    refusal: type[Exception],
) -> None:
    with pytest.raises(refusal):
        publish(actor_of(project), store)

    assert store.blobs == {}


def test_asks_a_stranger_for_a_token_where_the_project_is_public(
    project: Project, store: MemoryBlobStore
) -> None:
    Project.objects.filter(pk=project.pk).update(is_public=True)

    with pytest.raises(Unauthenticated):
        publish(ANONYMOUS, store)


def test_says_the_same_of_a_foreign_and_an_absent_project(
    project: Project, store: MemoryBlobStore
) -> None:
    refusals = []
    for name in (project.slug, "absent"):
        with pytest.raises(ProjectNotFound) as refused:
            publish_file(
                actor=Actor("stranger"),
                place=Place("acme", name, "x"),
                incoming=Incoming(chunks=Unread(), declared=None),
                store=store,
                clock=Clock(),
            )
        refusals.append(refused.value.facts)

    assert refusals == [{}, {}]


def test_refuses_an_unsafe_path_before_reading(project: Project, store: MemoryBlobStore) -> None:
    with pytest.raises(UnsafePath):
        publish(uploader(project), store, path="../etc/passwd")

    assert store.blobs == {}


def test_refuses_facts_that_it_cannot_read_before_reading(
    project: Project, store: MemoryBlobStore
) -> None:
    good = job(project, witnessed())
    assert good.workload is not None
    bad = Actor(
        good.name, good.grants, type(good.workload)(good.workload.key, {"repository": "forged"})
    )

    with pytest.raises(MalformedFacts):
        publish(bad, store)

    assert store.blobs == {}


def test_keeps_nothing_of_what_did_not_arrive(project: Project, store: MemoryBlobStore) -> None:
    def broken() -> Iterator[bytes]:
        yield DATA
        raise UploadTruncated(announced_bytes=100, received_bytes=len(DATA))

    for chunks, refusal in ((broken(), UploadTruncated), (iter([b"x" * 2000]), StorageFull)):
        store.capacity = 1000
        with pytest.raises(refusal):
            publish_file(
                actor=uploader(project),
                place=Place("acme", "widget", "x"),
                incoming=Incoming(chunks=chunks, declared=None),
                store=store,
                clock=Clock(),
            )

    assert store.blobs == {}
    assert Build.objects.count() == Blob.objects.count() == OutboxEvent.objects.count() == 0


def test_hides_no_other_violation_behind_a_race(project: Project, store: MemoryBlobStore) -> None:
    with pytest.raises(IntegrityError):
        publish_file(
            actor=uploader(project),
            place=Place("acme", "widget", "x"),
            incoming=Incoming(chunks=iter([DATA]), declared=None, asked_life_days=-1),
            store=store,
            clock=Clock(),
        )

    assert Build.objects.count() == Artifact.objects.count() == OutboxEvent.objects.count() == 0


def test_says_that_the_project_has_gone_meanwhile(project: Project, store: MemoryBlobStore) -> None:
    def chunks() -> Iterator[bytes]:
        yield DATA
        Project.objects.filter(pk=project.pk).delete()

    with pytest.raises(ProjectNotFound):
        publish_file(
            actor=uploader(project),
            place=Place("acme", "widget", "x"),
            incoming=Incoming(chunks=chunks(), declared=None),
            store=store,
            clock=Clock(),
        )


def test_holds_no_database_connection_while_bytes_arrive(
    project: Project, store: MemoryBlobStore
) -> None:
    held = []

    def slow() -> Iterator[bytes]:
        held.append(connection.connection is not None)
        yield DATA

    publish_file(
        actor=uploader(project),
        place=Place("acme", "widget", "x"),
        incoming=Incoming(chunks=slow(), declared=None),
        store=store,
        clock=Clock(),
    )

    assert held == [False]


def test_takes_a_blob_on_its_way_out_for_absent(project: Project, store: MemoryBlobStore) -> None:
    first = publish(uploader(project), store, path="a")
    Blob.objects.filter(pk=first.artifact.blob_id).update(state=BlobState.COLLECTING)

    second = publish(uploader(project), store, path="b")

    assert second.artifact.blob_id != first.artifact.blob_id
    assert second.artifact.blob.state == BlobState.LIVE


@dataclass
class Race:
    """Eight uploads to one path that all have their bytes before any has its row."""

    project: Project
    store: MemoryBlobStore
    published: list[Published] = field(default_factory=list)
    refused: list[PathTaken] = field(default_factory=list)

    def run(self, *bodies: bytes) -> None:
        arrived = threading.Barrier(len(bodies))

        def upload(body: bytes) -> None:
            def chunks() -> Iterator[bytes]:
                yield body
                arrived.wait()

            try:
                self.published.append(
                    publish_file(
                        actor=uploader(self.project),
                        place=Place("acme", "widget", "contested"),
                        incoming=Incoming(chunks=chunks(), declared=None),
                        store=self.store,
                        clock=Clock(),
                    )
                )
            except PathTaken as refusal:
                self.refused.append(refusal)
            finally:
                connection.close()

        threads = [threading.Thread(target=upload, args=[body]) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_settles_a_race_of_the_same_bytes_as_one_upload(
    project: Project, store: MemoryBlobStore
) -> None:
    race = Race(project, store)

    race.run(*[DATA] * 8)

    assert race.refused == []
    assert sorted(one.is_new for one in race.published) == [False] * 7 + [True]
    assert len({one.artifact.pk for one in race.published}) == 1
    assert Build.objects.count() == Artifact.objects.count() == Blob.objects.count() == 1
    assert OutboxEvent.objects.count() == 1


def test_settles_a_race_of_different_bytes_for_exactly_one(
    project: Project, store: MemoryBlobStore
) -> None:
    race = Race(project, store)

    race.run(*[DATA + bytes([number]) for number in range(8)])

    [winner] = race.published
    assert winner.is_new
    assert len(race.refused) == 7
    existing = {refusal.facts["existing_sha256"] for refusal in race.refused}
    assert existing == {winner.artifact.blob.sha256}
    assert Build.objects.count() == Artifact.objects.count() == Blob.objects.count() == 1
    assert OutboxEvent.objects.count() == 1
