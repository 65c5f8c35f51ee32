"""A build of many files, when it is sealed, …"""

from datetime import timedelta

import pytest
from django.utils import timezone

from artifacts.domain.lifecycle import BuildState
from artifacts.errors import (
    BuildDiffers,
    BuildEmpty,
    BuildSealed,
)
from artifacts.models import Artifact, Project
from artifacts.usecases.collect_litter import PATIENCE
from artifacts.usecases.complete_build import complete_build
from artifacts.wiring import endings
from kernel.actor import Actor
from provenance.domain.build_facts import Hosting
from provenance.domain.statement import MAX_SUBJECTS, parse
from provenance.models import Attestation, AttestationRequest
from provenance.usecases.attest_builds import Attestor, attest_builds
from tests.factories.actors import job
from tests.factories.builds import LATER, NOW, digest_of, seal, send, start, statements
from tests.factories.facts import witnessed
from tests.fakes.blob_store import MemoryBlobStore


def test_is_sealed_only_with_exactly_its_files(first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build
    for path in ("a", "b", "c"):
        send(first, build, store, path)

    with pytest.raises(BuildDiffers) as refused:
        seal(first, build, "a", "d", b=b"other")

    assert refused.value.facts == {
        "build": build.pk,
        "missing": {"count": 1, "files": ["d"]},
        "unexpected": {"count": 1, "files": ["c"]},
        "differing": {
            "count": 1,
            "files": [
                {
                    "path": "b",
                    "expected_sha256": digest_of(b"other").hex,
                    "stored_sha256": digest_of(b"b").hex,
                }
            ],
        },
    }
    build.refresh_from_db()
    assert build.state == BuildState.OPEN
    assert seal(first, build, "a", "b", "c").state == BuildState.SEALED
    assert statements() == [["a", "b", "c"]]


def test_is_sealed_once_and_never_with_others(first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build
    send(first, build, store, "a")
    seal(first, build, "a")

    again = complete_build(
        actor=first, build=build.pk, expected={"a": digest_of(b"a")}, now=LATER + PATIENCE
    )
    with pytest.raises(BuildSealed) as refused:
        seal(first, build, "a", "b")

    assert again.sealed_at == LATER
    assert refused.value.facts["sealed_at"] == LATER
    assert refused.value.facts["missing"] == {"count": 1, "files": ["b"]}
    assert len(statements()) == 1


def test_is_not_sealed_empty(first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build

    with pytest.raises(BuildEmpty):
        seal(first, build)
    with pytest.raises(BuildDiffers):
        seal(first, build, "a")

    send(first, build, store, "a")
    seal(first, build, "a")


def test_takes_no_file_after_the_seal(first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build
    send(first, build, store, "a")
    seal(first, build, "a")

    with pytest.raises(BuildSealed) as refused:
        send(first, build, store, "late")

    assert refused.value.facts == {
        "build": build.pk,
        "state": BuildState.SEALED,
        "sealed_at": LATER,
    }
    assert len(store.blobs) == 1


def test_states_of_each_job_s_files_what_was_witnessed_of_that_job(
    project: Project, first: Actor, second: Actor, store: MemoryBlobStore
) -> None:
    """A self-hosted job in a hosted job's build: two groups, and neither borrows the other's."""
    build = start(first, "matrix", shared=True).build
    renewed = job(project, witnessed(token_id_sha256="1" * 64))
    send(first, build, store, "hosted/a")
    send(second, build, store, "self-hosted/a")
    send(renewed, build, store, "hosted/b")

    seal(second, build, "hosted/a", "hosted/b", "self-hosted/a")

    found = {
        tuple(name for name, _ in request.subjects): request.facts
        for request in AttestationRequest.objects.all()
    }
    assert found == {
        ("hosted/a", "hosted/b"): witnessed().to_json(),
        ("self-hosted/a",): witnessed(job_id="31338", hosting=Hosting.SELF_HOSTED).to_json(),
    }


def test_is_published_when_all_its_statements_are_there(
    attestor: Attestor, first: Actor, second: Actor, store: MemoryBlobStore
) -> None:
    build = start(first, "matrix", shared=True).build
    send(first, build, store, "a")
    send(second, build, store, "b")
    seal(first, build, "a", "b")
    AttestationRequest.objects.filter(subjects__0__0="b").update(
        next_attempt_at=timezone.now() + timedelta(hours=1)
    )

    def attest(after: timedelta) -> str:
        attest_builds(attestor=attestor, endings=endings(), clock=lambda: timezone.now() + after)
        build.refresh_from_db()
        return build.state

    assert attest(timedelta(0)) == BuildState.SEALED
    assert attest(timedelta(hours=1)) == BuildState.PUBLISHED
    builders = set()
    for request in AttestationRequest.objects.all():
        statement = parse(bytes(request.statement or b""))
        builders.add(statement.predicate["runDetails"]["builder"]["id"])
    assert len(builders) == 2
    assert Attestation.objects.count() == 2


def test_splits_what_one_statement_cannot_hold(first: Actor, store: MemoryBlobStore) -> None:
    build = start(first).build
    some = send(first, build, store, "00000").artifact
    paths = ["00000", *(f"{number:05}" for number in range(1, MAX_SUBJECTS + 1))]
    Artifact.objects.bulk_create(
        Artifact(
            project_id=some.project_id,
            build=build,
            contribution=some.contribution,
            path=path,
            blob=some.blob,
            stored_at=NOW,
        )
        for path in paths[1:]
    )

    expected = dict.fromkeys(paths, digest_of(b"00000"))
    complete_build(actor=first, build=build.pk, expected=expected, now=LATER)

    assert sorted(len(names) for names in statements()) == [1, MAX_SUBJECTS]
