"""Uploads that race a collector: few digests, hardly any grace, and everything let go soon."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from hashlib import sha256

from django.db import connection
from django.utils import timezone

from artifacts.errors import StorageUnavailable
from artifacts.models import Artifact, Blob, Build
from artifacts.ports import UNPINNED, BlobReader, Pin, StoredBytes
from artifacts.usecases.collect_blobs import collect_blobs
from kernel.actor import Actor
from kernel.digest import Sha256
from tests.factories.builds import send, start
from tests.factories.stores import Store

OFTEN, SELDOM = 12, 10_000
UPLOADERS = 4
LET_GO = 0.9


@dataclass(frozen=True, slots=True)
class Hurried:
    """A store whose bytes are to be recorded within half the grace, as real ones in half a day."""

    store: Store
    grace: timedelta

    def put(self, chunks: Iterable[bytes], *, expected: Sha256 | None) -> StoredBytes:
        record_before = timezone.now() + self.grace / 2
        return replace(self.store.put(chunks, expected=expected), record_before=record_before)

    def merge(self, duplicate: StoredBytes, *, into: StoredBytes) -> StoredBytes:
        return self.store.merge(duplicate, into=into)

    def open(
        self, key: str, *, size_bytes: int, pin: Pin = UNPINNED
    ) -> AbstractContextManager[BlobReader]:
        return self.store.open(key, size_bytes=size_bytes, pin=pin)

    def check(self) -> None:
        self.store.check()


@dataclass(slots=True)
class Race:
    """Who races, and the figures so far; `lost` must stay empty."""

    actor: Actor
    store: Store
    grace: timedelta
    counts: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def upload(self, build: Build, number: int) -> None:
        """Upload, read back and let go."""
        chance = random.Random(number)  # noqa: S311 - a fixed sequence, no secret
        hurried = Hurried(self.store, self.grace)
        while not self.stop.is_set():
            # Half of them are wanted again and again, the others hardly ever.
            data = b"digest %d" % chance.randrange(chance.choice((OFTEN, SELDOM)))
            path = f"{number}/{chance.randrange(10**12)}"
            try:
                artifact = send(self.actor, build, hurried, path, slowly(data, chance)).artifact
            except StorageUnavailable:
                # The bytes in hand had waited too long: nothing was acknowledged.
                self.counts["refused"] += 1
                continue
            self.counts["uploaded"] += 1
            self.check(artifact)
            if chance.random() < LET_GO:
                Artifact.objects.filter(pk=artifact.pk).delete()

    def collect(self) -> None:
        """Collect without a pause, unless the rival does."""
        while not self.stop.is_set():
            collected = collect_blobs(inventory=self.store, now=timezone.now(), grace=self.grace)
            if collected is None:
                self.stop.wait(0.01)
                continue
            self.counts["rounds"] += 1
            self.counts.update(asdict(collected))

    def check(self, artifact: Artifact) -> None:
        """The artifact's bytes are there and are what its row says, as its row is now."""
        blob = Blob.objects.get(pk=artifact.blob_id)
        try:
            with self.store.open(blob.key, size_bytes=blob.size_bytes, pin=blob.pin) as reader:
                found = b"".join(reader.chunks(0, blob.size_bytes))
        except Exception as error:  # noqa: BLE001 - whatever it is, an acknowledged byte was lost
            self.lost.append(f"{artifact.path}: {error!r}")
            return
        self.counts["read back"] += 1
        if sha256(found).hexdigest() != blob.sha256:
            self.lost.append(f"{artifact.path}: other bytes")

    def guarded(self, work: Callable[[], None]) -> None:
        """Work in a thread; whatever happens there is told by the test."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - see above
            self.errors.append(repr(error))
            self.stop.set()
        finally:
            connection.close()


def race(actor: Actor, store: Store, *, seconds: float, grace: timedelta) -> Race:
    """Let uploaders race a collector and its rival; at the end everything alive is read."""
    running, build = Race(actor, store, grace), start(actor, "race").build
    work = [
        *(lambda n=n: running.upload(build, n) for n in range(UPLOADERS)),
        running.collect,
        running.collect,
    ]
    threads = [threading.Thread(target=running.guarded, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    running.stop.wait(seconds)
    running.stop.set()
    for thread in threads:
        thread.join()
    for artifact in Artifact.objects.all():
        running.counts["alive at the end"] += 1
        running.check(artifact)
    return running


def slowly(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """The bytes, and then a moment."""
    yield data
    time.sleep(chance.random() * 0.004)
