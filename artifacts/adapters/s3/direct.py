"""Direct uploads: always in parts, each address signed for the digest of the bytes that go there.

Parts become an object only where the key is free, so that a part that comes late, or a second
completion, changes nothing; whether a server keeps to that is what `probe` tries.
"""

import base64
import binascii
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from artifacts.adapters.s3.answers import ObjectExists
from artifacts.adapters.s3.connection import Bucket, Upload, checksum
from artifacts.errors import BlobMissing, StorageUnavailable
from artifacts.ports import ArrivedPart, Begun, Pin, SignedPart
from kernel.digest import Sha256

URL_LIFE: Final = timedelta(minutes=15)


class S3DirectUploads:
    """Implements DirectUploads. Addresses are made for the endpoint that clients can reach."""

    def __init__(self, bucket: Bucket, *, public: Bucket) -> None:
        self._bucket = bucket
        self._public = public

    def begin(self, declared: Sha256) -> Begun:
        key = f"blobs/sha256/{declared.hex[:2]}/{declared.hex}/{secrets.token_hex(16)}"
        upload = self._bucket.begin(key)
        return Begun(upload.key, upload.upload_id)

    def resume(self, begun: Begun) -> "S3Transfer":
        return S3Transfer(Upload(begun.key, begun.upload_id), self._bucket, self._public)


@dataclass(frozen=True, slots=True)
class S3Transfer:
    """Implements Transfer."""

    upload: Upload
    bucket: Bucket
    public: Bucket

    def sign(self, parts: Mapping[int, Sha256], *, now: datetime) -> Sequence[SignedPart]:
        seconds = int(URL_LIFE.total_seconds())
        return [
            SignedPart(
                number=number,
                url=self.public.part_url(self.upload, number, digest, seconds=seconds),
                headers={"x-amz-checksum-sha256": checksum(digest)},
                expires_at=now + URL_LIFE,
            )
            for number, digest in sorted(parts.items())
        ]

    def arrived(self) -> Sequence[ArrivedPart] | None:
        try:
            parts = self.bucket.parts(self.upload)
        except BlobMissing:
            return None
        return [ArrivedPart(one.number, one.size_bytes, _digest(one.checksum)) for one in parts]

    def complete(self, *, size_bytes: int) -> Pin:
        try:
            named = [part.named for part in self.bucket.parts(self.upload)]
            return self.bucket.complete(self.upload, named, size_bytes=size_bytes)
        except (BlobMissing, ObjectExists):
            # Completed already, by somebody whose answer was lost: the key is this upload's alone.
            return self._found(size_bytes)
        except StorageUnavailable:
            # Some servers revive an upload for a part that was on its way while they forgot it:
            # its parts are listed, it is not, and no completion will ever succeed.
            if self.bucket.is_begun(self.upload):
                raise
            return self._found(size_bytes)

    def abort(self) -> None:
        self.bucket.abort(self.upload)

    def _found(self, size_bytes: int) -> Pin:
        found = self.bucket.find(self.upload.key)
        if found is None:
            raise BlobMissing(key=self.upload.key)
        if found.size_bytes != size_bytes:
            raise StorageUnavailable(reason="another object stands in the way")
        return found.pin


def _digest(text: str) -> Sha256 | None:
    """A part's checksum, where the server tells it."""
    try:
        return Sha256.of(base64.b64decode(text, validate=True)) if text else None
    except (binascii.Error, ValueError):
        return None
