"""Somebody has the bucket's credentials, and something is under a legal hold …"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from artifacts.adapters.s3.connection import Bucket, S3Settings
from artifacts.adapters.s3.holds import S3ObjectHolds
from artifacts.adapters.s3.probe import S3Probe
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.domain.holds import Reach
from artifacts.domain.patterns import Pattern
from artifacts.errors import StorageUnavailable
from artifacts.models import Blob, Reconciliation
from artifacts.usecases.compare_holds import SETTLED
from artifacts.usecases.mend_blob import Copies
from artifacts.usecases.probe_store import probe_store
from artifacts.usecases.reconcile_store import Kept, reconcile_store
from artifacts.usecases.repair_store import Repair, repair_store
from artifacts.usecases.scrub_blobs import scrub_blobs
from config.operator import OPERATOR
from kernel.digest import Sha256
from tests.factories.legal_holds import PLACE, hold, mapped
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.journeys.conftest import Answer, Shop, running_web

WHOLE = b"what a court has asked for"
HELD, FREE = "held/file", "free/file"


@dataclass
class Case:
    """A store in a bucket with object lock; one of its two files is held."""

    bucket: Bucket
    curl: Callable[[str], Answer]
    downloads: dict[str, str]

    @property
    def kept(self) -> Kept:
        store = S3BlobStore(self.bucket, part_bytes=SMALLEST_PART)
        return Kept(PLACE, store, store, store, S3ObjectHolds(self.bucket))

    def blob(self, path: str) -> Blob:
        return Blob.objects.get(artifact__path=path)

    def bytes_of(self, path: str) -> bytes | str:
        """What a reader gets: the bytes, or the refusal's code."""
        answer = self.curl(self.downloads[path])
        return answer.body if answer.status == 200 else str(answer.json["type"]).rpartition("/")[2]

    def compared(self) -> Reconciliation:
        return reconcile_store(kept=self.kept, clock=lambda: timezone.now() + 2 * SETTLED)

    def differences(self) -> dict[str, int]:
        counts = self.compared().counts
        return {name: one["count"] for name, one in counts.items() if one["count"]}

    def let_go(self, path: str) -> None:
        """Only credentials that may change legal holds can do that."""
        version = self.blob(path).version
        self.bucket.ask(
            "put_object_legal_hold", version.key, version.pin, LegalHold={"Status": "OFF"}
        )

    def delete(self, path: str) -> None:
        version = self.blob(path).version
        self.bucket.ask("delete_object", version.key, version.pin)


@pytest.fixture
def case(
    shop: Shop,
    s3_server: S3Server,
    curl: Callable[..., Answer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Case]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    name = s3_server.new_bucket(f"case-{uuid4()}", has_object_lock=True)
    bucket = Bucket(S3Settings(name, s3_server.endpoint, uses_path_style=True))
    with running_web(port=0, **s3_server.settings(name)) as web:
        shop = replace(shop, web=web)
        downloads = {}
        for path in (HELD, FREE):
            file = tmp_path / "file"
            file.write_bytes(WHOLE + path.encode())
            sent = curl("-T", str(file), shop.upload_url(path), token=shop.tokens.uploader)
            downloads[path] = web.at(sent.json["urls"]["download"])
        shop.attest()
        probe_store(place=PLACE, probe=S3Probe(bucket), now=timezone.now())
        hold(shop.project, Reach(paths=Pattern(HELD)), now=timezone.now())
        held = mapped(S3ObjectHolds(bucket), now=timezone.now())
        assert held is not None
        assert held.held == 1
        yield Case(bucket, lambda url: curl(url, token=shop.tokens.reader), downloads)


def test_who_cannot_change_holds_loses_nothing_of_it(case: Case) -> None:
    key = case.blob(HELD).key

    with pytest.raises(StorageUnavailable):
        case.delete(HELD)
    case.bucket.ask("delete_object", key)  # lays a delete marker over it
    case.bucket.put(key, b"other", Sha256.of(sha256(b"other").digest()), replaces=True)
    case.delete(FREE)

    assert case.bytes_of(HELD) == WHOLE + HELD.encode()
    assert case.bytes_of(FREE) == "blob-missing"
    # Bytes that were put over it cost room and reach nobody.
    assert case.differences() == {"missing": 1}
    scrubbed = scrub_blobs(
        copies=Copies(case.kept.store, case.kept.inventory),
        bytes_per_second=1_000_000,
        clock=timezone.now,
    )
    assert scrubbed is not None
    assert scrubbed.damaged == 0


def test_who_can_is_found_out_and_the_hold_comes_back(case: Case) -> None:
    case.let_go(HELD)

    report = case.compared()
    assert report.counts["unheld"]["count"] == 1
    repair_store(
        report=report,
        repair=Repair(case.kept, Copies(case.kept.store, case.kept.inventory), OPERATOR),
        now=timezone.now() + timedelta(hours=1),
        told=lambda *_: None,
    )

    with pytest.raises(StorageUnavailable):
        case.delete(HELD)
    assert case.differences() == {}


def test_who_can_and_deletes_has_destroyed_it_and_everybody_is_told(case: Case) -> None:
    case.let_go(HELD)
    case.delete(HELD)

    assert case.bytes_of(HELD) == "blob-missing"
    assert case.differences() == {"missing": 1}
