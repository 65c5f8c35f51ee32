"""Builds artifacts' tools from settings. Entry points call this and hand the result in."""

from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from artifacts.adapters.archives import opening as archives
from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.adapters.download_log import BufferedDownloadLog
from artifacts.domain.archives import Limits
from artifacts.ports import Archive, BlobReader, BlobStore, DownloadLog, ReadAddresses, StagingArea
from artifacts.usecases.publish_build import publish_build
from artifacts.usecases.refuse_build import refuse_build
from provenance.usecases.attest_builds import Endings


class _Store(BlobStore, StagingArea, Protocol):
    """Both of what every store is."""


@cache
def _store() -> _Store:
    bucket = settings.S3_BUCKET
    if bucket is None:
        # Settings have exactly one of the two, or the process would not have started.
        return DirectoryBlobStore(settings.BLOB_DIRECTORY or Path())
    # Here, because importing boto3 costs memory and time that a directory does not need.
    from artifacts.adapters.s3.connection import Bucket, S3Settings  # noqa: PLC0415
    from artifacts.adapters.s3.store import S3BlobStore  # noqa: PLC0415

    return S3BlobStore(
        Bucket(
            S3Settings(
                bucket=bucket.name,
                endpoint=bucket.endpoint,
                region=bucket.region,
                uses_path_style=bucket.uses_path_style,
                encryption=bucket.encryption,
            )
        ),
        part_bytes=bucket.part_bytes,
    )


@cache
def _reads(endpoint: str | None) -> ReadAddresses:
    from artifacts.adapters.s3.connection import S3Settings  # noqa: PLC0415 - as above
    from artifacts.adapters.s3.signed_reads import SignedReads  # noqa: PLC0415 - as above

    bucket = settings.S3_BUCKET
    if bucket is None:
        raise ImproperlyConfigured("only a bucket has addresses")
    return SignedReads(
        S3Settings(
            bucket=bucket.name,
            endpoint=endpoint,
            region=bucket.region,
            uses_path_style=bucket.uses_path_style,
        )
    )


def public_reads() -> ReadAddresses:
    """Addresses for consumers, at the endpoint that they can reach."""
    bucket = settings.S3_BUCKET
    return _reads(bucket.public_endpoint if bucket is not None else None)


def internal_reads() -> ReadAddresses | None:
    """Addresses for a proxy beside us; None where bytes are in a directory."""
    bucket = settings.S3_BUCKET
    return _reads(bucket.endpoint) if bucket is not None else None


@cache
def download_log() -> DownloadLog:
    """Who was given what; one buffer a process."""
    return BufferedDownloadLog()


def open_archive(reader: BlobReader, *, size_bytes: int) -> AbstractContextManager[Archive]:
    """An artifact that has members, to be looked into."""
    return archives.open_archive(reader, size_bytes=size_bytes, limits=Limits())


def blob_store() -> BlobStore:
    """Where bytes are kept."""
    return _store()


def staging_area() -> StagingArea:
    """Where bytes arrive, and crashes leave litter."""
    return _store()


def endings() -> Endings:
    """What provenance, which knows nothing of builds, does when one is attested or never can be."""
    return Endings(publish=publish_build, refuse=refuse_build)
