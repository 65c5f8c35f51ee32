"""Try a bucket for everything that is promised with it, by doing it; leaves nothing behind.

A server that accepts a request has not yet kept a promise: each trial looks at what stands in the
bucket afterwards. On one server a part in flight across the completion revived the upload, and
a second completion replaced the object.
"""

import http.client
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

import urllib3

from artifacts.adapters.s3.answers import ObjectExists
from artifacts.adapters.s3.connection import Bucket, Head, Upload, checksum
from artifacts.adapters.s3.holds import S3ObjectHolds, protection
from artifacts.errors import BlobMissing, StorageFull, StorageUnavailable
from artifacts.ports import Finding, ObjectVersion
from kernel.digest import Sha256

GENUINE: Final = b"genuine " * 8192
FORGED: Final = b"forged! " * 8192
_URL_SECONDS: Final = 60
_SECONDS: Final = 10
# Long enough for a server to have begun with a part whose first half is there.
_PAUSE_SECONDS: Final = 0.1

Trial = Callable[[], str]


class Broken(Exception):
    """A promise that the server does not keep; the text says what was seen."""


class S3Probe:
    """Implements CapabilityProbe."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._holds = S3ObjectHolds(bucket)
        self._prefix = f"probes/{secrets.token_hex(8)}"
        self._keys: list[str] = []
        self._pool = urllib3.PoolManager(retries=False, timeout=_SECONDS)

    def probe(self) -> Sequence[Finding]:
        self._bucket.find(self._new_key())  # not there: only for a server that cannot be reached
        try:
            return [self._tried(name, trial) for name, trial in self._trials().items()]
        finally:
            self._clean_up()

    def _trials(self) -> Mapping[str, Trial]:
        return {
            "conditional-put": self._conditional_put,
            "put-checksum": self._put_checksum,
            "pinned-read": self._pinned_read,
            "conditional-complete": self._conditional_complete,
            "part-checksum": self._part_checksum,
            "list-parts": self._list_parts,
            "abort": self._abort,
            "second-completion": self._second_completion,
            "late-part": self._late_part,
            "part-in-flight": self._part_in_flight,
            "versioning": lambda: self._protection("versioning"),
            "object-lock": lambda: self._protection("object-lock"),
            "legal-hold": self._legal_hold,
        }

    def _tried(self, name: str, trial: Trial) -> Finding:
        try:
            return Finding(name, holds=True, seen=trial())
        except Broken as broken:
            return Finding(name, holds=False, seen=str(broken))
        except (StorageUnavailable, StorageFull, BlobMissing) as refusal:
            seen = str(refusal.facts.get("reason", refusal.code))
            return Finding(name, holds=False, seen=f"the server refused: {seen}"[:200])
        except (
            ObjectExists,
            OSError,
            http.client.HTTPException,
            urllib3.exceptions.HTTPError,
        ) as error:
            return Finding(name, holds=False, seen=f"{type(error).__name__}: {error}"[:200])

    # Trials: each says what was seen, or raises.

    def _conditional_put(self) -> str:
        key = self._put(GENUINE)
        before = self._head(key)
        try:
            self._bucket.put(key, FORGED, _digest(FORGED))
        except ObjectExists:
            return self._unchanged(key, before, "a second put was refused")
        raise Broken("a put that asked for a free key replaced what was there")

    def _put_checksum(self) -> str:
        key = self._new_key()
        try:
            self._bucket.put(key, FORGED, _digest(GENUINE))
        except StorageUnavailable as refusal:
            if self._bucket.find(key) is not None:
                raise Broken("other bytes were refused, and stored") from refusal
            self._bucket.put(key, GENUINE, _digest(GENUINE))
            return "other bytes were refused, the signed ones taken"
        raise Broken("other bytes than the signed ones were stored")

    def _pinned_read(self) -> str:
        key = self._put(GENUINE)
        old = self._head(key)
        self._bucket.put(key, FORGED, _digest(FORGED), replaces=True)
        try:
            with self._bucket.read(key, pin=old.pin, start=0, length=len(GENUINE)) as answer:
                if answer.read() != GENUINE:
                    raise Broken("a read that was pinned to an object gave another one's bytes")
        except ObjectExists:
            return "a read that was pinned to an object that is gone was refused"
        return "the pinned version is still given"

    def _conditional_complete(self) -> str:
        key = self._put(FORGED)
        before, upload = self._head(key), self._begun(key)
        part = self._bucket.put_part(upload, 1, GENUINE, _digest(GENUINE))
        try:
            self._bucket.complete(upload, [part], size_bytes=len(GENUINE))
        except ObjectExists:
            return self._unchanged(key, before, "completing over an object was refused")
        raise Broken("completing replaced an object, though a free key was asked for")

    def _part_checksum(self) -> str:
        upload = self._begun()
        url, headers = self._signed(upload, GENUINE)
        attempts = {
            "other bytes": (FORGED, headers),
            "other bytes with their own checksum": (
                FORGED,
                {"x-amz-checksum-sha256": checksum(_digest(FORGED))},
            ),
            "a part without the signed checksum": (FORGED, {}),
        }
        for name, (body, sent) in attempts.items():
            if self._sent(url, body, sent) < 300:  # noqa: PLR2004 - RFC 9110: successful
                raise Broken(f"{name} went through an address that was signed for others")
        if self._sent(url, GENUINE, headers) >= 300:  # noqa: PLR2004 - as above
            raise Broken("an address that was signed for a part did not take it")
        return "other bytes were refused, the signed ones taken"

    def _list_parts(self) -> str:
        upload = self._begun()
        self._bucket.put_part(upload, 1, GENUINE, _digest(GENUINE))
        part = next(iter(self._bucket.parts(upload)), None)
        if part is None or (part.number, part.size_bytes) != (1, len(GENUINE)):
            raise Broken("a part that was taken is not listed")
        return "parts are listed" + (" with their checksums" if part.checksum else "")

    def _abort(self) -> str:
        upload = self._begun()
        url, headers = self._signed(upload, GENUINE)
        self._bucket.put_part(upload, 1, GENUINE, _digest(GENUINE))
        self._bucket.abort(upload)
        if self._sent(url, GENUINE, headers) < 300 and self._listed(upload):  # noqa: PLR2004
            raise Broken("an upload that was given up takes parts")
        return "what was given up is gone"

    def _second_completion(self) -> str:
        upload, part, before = self._completed()
        with suppress(ObjectExists, BlobMissing, StorageUnavailable):
            self._bucket.complete(upload, [part], size_bytes=len(GENUINE))
        return self._unchanged(upload.key, before, "a second completion changed nothing")

    def _late_part(self) -> str:
        """An address outlives the completion: what comes there must change nothing."""
        upload = self._begun()
        url, headers = self._signed(upload, FORGED)
        upload, _part, before = self._completed(upload)
        status = self._sent(url, FORGED, headers)
        self._complete_again(upload)
        return self._unchanged(upload.key, before, f"a late part was answered {status}")

    def _part_in_flight(self) -> str:
        upload = self._begun()
        url, headers = self._signed(upload, FORGED)
        genuine = self._bucket.put_part(upload, 1, GENUINE, _digest(GENUINE))
        connection = _begin_put(url, FORGED, headers)
        try:
            before = self._frozen(upload, genuine)
            connection.send(FORGED[len(FORGED) // 2 :])
            with suppress(http.client.HTTPException, OSError):
                connection.getresponse().read()
        finally:
            connection.close()
        self._complete_again(upload)
        return self._unchanged(
            upload.key, before, "a part in flight across the completion changed nothing"
        )

    def _protection(self, name: str) -> str:
        found = protection(self._bucket)[name]
        if found != "Enabled":
            raise Broken(f"{found}; not needed, but old versions would survive whoever overwrites")
        return "Enabled"

    def _legal_hold(self) -> str:
        if protection(self._bucket)["object-lock"] != "Enabled":
            raise Broken("the bucket has no object lock")
        key = self._put(GENUINE)
        held = [ObjectVersion(key, self._head(key).pin)]
        if [*self._holds.hold(held), *self._holds.are_held(held)] != [True, True]:
            raise Broken("an object was to be held, and is not")
        try:
            with suppress(StorageUnavailable):
                self._bucket.remove(key)
            if self._bucket.find(key, held[0].pin) is None:
                raise Broken("what was held could be removed")
        finally:
            self._holds.release(held)
        if self._holds.are_held(held) != [False]:
            raise Broken("what was released is still held")
        return "what was held could not be removed"

    # Steps of trials.

    def _new_key(self) -> str:
        self._keys.append(f"{self._prefix}/{len(self._keys)}")
        return self._keys[-1]

    def _put(self, body: bytes) -> str:
        key = self._new_key()
        self._bucket.put(key, body, _digest(body))
        return key

    def _begun(self, key: str | None = None) -> Upload:
        return self._bucket.begin(key or self._new_key())

    def _completed(self, upload: Upload | None = None) -> tuple[Upload, Mapping[str, object], Head]:
        upload = upload or self._begun()
        part = self._bucket.put_part(upload, 1, GENUINE, _digest(GENUINE))
        return upload, part, self._frozen(upload, part)

    def _frozen(self, upload: Upload, part: Mapping[str, object]) -> Head:
        self._bucket.complete(upload, [part], size_bytes=len(GENUINE))
        return self._head(upload.key)

    def _complete_again(self, upload: Upload) -> None:
        """With whatever parts the upload has now, if it lives again."""
        with suppress(ObjectExists, BlobMissing, StorageUnavailable):
            parts = [part.named for part in self._bucket.parts(upload)]
            self._bucket.complete(upload, parts, size_bytes=len(GENUINE))

    def _head(self, key: str) -> Head:
        found = self._bucket.find(key)
        if found is None:
            raise Broken("what was stored cannot be found")
        return found

    def _unchanged(self, key: str, before: Head, seen: str) -> str:
        after = self._head(key)
        if after != before:
            raise Broken(f"{seen}, but the object is another one now")
        with self._bucket.read(key, pin=after.pin, start=0, length=after.size_bytes) as answer:
            if answer.read() not in (GENUINE, FORGED):
                raise Broken(f"{seen}, but the object has other bytes now")
        return seen

    def _signed(self, upload: Upload, body: bytes) -> tuple[str, dict[str, str]]:
        url = self._bucket.part_url(upload, 1, _digest(body), seconds=_URL_SECONDS)
        return url, {"x-amz-checksum-sha256": checksum(_digest(body))}

    def _sent(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        return self._pool.request("PUT", url, body=body, headers=dict(headers)).status

    def _listed(self, upload: Upload) -> bool:
        try:
            return bool(self._bucket.parts(upload))
        except BlobMissing:
            return False

    def _clean_up(self) -> None:
        """What cannot be removed is below `probes/`, and a sweep ends uploads that are left."""
        for upload in self._left():
            with suppress(StorageUnavailable):
                self._bucket.abort(upload)
        for key in self._keys:
            with suppress(StorageUnavailable, BlobMissing):
                self._bucket.remove(key)

    def _left(self) -> Iterator[Upload]:
        with suppress(StorageUnavailable):
            for upload, _begun_at in self._bucket.uploads():
                if upload.key in self._keys:
                    yield upload


def _begin_put(url: str, body: bytes, headers: Mapping[str, str]) -> http.client.HTTPConnection:
    """Send the head of a request and half of its body."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=_SECONDS)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}")
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(body[: len(body) // 2])
    time.sleep(_PAUSE_SECONDS)
    return connection


def _digest(body: bytes) -> Sha256:
    return Sha256.of(sha256(body).digest())
