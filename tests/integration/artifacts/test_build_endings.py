"""A sealed build …"""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from artifacts.domain.lifecycle import BuildState, IllegalMove
from artifacts.errors import BuildNotFound
from artifacts.models import Artifact, Build, Project
from artifacts.usecases.add_file import add_file
from artifacts.usecases.collect_litter import collect_litter
from artifacts.usecases.join_build import join_build
from artifacts.usecases.open_build import open_build
from artifacts.usecases.publish_builds import publish_builds
from artifacts.usecases.refuse_build import refuse_build
from artifacts.usecases.seal_build import seal_build
from artifacts.usecases.store_blob import store_blob
from artifacts.wiring import endings
from kernel.outbox.models import OutboxEvent
from tests.factories.actors import uploader
from tests.factories.builds import NOW
from tests.fakes.blob_store import MemoryBlobStore

LATER = NOW + timedelta(minutes=5)


def open_one(project: Project, store: MemoryBlobStore) -> Build:
    stored = store.put([b"data"], expected=None)
    with transaction.atomic():
        build = open_build(project=project, actor=uploader(project), opened_at=NOW)
        add_file(
            actor=uploader(project),
            contribution=join_build(build=build, actor=uploader(project), joined_at=NOW),
            path=f"file-{build.pk}",
            origin=build.origin,
            stored=stored,
            now=NOW,
        )
    return build


@pytest.fixture
def sealed(project: Project, store: MemoryBlobStore) -> Build:
    build = open_one(project, store)
    with transaction.atomic():
        seal_build(build=build, actor=uploader(project), now=NOW)
    OutboxEvent.objects.all().delete()
    return build


def test_is_published_once_however_often_it_is_asked(sealed: Build) -> None:
    for moment in (LATER, LATER + timedelta(minutes=1)):
        with transaction.atomic():
            endings().publish(builds=[sealed.pk], now=moment)

    sealed.refresh_from_db()
    assert (sealed.state, sealed.published_at) == (BuildState.PUBLISHED, LATER)
    assert [event.name for event in OutboxEvent.objects.all()] == ["build.published"]


def test_is_refused_once_with_the_first_reason(sealed: Build) -> None:
    for code in ("first", "second"):
        with transaction.atomic():
            endings().refuse(build_id=sealed.pk, reason={"code": code}, now=LATER)

    sealed.refresh_from_db()
    assert sealed.state == BuildState.REFUSED
    assert sealed.refused == {"code": "first", "refused_at": "2026-11-21T08:05:00Z"}
    assert OutboxEvent.objects.count() == 0


def test_never_goes_from_one_ending_to_the_other(
    sealed: Build, project: Project, store: MemoryBlobStore
) -> None:
    with transaction.atomic():
        publish_builds(builds=[sealed.pk], now=LATER)
    with pytest.raises(IllegalMove), transaction.atomic():
        refuse_build(build_id=sealed.pk, reason={"code": "late"}, now=LATER)

    unsealed = open_one(project, store)
    with pytest.raises(IllegalMove), transaction.atomic():
        publish_builds(builds=[unsealed.pk], now=LATER)


def test_is_published_only_where_there_is_one(sealed: Build) -> None:
    with pytest.raises(BuildNotFound), transaction.atomic():
        publish_builds(builds=[sealed.pk, uuid4()], now=LATER)

    sealed.refresh_from_db()
    assert sealed.state == BuildState.SEALED


def test_is_published_with_all_of_its_batch_or_not_at_all(
    sealed: Build, project: Project, store: MemoryBlobStore
) -> None:
    unsealed = open_one(project, store)

    with pytest.raises(IllegalMove), transaction.atomic():
        publish_builds(builds=[sealed.pk, unsealed.pk], now=LATER)

    sealed.refresh_from_db()
    assert sealed.state == BuildState.SEALED
    assert OutboxEvent.objects.count() == 0


def test_is_sealed_once(sealed: Build) -> None:
    with pytest.raises(IllegalMove), transaction.atomic():
        seal_build(build=sealed, actor=uploader(sealed.project), now=LATER)


def test_is_written_only_in_a_transaction_of_the_caller(
    sealed: Build, store: MemoryBlobStore
) -> None:
    stored = store.put([b"data"], expected=None)
    joining: list[Any] = [
        lambda: open_build(project=sealed.project, actor=uploader(sealed.project), opened_at=NOW),
        lambda: store_blob(stored=stored, now=NOW),
        lambda: seal_build(build=sealed, actor=uploader(sealed.project), now=NOW),
        lambda: join_build(build=sealed, actor=uploader(sealed.project), joined_at=NOW),
        lambda: add_file(
            actor=uploader(sealed.project),
            contribution=sealed.contributions.get(),
            path="x",
            origin=None,
            stored=stored,
            now=NOW,
        ),
        lambda: publish_builds(builds=[sealed.pk], now=NOW),
        lambda: refuse_build(build_id=sealed.pk, reason={}, now=NOW),
    ]
    for verb in joining:
        with pytest.raises(transaction.TransactionManagementError, match="joins a transaction"):
            verb()


class Staging:
    """Says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def sweep(self, *, before: object, busy: object = ()) -> int:  # noqa: ARG002 - the port has it
        self.asked.append(before)
        return 2


def test_is_collected_only_when_it_stayed_open_for_a_day(
    sealed: Build, project: Project, store: MemoryBlobStore
) -> None:
    stale = open_one(project, store)
    staging = Staging()

    collect_litter(staging=staging, now=NOW + timedelta(days=1))
    assert builds() == {sealed.pk, stale.pk}
    collect_litter(staging=staging, now=NOW + timedelta(days=1, seconds=1))

    assert builds() == {sealed.pk}
    assert Artifact.objects.count() == 1
    assert staging.asked == [NOW, NOW + timedelta(seconds=1)]


def test_is_not_collected_while_files_still_come_to_it(
    project: Project, store: MemoryBlobStore
) -> None:
    build = open_one(project, store)
    build.artifacts.update(stored_at=LATER)

    collect_litter(staging=Staging(), now=LATER + timedelta(days=1))
    assert builds() == {build.pk}
    collect_litter(staging=Staging(), now=LATER + timedelta(days=1, seconds=1))

    assert builds() == set()


def builds() -> set[UUID]:
    return set(Build.objects.values_list("pk", flat=True))
