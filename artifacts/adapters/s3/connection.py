"""One bucket: boto3 signs and administers, bytes travel over plain pooled connections.

boto3 buffers bodies and reaches only a fraction of what a server can take. Each request that
carries bytes is signed together with their SHA-256, so the server refuses what changed on its way.
Library errors end here: callers see refusals of ours, or `ObjectExists`.
"""

import base64
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import boto3
import urllib3
from botocore.config import Config

from artifacts.adapters.s3.answers import code_of, refuse, translated
from artifacts.errors import BlobMissing, StorageUnavailable
from artifacts.ports import UNPINNED, Copy, Listed, Pin
from kernel.digest import Sha256

logger = logging.getLogger(__name__)

_URL_SECONDS: Final = 300
_PAUSES: Final = (0.2, 0.5, 1.5)  # between four tries; jitter is added
Body = bytes | bytearray
_TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Which bucket, and how it is spoken to. Credentials come from where boto3 finds them.

    `endpoint` None is Amazon's own of the region. `encryption` is the value of the SSE header
    (`AES256`, `aws:kms`); empty leaves it to the bucket.
    """

    bucket: str
    endpoint: str | None = None
    region: str = "us-east-1"
    uses_path_style: bool = False
    encryption: str = ""
    connect_seconds: float = 3
    read_seconds: float = 30
    connections: int = 32


@dataclass(frozen=True, slots=True)
class Head:
    """What the server says of an object; the pin tells its bytes from later ones."""

    size_bytes: int
    pin: Pin


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that was begun."""

    key: str
    upload_id: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part that arrived; what completion has to name of it."""

    number: int
    size_bytes: int
    etag: str
    checksum: str

    @property
    def named(self) -> Mapping[str, Any]:
        """The same in S3's words."""
        named: dict[str, Any] = {"PartNumber": self.number, "ETag": self.etag}
        return {**named, "ChecksumSHA256": self.checksum} if self.checksum else named


class Bucket:
    """Requests to one bucket. Safe in many threads; slow to make, so there is one a process.

    Every method raises StorageFull where there is no room and StorageUnavailable where the server
    cannot be reached, is not able, or does not let us; short troubles are tried again first.
    """

    def __init__(
        self, settings: S3Settings, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        # A session of its own: the shared one keeps the first credentials it was asked for.
        self._client: Any = boto3.Session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if settings.uses_path_style else "auto"},
                # Ours are signed with each request; boto3's own defaults break other servers.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=settings.connect_seconds,
                read_timeout=settings.read_seconds,
                retries={"mode": "standard", "total_max_attempts": len(_PAUSES) + 1},
                max_pool_connections=settings.connections,
            ),
        )
        self._pool = urllib3.PoolManager(
            maxsize=settings.connections,
            retries=False,
            timeout=urllib3.Timeout(connect=settings.connect_seconds, read=settings.read_seconds),
        )

    def put(self, key: str, body: Body, digest: Sha256, *, replaces: bool = False) -> Pin:
        """Store an object whose bytes have this digest.

        Raises:
            ObjectExists: there is one under the key; never with `replaces`.
        """
        only_new = {} if replaces else {"IfNoneMatch": "*"}
        return self._send(
            "put_object", body, key=key, ChecksumSHA256=checksum(digest), **self._sse(), **only_new
        )

    def begin(self, key: str) -> Upload:
        """Begin a multipart upload."""
        with translated(key):
            answer = self._client.create_multipart_upload(
                Bucket=self._settings.bucket, Key=key, ChecksumAlgorithm="SHA256", **self._sse()
            )
        return Upload(key, answer["UploadId"])

    def put_part(
        self, upload: Upload, number: int, body: Body, digest: Sha256
    ) -> Mapping[str, Any]:
        """Store a part (from 1); the answer is what completion has to name."""
        signed = checksum(digest)
        pin = self._send(
            "upload_part",
            body,
            key=upload.key,
            UploadId=upload.upload_id,
            PartNumber=number,
            ChecksumSHA256=signed,
        )
        return {"PartNumber": number, "ETag": pin.etag, "ChecksumSHA256": signed}

    def complete(self, upload: Upload, parts: list[Mapping[str, Any]], *, size_bytes: int) -> Pin:
        """Make one object of the parts, if there is none under the key.

        An unclear answer is settled by looking, never by completing again: on some servers a
        second completion replaces the object.

        Raises:
            ObjectExists: there is one already.
        """
        try:
            with translated(upload.key, exists=True):
                answer = self._client.complete_multipart_upload(
                    Bucket=self._settings.bucket,
                    Key=upload.key,
                    UploadId=upload.upload_id,
                    MultipartUpload={"Parts": parts},
                    IfNoneMatch="*",
                )
        except (StorageUnavailable, BlobMissing):
            # Some servers know nothing more of an upload that an earlier try has completed.
            found = self.find(upload.key)
            if found is None or found.size_bytes != size_bytes:
                raise
            return found.pin
        return Pin(answer["ETag"], answer.get("VersionId", ""))

    def parts(self, upload: Upload) -> list[Part]:
        """What has arrived of an upload, in order.

        Raises:
            BlobMissing: there is no such upload any more.
        """
        with translated(upload.key):
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self._settings.bucket, Key=upload.key, UploadId=upload.upload_id
            )
            return [
                Part(one["PartNumber"], one["Size"], one["ETag"], one.get("ChecksumSHA256", ""))
                for page in pages
                for one in page.get("Parts", ())
            ]

    def part_url(self, upload: Upload, number: int, digest: Sha256, *, seconds: int) -> str:
        """Where anybody may put this part, with exactly these bytes, for so long."""
        return self._signed(
            "upload_part",
            seconds,
            key=upload.key,
            UploadId=upload.upload_id,
            PartNumber=number,
            ChecksumSHA256=checksum(digest),
        )

    def abort(self, upload: Upload) -> None:
        """Give up an upload and its parts; one that is gone already is no trouble."""
        try:
            with translated(upload.key):
                self._client.abort_multipart_upload(
                    Bucket=self._settings.bucket, Key=upload.key, UploadId=upload.upload_id
                )
        except BlobMissing:
            return

    def is_begun(self, upload: Upload) -> bool:
        """Whether the server lists it among those neither completed nor given up."""
        return any(one == upload for one, _begun_at in self.uploads(upload.key))

    def uploads(self, prefix: str = "") -> Iterator[tuple[Upload, datetime]]:
        """Every upload that was begun and neither completed nor given up, with its beginning."""
        with translated(""):
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._settings.bucket, Prefix=prefix):
                for one in page.get("Uploads", ()):
                    yield Upload(one["Key"], one["UploadId"]), one["Initiated"]

    def find(self, key: str, pin: Pin = UNPINNED) -> Head | None:
        """What stands under the key, or stood there as the pin's version; None when nothing."""
        try:
            found = self.ask("head_object", key, pin)
        except BlobMissing:
            return None
        return Head(found["ContentLength"], Pin(found["ETag"], found.get("VersionId", "")))

    def page(self, prefix: str, *, after: str) -> list[Listed]:
        """Up to 1,000 entries behind this key: objects, also those of which old versions remain."""
        with translated(""):
            found = self._client.list_object_versions(
                Bucket=self._settings.bucket, Prefix=prefix, KeyMarker=after
            )
        newest: dict[str, datetime] = {}
        copies: dict[str, list[Copy]] = {}
        for one in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
            key, written_at = one["Key"], one["LastModified"]
            # Some servers begin with the marker itself.
            if key > after:
                newest[key] = max(newest.get(key, written_at), written_at)
                copies.setdefault(key, []).extend(_copy(one))
        if found.get("IsTruncated") and not newest:
            raise StorageUnavailable(reason="the list of the bucket does not go on", after=after)
        return [Listed(key, newest[key], tuple(copies[key])) for key in sorted(newest)]

    def remove(self, key: str) -> None:
        """Remove an object, of a versioned bucket with all its versions."""
        with translated(key):
            pages = self._client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self._settings.bucket, Prefix=key):
                for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    if one["Key"] == key:
                        self._client.delete_object(
                            Bucket=self._settings.bucket, Key=key, VersionId=one["VersionId"]
                        )

    def ask(self, operation: str, key: str = "", pin: Pin = UNPINNED, **parameters: object) -> Any:  # noqa: ANN401 - boto3's answers
        """One of boto3's operations, on the bucket or on an object of it.

        Raises:
            BlobMissing: there is no such object.
            StorageUnavailable: it cannot be done; `says_unlocked` knows objects without a lock.
        """
        about = {"Key": key, **_version(pin)} if key else {}
        with translated(key):
            return getattr(self._client, operation)(
                Bucket=self._settings.bucket, **about, **parameters
            )

    @contextmanager
    def read(
        self, key: str, *, pin: Pin, start: int, length: int
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """The bytes [start, start + length) of the very object that has this pin, as a stream.

        Raises:
            BlobMissing: it is gone.
            ObjectExists: it is another one now.
            StorageUnavailable: the connection failed, also while bytes are read in the block.
        """
        headers = {"Range": f"bytes={start}-{start + length - 1}", "If-Match": pin.etag}
        url = self._signed("get_object", key=key, **_version(pin))
        response = self._request("GET", url, key=key, headers=headers)
        try:
            yield response
        except urllib3.exceptions.HTTPError as error:
            raise StorageUnavailable(reason=type(error).__name__) from error
        finally:
            # What was not read to its end cannot serve the next request.
            if not response.closed and response.length_remaining:
                response.close()
            response.release_conn()

    def _sse(self) -> dict[str, str]:
        wanted = self._settings.encryption
        return {"ServerSideEncryption": wanted} if wanted else {}

    def _send(self, operation: str, body: Body, *, key: str, **parameters: object) -> Pin:
        """PUT the body; the answer tells it from others."""
        url = self._signed(operation, key=key, **parameters)
        headers = {
            name: str(parameters[parameter])
            for parameter, name in _HEADERS.items()
            if parameter in parameters
        }
        response = self._request("PUT", url, key=key, headers=headers, body=body)
        response.drain_conn()
        response.release_conn()
        return Pin(
            str(response.headers.get("ETag", "")), str(response.headers.get("x-amz-version-id", ""))
        )

    def _signed(
        self, operation: str, seconds: int = _URL_SECONDS, /, *, key: str, **parameters: object
    ) -> str:
        url: str = self._client.generate_presigned_url(
            operation,
            Params={"Bucket": self._settings.bucket, "Key": key, **parameters},
            ExpiresIn=seconds,
        )
        return url

    def _request(
        self,
        method: str,
        url: str,
        *,
        key: str,
        headers: Mapping[str, str],
        body: Body | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """A good answer, its body unread. What may be a short trouble is tried again."""
        for pause in (*_PAUSES, None):
            try:
                response = self._pool.request(
                    method,
                    url,
                    headers=dict(headers),
                    body=body,  # type: ignore[arg-type] # it takes every buffer, and says so nowhere
                    preload_content=False,
                )
                if response.status < 300:  # noqa: PLR2004 - RFC 9110: successful
                    return response
                problem = response.read(4096, decode_content=True)
            except urllib3.exceptions.HTTPError as error:
                if pause is None:
                    raise StorageUnavailable(reason=type(error).__name__) from error
            else:
                response.close()
                if response.status not in _TRANSIENT or pause is None:
                    refuse(response.status, code_of(problem), key=key)
            self._sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter is no secret
        raise AssertionError("the last try returns or raises")


_HEADERS: Final[Mapping[str, str]] = {
    "ChecksumSHA256": "x-amz-checksum-sha256",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "IfNoneMatch": "If-None-Match",
}


def checksum(digest: Sha256) -> str:
    """A digest as S3 spells it."""
    return base64.b64encode(bytes.fromhex(digest.hex)).decode()


def _copy(version: Mapping[str, Any]) -> Iterator[Copy]:
    """The version as a copy; a delete marker is none. "null" is the id of what has none."""
    if "Size" in version:
        identity = version.get("VersionId", "")
        pin = Pin(version["ETag"], "" if identity == "null" else identity)
        yield Copy(version["Size"], pin, is_newest=version.get("IsLatest", True))


def _version(pin: Pin) -> dict[str, str]:
    return {"VersionId": pin.version_id} if pin.version_id else {}
