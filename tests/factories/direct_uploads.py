"""A client's steps of a direct upload, each in one line."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from artifacts.domain.capabilities import CONSEQUENCES
from artifacts.models import Build, Upload
from artifacts.ports import Finding
from artifacts.usecases.abort_upload import abort_upload
from artifacts.usecases.complete_upload import complete_upload
from artifacts.usecases.measure_uploads import Bytes, measure_upload
from artifacts.usecases.probe_store import probe_store
from artifacts.usecases.sign_parts import sign_parts
from artifacts.usecases.start_upload import Announced, Target, start_upload
from kernel.actor import Actor
from tests.factories.builds import LATER, NOW, digest_of
from tests.fakes.blob_store import MemoryBlobStore
from tests.fakes.direct_uploads import MemoryDirectUploads

DATA = b"0123456789"
PART_BYTES = 4


@dataclass
class Able:
    """A probe that finds everything but what is named."""

    broken: frozenset[str] = frozenset()

    def probe(self) -> list[Finding]:
        return [Finding(name, holds=name not in self.broken, seen="tried") for name in CONSEQUENCES]


@dataclass
class Desk:
    """A client's steps, each in one line."""

    actor: Actor
    build: Build
    store: MemoryBlobStore
    bucket: MemoryDirectUploads = field(init=False)

    def __post_init__(self) -> None:
        self.bucket = MemoryDirectUploads(self.store)
        probe_store(place="bucket", probe=Able(), now=NOW)

    def start(self, path: str = "large", data: bytes = DATA, **changed: Any) -> Upload:
        announced = Announced(path, changed.pop("digest", digest_of(data)), len(data))
        target = Target(self.bucket, "bucket", PART_BYTES, 3)
        return start_upload(
            actor=changed.pop("actor", self.actor),
            build=self.build.pk,
            announced=announced,
            target=changed.pop("target", target),
            now=NOW,
        ).upload

    def send(self, upload: Upload, data: bytes = DATA, *, actor: Actor | None = None) -> None:
        cut = {
            n // PART_BYTES + 1: data[n : n + PART_BYTES] for n in range(0, len(data), PART_BYTES)
        }
        parts = {number: digest_of(body) for number, body in cut.items()}
        for part in sign_parts(
            actor=actor or self.actor, upload=upload.pk, parts=parts, direct=self.bucket, now=NOW
        ):
            assert self.bucket.put(part, cut[part.number])

    def complete(self, upload: Upload) -> Upload:
        return complete_upload(actor=self.actor, upload=upload.pk, direct=self.bucket, now=NOW)

    def abort(self, upload: Upload) -> Upload:
        return abort_upload(actor=self.actor, upload=upload.pk, direct=self.bucket, now=NOW)

    def measure(self, *, clock: Callable[[], datetime] = lambda: LATER) -> bool:
        return measure_upload(place=Bytes(self.store, self.store), clock=clock)

    def all_of_it(self, path: str = "large", data: bytes = DATA, **changed: Any) -> Upload:
        upload = self.start(path, data, **changed)
        self.send(upload, data)
        self.complete(upload)
        while self.measure():
            pass
        upload.refresh_from_db()
        return upload
