"""A bucket whose connection fails …: nothing half-visible, and nothing that is not collected.

The wire fails one kind of request to a real server, once or each time. Then the same file is sent
again over a wire that works, and two days later all litter is gone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from uuid import uuid4

import pytest
import urllib3
from django.utils import timezone

from artifacts.adapters.archives.opening import open_archive
from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.direct import S3DirectUploads
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.domain.archives import Limits
from artifacts.domain.transfer import UploadState
from artifacts.errors import StorageUnavailable, UploadInProgress
from artifacts.models import Artifact, Build, Upload
from artifacts.queries import Place
from artifacts.usecases.complete_upload import complete_upload
from artifacts.usecases.measure_uploads import Bytes, measure_upload
from artifacts.usecases.probe_store import probe_store
from artifacts.usecases.publish_file import Incoming, publish_file
from artifacts.usecases.sign_parts import sign_parts
from artifacts.usecases.start_upload import Announced, Target, start_upload
from kernel.actor import Actor
from tests.factories.builds import digest_of, seal, start
from tests.factories.direct_uploads import Able
from tests.factories.faulty_wire import Fault, FaultyWire, Operation, running_faulty_wire
from tests.factories.holdings import Holdings, sweep
from tests.factories.private_sigstore.doubles import nobody
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.factories.tables import Table, new_table
from tests.integration.artifacts.test_archives import zipped

SMALL = b"a small file"
LARGE = bytes(range(256)) * (SMALLEST_PART // 256) + b"the rest"
ALWAYS = 1_000_000
OFTEN = {1: "once", ALWAYS: "always"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass
class Depot:
    """A store whose bucket stands behind the wire, and the same bucket without it."""

    actor: Actor
    wire: FaultyWire
    bucket_at: Callable[[str], Bucket]
    far: Bucket
    near: Bucket

    @property
    def store(self) -> S3BlobStore:
        return S3BlobStore(self.far, part_bytes=SMALLEST_PART)

    @property
    def direct(self) -> S3DirectUploads:
        return S3DirectUploads(self.far, public=self.far)

    def holdings(self) -> Holdings:
        honest = S3BlobStore(self.near, part_bytes=SMALLEST_PART)
        return Holdings.of(honest, lambda: len(list(self.near.uploads())))

    def sweep(self) -> None:
        sweep(self.store, direct=self.direct, now=timezone.now())


def through_the_app(data: bytes) -> Callable[[Depot], None]:
    def upload(depot: Depot) -> None:
        publish_file(
            actor=depot.actor,
            place=Place("acme", "widget", "dist/file"),
            incoming=Incoming(chunks=iter([data]), declared=digest_of(data)),
            store=depot.store,
            clock=timezone.now,
        )

    return upload


def direct(depot: Depot) -> None:
    """Start, send both parts, complete, measure, seal: what was done before is not done again."""
    build = start(depot.actor, "build").build
    target = Target(depot.direct, "bucket", SMALLEST_PART, 3)
    announced = Announced("dist/file", digest_of(LARGE), len(LARGE))
    now = timezone.now()
    try:
        upload = start_upload(
            actor=depot.actor, build=build.pk, announced=announced, target=target, now=now
        ).upload
    except UploadInProgress as told:
        if told.facts["state"] != UploadState.STORED:
            raise
        return
    if upload.state == UploadState.OPEN:
        send_parts(depot, upload)
        complete_upload(actor=depot.actor, upload=upload.pk, direct=depot.direct, now=now)
    Upload.objects.update(next_attempt_at=now)  # whoever waits long enough
    measure_upload(place=Bytes(depot.store, depot.store), clock=timezone.now)
    upload.refresh_from_db()
    if upload.state != UploadState.STORED:
        raise StorageUnavailable(**(upload.last_error or upload.refused or {}))
    seal(depot.actor, build, **{"dist/file": LARGE})


def send_parts(depot: Depot, upload: Upload) -> None:
    cut = {1: LARGE[:SMALLEST_PART], 2: LARGE[SMALLEST_PART:]}
    signed = sign_parts(
        actor=depot.actor,
        upload=upload.pk,
        parts={number: digest_of(body) for number, body in cut.items()},
        direct=depot.direct,
        now=timezone.now(),
    )
    for part in signed:
        try:
            answer = urllib3.request(
                "PUT",
                part.url,
                body=cut[part.number],
                headers=dict(part.headers),
                retries=False,
                timeout=2,
            )
        except urllib3.exceptions.HTTPError as error:
            raise StorageUnavailable(reason=type(error).__name__) from error
        if answer.status != 200:
            raise StorageUnavailable(reason=str(answer.status))


@pytest.fixture(scope="module")
def wire(s3_server: S3Server) -> Iterator[FaultyWire]:
    with running_faulty_wire(s3_server.endpoint) as running:
        yield running


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Table:
    return new_table(
        request.config,
        "A bucket that fails: one file, tried during the fault and once more after it",
        *("upload", "request", "fault", "how often", "first try", "visible then"),
        *("objects, uploads begun", "second try", "visible", "the same after the sweep"),
    )


@pytest.fixture
def depot(
    first: Actor, s3_server: S3Server, wire: FaultyWire, monkeypatch: pytest.MonkeyPatch
) -> Depot:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    name = s3_server.new_bucket(f"faulty-{uuid4()}")
    probe_store(place="bucket", probe=Able(), now=timezone.now())

    def bucket(endpoint: str) -> Bucket:
        reached = S3Settings(name, endpoint, uses_path_style=True, read_seconds=2)
        return Bucket(reached, sleep=lambda _seconds: None)

    return Depot(first, wire, bucket, bucket(wire.url), bucket(s3_server.endpoint))


UPLOADS: dict[str, Callable[[Depot], None]] = {
    "small": through_the_app(SMALL),
    "large": through_the_app(LARGE),
    "direct": direct,
}
PUT, BEGIN, PART, COMPLETE, GET = (
    Operation.PUT,
    Operation.BEGIN,
    Operation.PART,
    Operation.COMPLETE,
    Operation.GET,
)
# Which request of which upload fails in which way; `once` is healed by trying again ourselves,
# except where what arrived was wrong, or the one that sends is a client.
CASES = [
    *(("small", PUT, fault, 1, True) for fault in (Fault.BUSY, Fault.HUNG_UP, Fault.ANSWER_LOST)),
    *(("small", PUT, fault, 1, True) for fault in (Fault.REQUEST_CUT, Fault.FAILED_AFTERWARDS)),
    ("small", PUT, Fault.BUSY_CUT, 1, True),
    ("small", PUT, Fault.SLOW, ALWAYS, True),
    ("small", PUT, Fault.REQUEST_CHANGED, 1, False),
    *(("small", PUT, fault, ALWAYS, False) for fault in (Fault.BUSY, Fault.HUNG_UP, Fault.SILENT)),
    *(("small", PUT, fault, ALWAYS, False) for fault in (Fault.REQUEST_CUT, Fault.ANSWER_LOST)),
    *(("large", BEGIN, fault, 1, True) for fault in (Fault.BUSY, Fault.ANSWER_LOST)),
    *(("large", PART, fault, 1, True) for fault in (Fault.BUSY, Fault.ANSWER_LOST)),
    ("large", PART, Fault.REQUEST_CHANGED, 1, False),
    *(("large", PART, fault, ALWAYS, False) for fault in (Fault.HUNG_UP, Fault.REQUEST_CUT)),
    *(("large", COMPLETE, fault, 1, True) for fault in (Fault.BUSY, Fault.ANSWER_LOST)),
    *(("large", COMPLETE, fault, 1, True) for fault in (Fault.FAILED_AFTERWARDS, Fault.ANSWER_CUT)),
    ("large", COMPLETE, Fault.FORGOTTEN, 1, True),
    ("large", COMPLETE, Fault.BUSY, ALWAYS, False),
    ("large", COMPLETE, Fault.FAILED_AFTERWARDS, ALWAYS, True),
    *(("direct", PART, fault, 1, False) for fault in (Fault.BUSY, Fault.HUNG_UP, Fault.SILENT)),
    *(("direct", PART, fault, 1, False) for fault in (Fault.REQUEST_CUT, Fault.REQUEST_CHANGED)),
    ("direct", PART, Fault.ANSWER_LOST, 1, False),
    *(("direct", COMPLETE, fault, 1, True) for fault in (Fault.BUSY, Fault.ANSWER_LOST)),
    ("direct", COMPLETE, Fault.FORGOTTEN, 1, True),
    ("direct", COMPLETE, Fault.BUSY, ALWAYS, False),
    *(("direct", GET, fault, 1, True) for fault in (Fault.ANSWER_CUT, Fault.SLOW)),
    *(("direct", GET, fault, ALWAYS, False) for fault in (Fault.BUSY, Fault.HUNG_UP)),
]


@pytest.mark.parametrize(
    ("kind", "operation", "fault", "times", "succeeds"),
    CASES,
    ids=["-".join((kind, op, fault, OFTEN[times])) for kind, op, fault, times, _ in CASES],
)
def test_leaves_nothing_half_done(
    *,
    depot: Depot,
    table: Table,
    kind: str,
    operation: Operation,
    fault: Fault,
    times: int,
    succeeds: bool,
) -> None:
    upload = UPLOADS[kind]

    with depot.wire.failing(operation, fault, times=times):
        first = outcome(upload, depot)
        assert depot.wire.left < times, "no request has met the fault"
    during = depot.holdings()
    second = outcome(upload, depot)
    depot.sweep()
    after = depot.holdings()

    note(table, (kind, operation, fault, OFTEN[times]), (first, during), (second, after))
    assert (first == "acknowledged") is succeeds, first
    assert during.visible == int(succeeds)
    assert second == "acknowledged"
    assert after == Holdings(visible=1, blobs=1, stored=1, temporary=0)
    assert whole_bytes(depot) == (SMALL if kind == "small" else LARGE)


@pytest.mark.parametrize("kind", UPLOADS)
def test_leaves_nothing_of_what_could_not_be_begun(depot: Depot, table: Table, kind: str) -> None:
    with nobody() as address:
        away = replace(depot, far=depot.bucket_at(address))
        first = outcome(UPLOADS[kind], away)
    during = depot.holdings()
    second = outcome(UPLOADS[kind], depot)
    depot.sweep()
    after = depot.holdings()

    note(table, (kind, "every one", "refused", "always"), (first, during), (second, after))
    assert first == "storage-unavailable"
    assert during == Holdings(visible=0, blobs=0, stored=0, temporary=0)
    assert second == "acknowledged"
    assert after == Holdings(visible=1, blobs=1, stored=1, temporary=0)


def note(table: Table, case: tuple[str, ...], *tries: tuple[str, Holdings]) -> None:
    """A row: what failed, and for each try what became of it and what the store held then."""
    cells = [(became, held.visible, f"{held.stored}, {held.temporary}") for became, held in tries]
    table.rows.append((*case, *chain(*cells)))


def outcome(upload: Callable[[Depot], None], depot: Depot) -> str:
    """What became of a try: anything but this one refusal is a defect, and raises."""
    try:
        upload(depot)
    except StorageUnavailable as refusal:
        return refusal.code
    return "acknowledged"


def whole_bytes(depot: Depot) -> bytes:
    blob = Artifact.objects.get().blob
    with depot.store.open(blob.key, size_bytes=blob.size_bytes, pin=blob.pin) as reader:
        return b"".join(reader.chunks(0, blob.size_bytes))


def test_refuses_a_direct_upload_whose_bytes_were_read_wrong(depot: Depot) -> None:
    """Fails closed: a wrong byte on the way to us is one in the bucket, as far as we can see."""
    with depot.wire.failing(GET, Fault.ANSWER_CHANGED, times=1):
        assert outcome(direct, depot) == "storage-unavailable"

    assert Upload.objects.get().state == UploadState.REFUSED
    assert depot.holdings() == Holdings(visible=0, blobs=0, stored=0, temporary=0)


@pytest.mark.parametrize(
    "fault", [Fault.ANSWER_CUT, Fault.BUSY, Fault.BUSY_CUT, Fault.HUNG_UP, Fault.SILENT]
)
def test_tells_whoever_reads_that_the_bucket_failed(depot: Depot, fault: Fault) -> None:
    data = zipped({"member": bytes(1_000_000), "other": LARGE})
    through_the_app(data)(depot)
    blob = Artifact.objects.get().blob

    with (
        depot.store.open(blob.key, size_bytes=blob.size_bytes, pin=blob.pin) as reader,
        depot.wire.failing(GET, fault, times=ALWAYS),
    ):
        with pytest.raises(StorageUnavailable):
            b"".join(reader.chunks(0, blob.size_bytes))
        with (
            pytest.raises(StorageUnavailable),
            open_archive(reader, size_bytes=blob.size_bytes, limits=Limits()) as archive,
        ):
            list(archive.members())


def test_leaves_no_build_behind_that_nobody_comes_back_to(depot: Depot) -> None:
    with depot.wire.failing(PART, Fault.HUNG_UP, times=1):
        assert outcome(direct, depot) == "storage-unavailable"
    assert depot.holdings().temporary == 1

    depot.sweep()

    assert depot.holdings() == Holdings(visible=0, blobs=0, stored=0, temporary=0)
    assert not Build.objects.exists()
