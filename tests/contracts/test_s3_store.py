"""An S3 store … (beyond what every blob store does), against a real server."""

import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from artifacts.adapters.s3.answers import ObjectExists
from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.errors import BlobMissing, DigestMismatch, StorageFull, StorageUnavailable
from kernel.digest import Sha256
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, is_installed, running_s3

LARGE = bytes(range(256)) * (2 * SMALLEST_PART // 256) + b"the rest"


def digest_of(data: bytes) -> Sha256:
    return Sha256(sha256(data).hexdigest())


def pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), 700_001):
        yield data[start : start + 700_001]


def read(store: S3BlobStore, key: str, size_bytes: int) -> bytes:
    with store.open(key, size_bytes=size_bytes) as reader:
        return b"".join(reader.chunks(0, size_bytes))


@pytest.fixture
def store(bucket: Bucket) -> S3BlobStore:
    return S3BlobStore(bucket, part_bytes=SMALLEST_PART)


@pytest.mark.parametrize("declared", [digest_of(LARGE), None])
def test_keeps_what_is_longer_than_a_part(store: S3BlobStore, declared: Sha256 | None) -> None:
    stored = store.put(pieces(LARGE), expected=declared)

    assert (stored.digest, stored.size_bytes) == (digest_of(LARGE), len(LARGE))
    assert read(store, stored.key, len(LARGE)) == LARGE


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_cuts_parts_where_they_end(store: S3BlobStore, extra: int) -> None:
    data = LARGE[: SMALLEST_PART + extra]

    stored = store.put(pieces(data), expected=None)

    assert read(store, stored.key, len(data)) == data


def test_keeps_long_bytes_once(store: S3BlobStore, bucket: Bucket) -> None:
    first = store.put(pieces(LARGE), expected=digest_of(LARGE))
    second = store.put(pieces(LARGE), expected=digest_of(LARGE))

    assert store.merge(second, into=first) == first
    assert bucket.find(second.key) is None
    assert read(store, first.key, len(LARGE)) == LARGE


def test_leaves_nothing_of_what_failed(store: S3BlobStore, bucket: Bucket) -> None:
    def broken() -> Iterator[bytes]:
        yield from pieces(LARGE)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.put(broken(), expected=None)
    with pytest.raises(DigestMismatch):
        store.put(pieces(LARGE), expected=digest_of(b"other"))

    assert list(bucket.uploads()) == []
    assert (
        bucket.find(f"blobs/sha256/{digest_of(b'other').hex[:2]}/{digest_of(b'other').hex}") is None
    )


def test_completes_only_where_nothing_stands(bucket: Bucket) -> None:
    key, rival = "blobs/sha256/aa/rival", b"was here first"
    upload = bucket.begin(key)
    part = bucket.put_part(upload, 1, LARGE, digest_of(LARGE))
    bucket.put(key, rival, digest_of(rival))

    with pytest.raises(ObjectExists):
        bucket.complete(upload, [part], size_bytes=len(LARGE))

    head = bucket.find(key)
    assert head is not None
    assert head.size_bytes == len(rival)


def test_refuses_bytes_that_changed_on_their_way(bucket: Bucket) -> None:
    with pytest.raises(StorageUnavailable):
        bucket.put("blobs/changed", b"changed", digest_of(b"genuine"))
    assert bucket.find("blobs/changed") is None

    bucket.put("blobs/changed", b"genuine", digest_of(b"genuine"))
    assert bucket.find("blobs/changed") is not None


def test_sweeps_uploads_that_nobody_will_finish(store: S3BlobStore, bucket: Bucket) -> None:
    upload = bucket.begin("blobs/measured/left")
    bucket.put_part(upload, 1, b"half", digest_of(b"half"))
    now = datetime.now(UTC)

    assert store.sweep(before=now - timedelta(days=1)) == 0
    assert store.sweep(before=now + timedelta(minutes=1)) == 1

    assert list(bucket.uploads()) == []


def test_tells_a_reader_that_the_object_became_another(store: S3BlobStore, bucket: Bucket) -> None:
    stored = store.put([b"genuine"], expected=None)

    with store.open(stored.key, size_bytes=7) as reader:
        assert b"".join(reader.chunks(0, 7)) == b"genuine"
        bucket.put(stored.key, b"swapped", digest_of(b"swapped"), replaces=True)
        with pytest.raises(StorageUnavailable):
            list(reader.chunks(0, 7))


@pytest.mark.parametrize("swapped", [b"damage", b"swapped"], ids=["shorter", "same-size"])
def test_keeps_the_new_copy_where_the_old_is_damaged(
    store: S3BlobStore, bucket: Bucket, swapped: bytes
) -> None:
    stored = store.put([b"genuine"], expected=None)
    bucket.put(stored.key, swapped, digest_of(swapped), replaces=True)
    with pytest.raises(BlobMissing), store.open(stored.key, size_bytes=7, pin=stored.pin):
        pass

    again = store.put([b"genuine"], expected=None)

    assert store.merge(again, into=stored) == again
    with store.open(again.key, size_bytes=7, pin=again.pin) as reader:
        assert b"".join(reader.chunks(0, 7)) == b"genuine"


@pytest.mark.parametrize("bucket", [True], indirect=True, ids=["versioned"])
def test_reads_the_version_that_was_measured(store: S3BlobStore, bucket: Bucket) -> None:
    stored = store.put([b"genuine"], expected=None)
    bucket.put(stored.key, b"swapped", digest_of(b"swapped"), replaces=True)

    with store.open(stored.key, size_bytes=7, pin=stored.pin) as reader:
        assert b"".join(reader.chunks(0, 7)) == b"genuine"
    assert [one.key for one in store.page(after="")] == [stored.key]
    store.remove(stored.key)
    assert store.page(after="") == []


@pytest.mark.parametrize("bucket", [True], indirect=True, ids=["versioned"])
def test_leaves_no_version_of_a_probe(store: S3BlobStore, bucket: Bucket) -> None:
    store.check()
    bucket.put("blobs/twice", b"one", digest_of(b"one"))
    bucket.put("blobs/twice", b"two", digest_of(b"two"), replaces=True)

    bucket.remove("blobs/twice")

    assert bucket.find("blobs/twice") is None
    listed = bucket._client.list_object_versions(Bucket=bucket._settings.bucket)  # noqa: SLF001 - what only an administrator sees
    assert "Versions" not in listed
    assert "DeleteMarkers" not in listed


def test_is_unavailable_while_the_server_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_installed():
        pytest.skip("versitygw is not on PATH: .ci/run installs it")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    with running_s3(tmp_path) as server:
        name = server.new_bucket("blobs")
        bucket = Bucket(
            S3Settings(name, server.endpoint, uses_path_style=True), sleep=lambda _seconds: None
        )
        store = S3BlobStore(bucket, part_bytes=SMALLEST_PART)
        stored = store.put([b"kept"], expected=None)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()

        for attempt in (
            lambda: store.put([b"new"], expected=None),
            lambda: store.put(pieces(LARGE), expected=None),
            lambda: read(store, stored.key, 4),
            store.check,
        ):
            with pytest.raises(StorageUnavailable):
                attempt()


class Answering(BaseHTTPRequestHandler):
    """Gives the prepared answers one by one, then 200."""

    answers: list[tuple[int, str]] = []  # noqa: RUF012 - filled by each test's own subclass

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, code = self.answers.pop(0) if self.answers else (200, "")
        body = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Silent."""


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        ([(503, "SlowDown"), (500, "InternalError")], None),
        ([(503, "SlowDown")] * 4, StorageUnavailable),
        ([(403, "AccessDenied")], StorageUnavailable),
        ([(403, "QuotaExceeded")], StorageFull),
        ([(507, "XMinioStorageFull")], StorageFull),
        ([(307, "TemporaryRedirect")], StorageUnavailable),
    ],
)
def test_tries_short_troubles_again_and_names_the_others(
    answers: list[tuple[int, str]],
    refusal: type[Exception] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    handler = type("Handler", (Answering,), {"answers": list(answers)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        bucket = Bucket(
            S3Settings("blobs", endpoint, uses_path_style=True), sleep=lambda _seconds: None
        )
        if refusal is None:
            bucket.put("blobs/x", b"x", digest_of(b"x"))
        else:
            with pytest.raises(refusal):
                bucket.put("blobs/x", b"x", digest_of(b"x"))
        server.shutdown()

    assert handler.answers == []  # type: ignore[attr-defined] # the class made above
