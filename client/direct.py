"""Large files straight to the store's bucket, in parts: again goes on with what had arrived.

The store signs an address for each part's own digest, and measures the whole before it is the
build's. Only what it then says it measured counts as sent.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain, repeat
from typing import Any, Final

from artifacts.domain.parts import MOST_PARTS, Plan
from client.answers import identity, member, objects
from client.blame import blame
from client.bucket import Address, Bucket
from client.build import POLL_SECONDS, Build
from client.credentials import Anonymous
from client.errors import (
    AnswerNotUnderstood,
    BucketRefused,
    BucketUnreachable,
    FileChanged,
    NotMeasuredInTime,
    StoredOtherwise,
    StoreRefused,
    StoreUnreachable,
    UploadNotStored,
)
from client.files import Hashed
from client.http import Store
from client.outgoing import CHUNK_BYTES, Outgoing
from client.persistence import Persistence
from kernel.digest import Sha256

STALLED_SECONDS: Final = 600.0
COMPLETIONS: Final = 3
INCOMPLETE: Final = "upload-incomplete"
FORGOTTEN: Final = "upload-forgotten"
# A new address is asked for each try: an expired one is refused with 403, damaged bytes with 400.
TRIES: Final = 4
TRIED_AGAIN: Final = frozenset({400, 403})
_NOBODY: Final = Anonymous()


@dataclass(frozen=True, slots=True)
class Sent:
    """A file whose parts are one object now; `upload` is None where the build had it already."""

    file: Hashed
    upload: str | None


@dataclass(frozen=True, slots=True)
class Way:
    """What the uploads of one push share."""

    store: Store
    bucket: Bucket
    build: Build
    jobs: int
    on_bytes: Callable[[int], None]
    # Its own: that the store answers does not mean that the bucket can be reached.
    persistence: Persistence

    def address(self, upload: str, *more: str) -> str:
        """An address of one upload."""
        return self.store.address("api", "v1", "uploads", upload, *more)


@dataclass(frozen=True, slots=True)
class _Begun:
    """An upload as the store has just shown it. `arrived` None: its bucket knows no parts of it."""

    id: str
    state: str
    plan: Plan
    arrived: Mapping[int, tuple[int, str | None]] | None


def way_of(store: Store, build: Build, *, jobs: int, on_bytes: Callable[[int], None]) -> Way:
    """The way past the store to its bucket."""
    return Way(store, Bucket(store.origin), build, jobs, on_bytes, replace(store.persistence))


def send_direct(way: Way, file: Hashed) -> Sent:
    """Send the file's parts, several at once, and have them made one. What is there stays there.

    Raises:
        FileChanged: the file is not any more what was hashed.
        BucketUnreachable, BucketRefused: the bucket does not take the parts.
        StoreRefused, StoreUnreachable: as the store says.
    """
    begun = _begin(way, file)
    if begun is None:
        way.on_bytes(file.size_bytes)
        return Sent(file, None)
    if begun.state != "open":
        way.on_bytes(file.size_bytes)
        return Sent(file, begun.id)
    for _ in range(COMPLETIONS - 1):
        _send_parts(way, file, begun)
        try:
            way.store.post(way.address(begun.id, "complete"), {})
        except StoreRefused as refused:
            if refused.code not in (INCOMPLETE, FORGOTTEN):
                raise
            if refused.code == FORGOTTEN:
                begun = _begun_anew(way, file, begun)
            else:
                begun = _shown(way, file, begun.id)
        else:
            return Sent(file, begun.id)
    _send_parts(way, file, begun)
    way.store.post(way.address(begun.id, "complete"), {})
    return Sent(file, begun.id)


def await_measured(
    way: Way,
    sent: Sent,
    *,
    on_measured: Callable[[int], None],
    stalled_seconds: float = STALLED_SECONDS,
) -> None:
    """Wait until the store has measured the file, and compare what it found.

    Raises:
        FileChanged: the file was changed while its parts were sent.
        StoredOtherwise: the store measured other bytes than were sent.
        UploadNotStored: it gave the upload up, or refused it.
        NotMeasuredInTime: it came no further for so long.
    """
    if sent.upload is None:
        return
    pauses = chain(POLL_SECONDS, repeat(POLL_SECONDS[-1]))
    measured, changed_at = -1, time.monotonic()
    while True:
        document = way.store.get(way.address(sent.upload)).document
        state = member(document, "state", str)
        if state == "stored":
            _compare(sent.file, member(document, "stored", dict))
            return
        if state != "measuring":
            raise _not_stored(sent, document)
        if member(document, "measured_bytes", int) != measured:
            measured, changed_at = member(document, "measured_bytes", int), time.monotonic()
            on_measured(measured)
        if time.monotonic() - changed_at > stalled_seconds:
            raise NotMeasuredInTime(
                path=sent.file.path,
                upload=sent.upload,
                measured_bytes=measured,
                last_error=document.get("last_error"),
            )
        time.sleep(next(pauses))


def _begin(way: Way, file: Hashed) -> _Begun | None:
    """Start an upload or find the pending one; None where the build has these bytes already."""
    try:
        begun = _started(way, file)
        if begun.state == "open" and begun.arrived is None:
            completed = _is_complete(way, begun)
            return _shown(way, file, begun.id) if completed else _begun_anew(way, file, begun)
    except StoreRefused as refused:
        if refused.code == "upload-in-progress" and refused.facts.get("state") == "stored":
            return None
        raise
    return begun


def _started(way: Way, file: Hashed) -> _Begun:
    address = way.store.address("api", "v1", "builds", way.build.id, "uploads")
    announced = {"path": file.path, "sha256": file.digest.hex, "size_bytes": file.size_bytes}
    return _shown(way, file, identity(way.store.post(address, announced).document))


def _begun_anew(way: Way, file: Hashed, forgotten: _Begun) -> _Begun:
    """Another upload of the file, instead of one that its bucket knows no more."""
    way.store.delete(way.address(forgotten.id))
    return _started(way, file)


def _is_complete(way: Way, begun: _Begun) -> bool:
    """Whether the parts that are gone became the object, by a completion whose answer was lost."""
    try:
        way.store.post(way.address(begun.id, "complete"), {})
    except StoreRefused as refused:
        if refused.code != FORGOTTEN:
            raise
        return False
    return True


def _shown(way: Way, file: Hashed, upload: str) -> _Begun:
    """The upload as it is; one that is not of this file, or cannot be, is not believed."""
    document = way.store.get(way.address(upload)).document
    plan = Plan(member(document, "size_bytes", int), member(document, "part_bytes", int))
    is_ours = (member(document, "sha256", str), plan.size_bytes) == (
        file.digest.hex,
        file.size_bytes,
    )
    if not is_ours or plan.part_bytes < 1 or plan.part_count > MOST_PARTS:
        raise AnswerNotUnderstood(upload=upload, expected=f"an upload of {file.path}")
    listed = document.get("arrived")
    arrived = {
        one["number"]: (one["size_bytes"], one.get("sha256"))
        for one in objects(listed)
        if isinstance(one.get("number"), int) and isinstance(one.get("size_bytes"), int)
    }
    state = member(document, "state", str)
    return _Begun(upload, state, plan, arrived if listed is not None else None)


def _send_parts(way: Way, file: Hashed, begun: _Begun) -> None:
    pool = ThreadPoolExecutor(max_workers=way.jobs, thread_name_prefix="part")
    try:
        numbers = range(1, begun.plan.part_count + 1)
        sending = [pool.submit(_send_part, way, file, begun, number) for number in numbers]
        for sent in as_completed(sending):
            sent.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _send_part(way: Way, file: Hashed, begun: _Begun, number: int) -> None:
    """Send one part, unless exactly this one has arrived."""
    start, size = (number - 1) * begun.plan.part_bytes, begun.plan.bytes_of(number)
    digest = _digest_of(file, start, size)
    if (begun.arrived or {}).get(number) == (size, digest.hex):
        way.on_bytes(size)
        return
    outgoing = Outgoing(file.file, size, digest, way.on_bytes, start)

    def act(_attempt: int, _token: str | None) -> None:
        way.bucket.put(_signed(way, begun, number, digest), outgoing)

    for tries_left in reversed(range(TRIES)):
        try:
            way.persistence.do(act, _NOBODY)
        except StoreRefused as refused:
            if refused.status not in TRIED_AGAIN or not tries_left:
                blame(file)
                raise BucketRefused(path=file.path, part=number, **refused.facts) from refused
        except StoreUnreachable as unreachable:
            raise BucketUnreachable(
                instead="push --no-direct sends what the store itself takes", **unreachable.facts
            ) from unreachable
        else:
            return


def _signed(way: Way, begun: _Begun, number: int, digest: Sha256) -> Address:
    """A fresh address for the part: an old one may have expired."""
    wanted = {"parts": [{"number": number, "sha256": digest.hex}]}
    document = way.store.post(way.address(begun.id, "parts"), wanted).document
    match document.get("parts"):
        case [{"number": found, "url": str(url), "headers": dict(headers)}] if found == number:
            return Address(url, {str(name): str(value) for name, value in headers.items()})
        case _:
            raise AnswerNotUnderstood(member="parts", expected="an address for the part")


def _digest_of(file: Hashed, start: int, size: int) -> Sha256:
    digest, rest = sha256(), size
    with file.file.open("rb") as opened:
        opened.seek(start)
        while rest:
            chunk = opened.read(min(CHUNK_BYTES, rest))
            if not chunk:
                raise FileChanged(
                    file=str(file.file),
                    hashed_bytes=file.size_bytes,
                    found_bytes=start + size - rest,
                )
            digest.update(chunk)
            rest -= len(chunk)
    return Sha256.of(digest.digest())


def _compare(file: Hashed, stored: Mapping[str, Any]) -> None:
    found = member(stored, "sha256", str), member(stored, "size_bytes", int)
    if found != (file.digest.hex, file.size_bytes):
        raise StoredOtherwise(
            file=str(file.file), sent_sha256=file.digest.hex, confirmed_sha256=found[0]
        )


def _not_stored(sent: Sent, document: Mapping[str, Any]) -> Exception:
    """Why the store did not keep it: the file, or something else."""
    blame(sent.file)
    refused = document.get("refused")
    if isinstance(refused, dict) and refused.get("code") == "digest-mismatch":
        return StoredOtherwise(
            file=str(sent.file.file),
            sent_sha256=sent.file.digest.hex,
            confirmed_sha256=refused.get("measured"),
        )
    return UploadNotStored(
        path=sent.file.path,
        upload=sent.upload,
        state=document.get("state"),
        refused=refused,
    )
