"""An honest bucket for direct uploads in memory, beside a memory store's blobs."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from artifacts.errors import BlobMissing
from artifacts.ports import ArrivedPart, Begun, Pin, SignedPart
from kernel.digest import Sha256
from tests.fakes.blob_store import MemoryBlobStore


@dataclass(slots=True)
class MemoryDirectUploads:
    """Parts by upload; `put` is what a client does with an address."""

    store: MemoryBlobStore
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    signed: dict[str, tuple[str, int, Sha256]] = field(default_factory=dict)

    def begin(self, declared: Sha256) -> Begun:
        self.store.check()
        name = secrets.token_hex(16)
        self.parts[name] = {}
        return Begun(f"blobs/sha256/{declared.hex[:2]}/{declared.hex}/{name}", name)

    def resume(self, begun: Begun) -> "MemoryTransfer":
        return MemoryTransfer(self, begun)

    def put(self, part: SignedPart, body: bytes) -> bool:
        """Whether the bucket took these bytes at this address."""
        name, number, digest = self.signed[part.url]
        if sha256(body).hexdigest() != digest.hex or name not in self.parts:
            return False
        self.parts[name][number] = body
        return True


@dataclass(frozen=True, slots=True)
class MemoryTransfer:
    bucket: MemoryDirectUploads
    begun: Begun

    def sign(self, parts: Mapping[int, Sha256], *, now: datetime) -> Sequence[SignedPart]:
        found = []
        for number, digest in sorted(parts.items()):
            url = f"memory:{self.begun.upload_id}/{number}/{digest.hex}"
            self.bucket.signed[url] = (self.begun.upload_id, number, digest)
            found.append(SignedPart(number, url, {}, now + timedelta(minutes=15)))
        return found

    def arrived(self) -> Sequence[ArrivedPart] | None:
        self.bucket.store.check()
        parts = self.bucket.parts.get(self.begun.upload_id)
        if parts is None:
            return None
        return [
            ArrivedPart(number, len(body), Sha256(sha256(body).hexdigest()))
            for number, body in sorted(parts.items())
        ]

    def complete(self, *, size_bytes: int) -> Pin:  # noqa: ARG002 - the port has it
        self.bucket.store.check()
        parts = self.bucket.parts.pop(self.begun.upload_id, None)
        if parts is not None:
            whole = b"".join(body for _number, body in sorted(parts.items()))
            self.bucket.store.blobs.setdefault(self.begun.key, whole)
        if self.begun.key not in self.bucket.store.blobs:
            raise BlobMissing(key=self.begun.key)
        return Pin('"memory"', "")

    def abort(self) -> None:
        self.bucket.store.check()
        self.bucket.parts.pop(self.begun.upload_id, None)
