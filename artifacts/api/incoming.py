"""The body of an upload: read from the socket as it arrives, never collected.

Django gives an empty body for a chunked request and DRF would parse one, so this reads
`wsgi.input` itself (PEP 3333).
"""

from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any, Final

from artifacts.errors import (
    DigestsContradict,
    EncodedUpload,
    LengthRequired,
    PartialUpload,
    UploadTooLarge,
    UploadTruncated,
)
from kernel.digest import Sha256, parse_digest_field
from kernel.rest import MalformedRequest

CHUNK_BYTES: Final = 512 * 1024
DRAIN_BYTES: Final = 64 * 1024 * 1024
DRAIN_CHUNK_BYTES: Final = 64 * 1024
DRAIN_SECONDS: Final = 2.0
PAST_THE_STORE: Final = (
    "send it straight to the bucket, as strongroom push does: POST {build}/uploads, as "
    "`urls.uploads` of an open build names it"
)


class IncomingBody:
    """One request's body with what its headers say about it."""

    def __init__(self, environ: Mapping[str, Any], *, limit_bytes: int, has_bucket: bool) -> None:
        self._environ = environ
        self._limit_bytes = limit_bytes
        self._has_bucket = has_bucket
        self._received_bytes = 0
        self._has_ended = False

    def declared(self) -> Sha256 | None:
        """Check the headers and give the declared digest, before any byte is read.

        Raises:
            EncodedUpload, PartialUpload: what would arrive is not the artifact itself.
            MalformedDigest, DigestsContradict: the digest headers cannot be meant so.
            UploadTooLarge: more is announced than the store takes.
            LengthRequired: neither length nor digest would prove that all of it arrived.
        """
        encoding = self._header("HTTP_CONTENT_ENCODING")
        if encoding.lower() not in ("", "identity"):
            raise EncodedUpload(found=encoding[:100], expected="identity")
        if self._header("HTTP_CONTENT_RANGE"):
            raise PartialUpload(found=self._header("HTTP_CONTENT_RANGE")[:100])
        declared = self._declared()
        announced = self.announced_bytes()
        if announced is not None and announced > self._limit_bytes:
            raise self._too_large(announced)
        # A server hands over a chunked body that was cut off like one that is complete.
        if announced is None and declared is None:
            raise LengthRequired(expected="Content-Length, or Repr-Digest with sha-256")
        return declared

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces of bounded size, to its very end.

        Raises:
            UploadTooLarge: more arrived than the store takes.
            UploadTruncated: less arrived than was announced.
        """
        announced = self.announced_bytes()
        while announced is None or self._received_bytes < announced:
            rest = CHUNK_BYTES if announced is None else announced - self._received_bytes
            chunk = self._read(min(CHUNK_BYTES, rest))
            if not chunk:
                break
            if self._received_bytes > self._limit_bytes:
                raise self._too_large(self._received_bytes)
            yield chunk
        self._has_ended = True
        if announced is not None and self._received_bytes < announced:
            raise UploadTruncated(announced_bytes=announced, received_bytes=self._received_bytes)

    def drain(self) -> None:
        """Read on for a moment, so that an early answer is read instead of a broken pipe.

        A client that waits for `100 Continue` has sent nothing and is answered at once; reading
        would tell it to send. Both bounds are looked at between reads. A thread that could be
        left behind in a read that stalls is no way out: granian then stops answering anybody.
        """
        expects_continue = self._header("HTTP_EXPECT").lower() == "100-continue"
        if self._has_ended or (expects_continue and self._received_bytes == 0):
            return
        announced = self.announced_bytes()
        stop_at = self._received_bytes + DRAIN_BYTES
        if announced is not None:
            stop_at = min(stop_at, announced)
        deadline = monotonic() + DRAIN_SECONDS
        while self._received_bytes < stop_at and monotonic() < deadline:
            if not self._read(min(DRAIN_CHUNK_BYTES, stop_at - self._received_bytes)):
                return

    def _read(self, size_bytes: int) -> bytes:
        try:
            chunk: bytes = self._environ["wsgi.input"].read(size_bytes)
        except OSError:
            return b""  # the client is gone: what has not arrived never will
        self._received_bytes += len(chunk)
        return chunk

    def _declared(self) -> Sha256 | None:
        found = {
            digest
            for header in ("Repr-Digest", "Content-Digest")
            if (value := self._header(f"HTTP_{header.upper().replace('-', '_')}"))
            and (digest := parse_digest_field(value, header=header)) is not None
        }
        # Without Content-Encoding, representation and content are the same bytes (RFC 9530).
        if len(found) > 1:
            raise DigestsContradict(found=sorted(digest.hex for digest in found))
        return next(iter(found), None)

    def announced_bytes(self) -> int | None:
        """How many the headers announce; None where they do not."""
        # RFC 9112, section 6.3: with Transfer-Encoding, Content-Length says nothing.
        value = self._header("CONTENT_LENGTH")
        if not value or self._header("HTTP_TRANSFER_ENCODING"):
            return None
        if not value.isascii() or not value.isdigit():
            raise MalformedRequest(header="Content-Length", found=value[:100])
        return int(value)

    def _header(self, name: str) -> str:
        return str(self._environ.get(name) or "").strip()

    def _too_large(self, observed_bytes: int) -> UploadTooLarge:
        way = {"instead": PAST_THE_STORE} if self._has_bucket else {}
        return UploadTooLarge(
            limit_bytes=self._limit_bytes,
            observed_bytes=observed_bytes,
            setting="STRONGROOM_MAX_UPLOAD_BYTES",
            raised_by="the operator of this store",
            **way,
        )
