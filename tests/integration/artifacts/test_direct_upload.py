"""A direct upload …"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.transfer import UploadState
from artifacts.errors import (
    BuildFull,
    BuildNotYours,
    BuildSealed,
    PartUnknown,
    PathTaken,
    StorageUnavailable,
    UploadEnded,
    UploadIncomplete,
    UploadInProgress,
    UploadNotFound,
    UploadsPending,
)
from artifacts.models import Artifact, Blob, Build, Project, Upload
from artifacts.usecases.collect_blobs import collect_blobs
from artifacts.usecases.collect_litter import collect_litter
from artifacts.usecases.measure_uploads import LEASE
from artifacts.usecases.sign_parts import sign_parts
from kernel.actor import Actor
from kernel.audit.models import AuditRecord
from kernel.digest import Sha256
from kernel.outbox.models import OutboxEvent
from tests.factories.actors import reader, uploader
from tests.factories.builds import LATER, NOW, digest_of, seal, send, start, statements
from tests.factories.direct_uploads import DATA, Desk


def test_becomes_a_file_of_its_build(desk: Desk) -> None:
    upload = desk.all_of_it()

    [artifact] = desk.build.artifacts.all()
    assert upload.state == UploadState.STORED
    assert upload.artifact == artifact
    assert (artifact.path, artifact.blob.sha256) == ("large", digest_of(DATA).hex)
    assert artifact.blob.etag == '"memory"'
    assert desk.store.blobs == {artifact.blob.key: DATA}
    assert artifact.contribution.job == desk.actor.workload.key  # type: ignore[union-attr] # a job has one
    assert AuditRecord.objects.filter(action="artifact.upload", actor=desk.actor.name).exists()
    seal(desk.actor, desk.build, large=DATA)
    assert statements() == [["large"]]


def test_is_not_in_the_build_before_it_was_measured(desk: Desk) -> None:
    upload = desk.start()
    desk.send(upload)
    completed = desk.complete(upload)

    assert completed.state == UploadState.MEASURING
    assert not Artifact.objects.exists()
    assert [event.name for event in OutboxEvent.objects.all()] == ["upload.completed"]


@pytest.mark.parametrize("measured", [False, True])
def test_holds_its_build_open_until_it_was_measured(desk: Desk, *, measured: bool) -> None:
    upload = desk.start()
    desk.send(upload)
    desk.complete(upload)
    if measured:
        assert desk.measure()
        assert seal(desk.actor, desk.build, large=DATA).state == BuildState.SEALED
        return

    with pytest.raises(UploadsPending) as refused:
        seal(desk.actor, desk.build, large=DATA)

    named = {"upload": str(upload.pk), "path": "large", "state": "measuring"}
    assert refused.value.facts["uploads"] == [named]


def test_is_refused_with_both_digests_when_its_bytes_are_others(desk: Desk) -> None:
    declared = digest_of(b"something else")
    upload = desk.all_of_it(digest=declared)

    assert upload.state == UploadState.REFUSED
    assert upload.refused == {
        "code": "digest-mismatch",
        "declared": declared.hex,
        "measured": digest_of(DATA).hex,
    }
    assert desk.store.blobs == {}
    assert not Blob.objects.exists()
    assert not Artifact.objects.exists()
    with pytest.raises(UploadEnded):
        desk.complete(upload)
    assert desk.all_of_it().state == UploadState.STORED


def test_cannot_claim_bytes_that_were_never_sent(desk: Desk) -> None:
    """The store has them, from another build: knowing their digest gets nobody a file."""
    other = start(desk.actor, "other").build
    send(desk.actor, other, desk.store, "secret", DATA)

    upload = desk.start()

    with pytest.raises(UploadIncomplete):
        desk.complete(upload)
    assert not desk.build.artifacts.exists()


def test_keeps_one_copy_of_bytes_that_are_there(desk: Desk) -> None:
    kept = send(desk.actor, desk.build, desk.store, "small", DATA).artifact.blob

    upload = desk.all_of_it()

    assert upload.artifact is not None
    assert upload.artifact.blob == kept
    assert set(desk.store.blobs) == {kept.key}


def test_names_the_parts_that_are_missing_or_have_other_sizes(desk: Desk) -> None:
    upload = desk.start()
    wrong = {1: b"0123", 3: b"0123"}
    for part in sign_parts(
        actor=desk.actor,
        upload=upload.pk,
        parts={number: digest_of(body) for number, body in wrong.items()},
        direct=desk.bucket,
        now=NOW,
    ):
        assert desk.bucket.put(part, wrong[part.number])

    with pytest.raises(UploadIncomplete) as refused:
        desk.complete(upload)

    assert refused.value.facts["missing"] == [2, 3]
    desk.send(upload)
    assert desk.complete(upload).state == UploadState.MEASURING


def test_is_found_again_by_a_retry(desk: Desk) -> None:
    upload = desk.start()

    assert desk.start().pk == upload.pk
    desk.send(upload)
    first, again = desk.complete(upload), desk.complete(upload)
    desk.measure()
    last = desk.complete(upload)

    assert first.pk == again.pk == last.pk
    assert last.state == UploadState.STORED
    assert OutboxEvent.objects.count() == 1


def test_is_completed_by_a_retry_whose_first_answer_was_lost(desk: Desk) -> None:
    """The object was frozen, and the process died before it could say so."""
    upload = desk.start()
    desk.send(upload)
    desk.bucket.resume(upload.begun).complete(size_bytes=len(DATA))

    assert desk.complete(upload).state == UploadState.MEASURING
    assert desk.measure()
    assert Artifact.objects.get().blob.sha256 == digest_of(DATA).hex


def test_gives_way_to_nothing_else_at_its_path(desk: Desk) -> None:
    desk.start()
    with pytest.raises(UploadInProgress):
        desk.start(data=b"others")
    send(desk.actor, desk.build, desk.store, "taken", b"taken")
    with pytest.raises(PathTaken):
        desk.start("taken")
    with pytest.raises(UploadInProgress) as stored:
        desk.start("taken", b"taken")
    assert stored.value.facts["state"] == "stored"


def test_is_refused_when_a_file_took_its_path_meanwhile(desk: Desk) -> None:
    upload = desk.start()
    send(desk.actor, desk.build, desk.store, "large", b"through the store")
    desk.send(upload)
    desk.complete(upload)

    desk.measure()

    upload.refresh_from_db()
    assert upload.state == UploadState.REFUSED
    assert Upload.objects.filter(refused__code="path-taken").exists()
    assert list(desk.store.blobs.values()) == [b"through the store"]


def test_is_given_up(desk: Desk) -> None:
    upload = desk.start()
    desk.send(upload)

    assert desk.abort(upload).state == UploadState.ABORTED
    assert desk.abort(upload).state == UploadState.ABORTED

    assert desk.bucket.parts == {}
    with pytest.raises(UploadEnded):
        desk.send(upload)
    with pytest.raises(UploadEnded):
        desk.complete(upload)
    stored = desk.all_of_it()
    with pytest.raises(UploadEnded):
        desk.abort(stored)


def test_is_not_stored_when_it_was_given_up_while_it_was_measured(desk: Desk) -> None:
    upload = desk.start()
    desk.send(upload)
    desk.complete(upload)
    moments = iter([LATER, LATER])

    def clock() -> datetime:
        now = next(moments, None)
        if now is None:
            desk.abort(upload)
            return LATER
        return now

    desk.measure(clock=clock)

    assert Upload.objects.get().state == UploadState.ABORTED
    assert not Artifact.objects.exists()
    collect_blobs(inventory=desk.store, now=desk.store.written_at + timedelta(days=2))
    assert desk.store.blobs == {}


def test_is_measured_by_another_worker_when_the_lease_ran_out(desk: Desk) -> None:
    upload = desk.start()
    desk.send(upload)
    desk.complete(upload)
    Upload.objects.update(lease=uuid4(), leased_until=LATER + LEASE)

    assert not desk.measure()
    assert desk.measure(clock=lambda: LATER + LEASE + timedelta(seconds=1))
    assert Artifact.objects.count() == 1


def test_is_measured_later_while_the_bucket_is_away(desk: Desk) -> None:
    upload = desk.start()
    desk.send(upload)
    desk.complete(upload)
    desk.store.is_down = True

    assert desk.measure()
    assert not desk.measure()

    assert Upload.objects.filter(last_error__code="storage-unavailable").exists()
    desk.store.is_down = False
    assert desk.measure(clock=lambda: LATER + timedelta(hours=1))
    upload.refresh_from_db()
    assert upload.state == UploadState.STORED


def test_is_refused_when_its_object_is_not_what_was_announced(desk: Desk) -> None:
    upload = desk.start()
    desk.send(upload)
    desk.complete(upload)
    desk.store.blobs[upload.key] = DATA + b"more"

    desk.measure()

    upload.refresh_from_db()
    assert upload.state == UploadState.REFUSED
    assert Upload.objects.filter(refused__code="blob-missing").exists()


def test_is_safe_from_the_collector_while_it_is_pending(desk: Desk) -> None:
    upload = desk.start()
    desk.send(upload)
    desk.complete(upload)

    collect_blobs(inventory=desk.store, now=desk.store.written_at + timedelta(days=9))

    assert desk.measure()
    assert desk.store.blobs == {upload.key: DATA}
    assert Artifact.objects.get().blob.key == upload.key


class Staging:
    """Remembers what it was told to spare."""

    def __init__(self) -> None:
        self.busy: object = None

    def sweep(self, *, before: datetime, busy: object = ()) -> int:
        assert before.tzinfo is not None
        self.busy = busy
        return 0


def test_is_abandoned_after_a_day_without_a_question(desk: Desk) -> None:
    upload, staging = desk.start(), Staging()
    desk.send(upload)

    collect_litter(staging=staging, direct=desk.bucket, now=NOW + timedelta(days=1))
    spared = staging.busy
    collect_litter(staging=staging, direct=desk.bucket, now=NOW + timedelta(days=1, seconds=1))

    assert spared == frozenset({upload.key})
    assert staging.busy == frozenset()
    assert desk.bucket.parts == {}
    assert not Build.objects.exists()
    assert not Upload.objects.exists()


def test_keeps_its_build_from_being_collected(desk: Desk) -> None:
    upload = desk.start()
    Upload.objects.update(touched_at=NOW + timedelta(days=1))

    collect_litter(staging=Staging(), direct=desk.bucket, now=NOW + timedelta(days=1, hours=1))

    assert Build.objects.get() == desk.build
    assert Upload.objects.get() == upload


def test_is_nobody_elses(desk: Desk, project: Project, second: Actor) -> None:
    upload = desk.start()

    with pytest.raises(BuildNotYours):
        desk.send(upload, actor=second)
    with pytest.raises(BuildNotYours):
        desk.start("b", actor=uploader(project))
    with pytest.raises(UploadNotFound):
        desk.send(upload, actor=Actor("stranger", frozenset()))
    with pytest.raises(UploadNotFound):
        sign_parts(actor=desk.actor, upload=UUID(int=1), parts={}, direct=desk.bucket, now=NOW)
    with pytest.raises(Exception, match="permission"):
        desk.start("c", actor=reader(project))


@pytest.mark.parametrize("number", [0, 4, 10_001])
def test_has_only_its_parts(desk: Desk, number: int) -> None:
    upload = desk.start()

    with pytest.raises(PartUnknown):
        sign_parts(
            actor=desk.actor,
            upload=upload.pk,
            parts={number: Sha256("0" * 64)},
            direct=desk.bucket,
            now=NOW,
        )


def test_is_not_started_in_a_sealed_build(desk: Desk) -> None:
    send(desk.actor, desk.build, desk.store, "a")
    seal(desk.actor, desk.build, "a")

    with pytest.raises(BuildSealed):
        desk.start()


def test_counts_as_a_file_of_its_build(desk: Desk) -> None:
    for path in ("a", "b"):
        desk.start(path)
    third = desk.start("c")

    with pytest.raises(BuildFull):
        desk.start("d")
    desk.abort(third)
    assert desk.start("d").state == UploadState.OPEN


def test_waits_where_the_bucket_cannot_be_reached(desk: Desk) -> None:
    desk.store.is_down = True

    with pytest.raises(StorageUnavailable):
        desk.start()

    assert not Upload.objects.exists()
