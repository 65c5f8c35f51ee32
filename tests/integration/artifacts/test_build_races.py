"""A build of many files, when much happens at once, …"""

import threading

from artifacts.domain.lifecycle import BuildState
from artifacts.errors import (
    BuildDiffers,
    BuildSealed,
    PathTaken,
)
from artifacts.models import Build, Project
from artifacts.usecases.complete_build import complete_build
from artifacts.usecases.publish_file import Published
from kernel.actor import Actor
from kernel.audit.models import AuditRecord
from tests.factories.actors import job
from tests.factories.builds import LATER, at_once, digest_of, gated, seal, send, start, statements
from tests.factories.facts import witnessed
from tests.fakes.blob_store import MemoryBlobStore


def test_gives_a_contested_path_to_one_of_two_uploaders(
    project: Project, store: MemoryBlobStore
) -> None:
    jobs = [job(project, witnessed(job_id=str(number))) for number in range(1, 9)]
    build = start(jobs[0], "matrix", shared=True).build
    same, different = threading.Barrier(8), threading.Barrier(8)

    agreeing = at_once(
        *(lambda one=one: send(one, build, store, "same", gated(b"x", same)) for one in jobs)
    )
    contesting = at_once(
        *(
            lambda one=one, data=bytes([n]): send(one, build, store, "x", gated(data, different))
            for n, one in enumerate(jobs)
        )
    )

    assert sorted(one.is_new for one in agreeing) == [False] * 7 + [True]
    assert len({one.artifact.contribution_id for one in agreeing}) == 1
    winners = [one for one in contesting if isinstance(one, Published)]
    assert [one.is_new for one in winners] == [True]
    assert sum(isinstance(one, PathTaken) for one in contesting) == 7


def test_counts_an_upload_that_was_recorded_before_the_seal_and_no_later_one(
    first: Actor, store: MemoryBlobStore
) -> None:
    """Seals race with uploads, thirty times: whichever was first, both answers agree."""
    for number in range(30):
        build = start(first, f"race-{number}").build
        send(first, build, store, "a")
        gate = threading.Barrier(2)

        def add(build: Build = build, gate: threading.Barrier = gate) -> Published:
            return send(first, build, store, "b", gated(b"b", gate))

        def finish(build: Build = build, gate: threading.Barrier = gate) -> Build:
            gate.wait()
            return seal(first, build, "a")

        added, sealed = at_once(add, finish)

        build.refresh_from_db()
        files = {artifact.path for artifact in build.artifacts.all()}
        if isinstance(added, Published):
            assert isinstance(sealed, BuildDiffers)
            assert (build.state, files) == (BuildState.OPEN, {"a", "b"})
        else:
            assert isinstance(added, BuildSealed)
            assert isinstance(sealed, Build)
            assert (build.state, files) == (BuildState.SEALED, {"a"})


def test_is_sealed_once_by_jobs_that_seal_at_once(project: Project, store: MemoryBlobStore) -> None:
    jobs = [job(project, witnessed(job_id=str(number))) for number in range(1, 9)]
    build = start(jobs[0], "matrix", shared=True).build
    send(jobs[0], build, store, "a")

    sealed = at_once(*(lambda one=one: seal(one, build, "a") for one in jobs))

    assert all(isinstance(one, Build) for one in sealed)
    assert len(statements()) == 1
    assert AuditRecord.objects.filter(action="build.seal").count() == 1


def test_takes_a_matrix_of_fifty_jobs_that_upload_at_once(
    project: Project, store: MemoryBlobStore
) -> None:
    """Each brings two files of its own and one that all have; nobody waits for another's bytes."""
    jobs = [job(project, witnessed(job_id=str(number))) for number in range(1, 51)]
    receiving = threading.Barrier(50)

    def work(actor: Actor, number: int) -> None:
        build = start(actor, "matrix", shared=True).build
        # Passes only if the bytes of all fifty may be on their way at the same time.
        send(actor, build, store, f"{number:02}/a", gated(b"%d" % number, receiving))
        send(actor, build, store, f"{number:02}/b", b"the same bytes")
        send(actor, build, store, "LICENSE", b"license")

    outcomes = at_once(*(lambda one=one, n=n: work(one, n) for n, one in enumerate(jobs)))

    assert outcomes == [None] * 50
    expected = {f"{n:02}/a": digest_of(b"%d" % n) for n in range(50)}
    expected |= {f"{n:02}/b": digest_of(b"the same bytes") for n in range(50)}
    expected["LICENSE"] = digest_of(b"license")
    [build] = Build.objects.all()
    complete_build(actor=jobs[7], build=build.pk, expected=expected, now=LATER)
    named = [name for names in statements() for name in names]
    assert sorted(named) == sorted(expected)
    assert len(statements()) == 50
