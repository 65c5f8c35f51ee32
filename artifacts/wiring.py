"""Builds artifacts' tools from settings. Entry points call this and hand the result in."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from artifacts.adapters.archives import opening as archives
from artifacts.adapters.archives.turns import Turns
from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.adapters.download_log import BufferedDownloadLog
from artifacts.domain.addresses import client_address
from artifacts.domain.archives import Limits
from artifacts.domain.file_counts import FileCounts
from artifacts.domain.retention_limits import RunLimits
from artifacts.models import Artifact
from artifacts.ports import (
    Archive,
    Arrivals,
    BlobReader,
    BlobStore,
    CapabilityProbe,
    DirectUploads,
    DownloadLog,
    Inventory,
    ObjectHolds,
    ReadAddresses,
    StagingArea,
)
from artifacts.usecases.browse_archive import OpenedArchive
from artifacts.usecases.mend_blob import Copies
from artifacts.usecases.permit_transparency import permit_transparency
from artifacts.usecases.publish_builds import publish_builds
from artifacts.usecases.reconcile_store import Kept
from artifacts.usecases.refuse_build import refuse_build
from artifacts.usecases.start_upload import Target
from provenance.usecases.attest_builds import Endings

if TYPE_CHECKING:
    from artifacts.adapters.s3.connection import Bucket


class S3Bucket(Protocol):
    """What settings say of a bucket."""

    @property
    def name(self) -> str: ...
    @property
    def endpoint(self) -> str | None: ...
    @property
    def region(self) -> str: ...
    @property
    def uses_path_style(self) -> bool: ...
    @property
    def encryption(self) -> str: ...


class _Store(BlobStore, Arrivals, Inventory, Protocol):
    """All that every store is."""


@cache
def _store() -> _Store:
    named = settings.S3_BUCKET
    if named is None:
        # Settings have exactly one of the two, or the process would not have started.
        return DirectoryBlobStore(settings.BLOB_DIRECTORY or Path())
    # Here, because importing boto3 costs memory and time that a directory does not need.
    from artifacts.adapters.s3.store import S3BlobStore  # noqa: PLC0415

    return S3BlobStore(_bucket(named, named.endpoint), part_bytes=named.part_bytes)


@cache
def _second_store() -> BlobStore | None:
    """The second copy: a bucket of that name at the same server, or a folder beside the folder."""
    copy, named = settings.SECOND_COPY, settings.S3_BUCKET
    if not copy:
        return None
    if named is None:
        return DirectoryBlobStore(Path(copy))
    from artifacts.adapters.s3.store import S3BlobStore  # noqa: PLC0415 - as above

    there = replace(named, name=copy)
    return S3BlobStore(_bucket(there, named.endpoint), part_bytes=named.part_bytes)


@cache
def _bucket(named: S3Bucket, endpoint: str | None) -> "Bucket":
    from artifacts.adapters.s3.connection import Bucket, S3Settings  # noqa: PLC0415 - as above

    return Bucket(
        S3Settings(
            bucket=named.name,
            endpoint=endpoint,
            region=named.region,
            uses_path_style=named.uses_path_style,
            encryption=named.encryption,
        )
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


@cache
def file_counts() -> FileCounts:
    """How many files builds had when they were counted last, by this process."""
    return FileCounts()


@cache
def _archive_turns() -> Turns:
    return Turns(settings.MAX_OPEN_ARCHIVES, setting="STRONGROOM_MAX_OPEN_ARCHIVES")


def archive_turn() -> AbstractContextManager[None]:
    """The right to look into an archive now, which few requests of a process have at once."""
    return _archive_turns().take()


def open_archive(reader: BlobReader, *, size_bytes: int) -> AbstractContextManager[Archive]:
    """An artifact that has members, to be looked into."""
    return archives.open_archive(reader, size_bytes=size_bytes, limits=Limits())


def opened_archive(artifact: Artifact) -> OpenedArchive:
    """The artifact as an archive; whoever calls has the decision about it, and closes it."""
    return OpenedArchive(artifact=artifact, store=blob_store(), opener=open_archive)


def address_of(meta: Mapping[str, Any]) -> str | None:
    """From which machine a request (its `META`) comes, behind the proxies of the settings."""
    return client_address(
        str(meta.get("REMOTE_ADDR", "")),
        str(meta.get("HTTP_X_FORWARDED_FOR", "")),
        proxies=settings.TRUSTED_PROXIES,
    )


def blob_store() -> BlobStore:
    """Where bytes are kept."""
    return _store()


def staging_area() -> StagingArea:
    """Where bytes arrive, and crashes leave litter."""
    return _store()


def inventory() -> Inventory:
    """What the store holds, for the collector."""
    return _store()


def kept() -> Kept:
    """The store with all that it can be asked, to be compared with the rows."""
    return Kept(probed_place(), _store(), _store(), _store(), object_holds())


def object_holds() -> ObjectHolds | None:
    """What the bucket itself keeps from being removed; None where bytes are in a directory."""
    named = settings.S3_BUCKET
    if named is None:
        return None
    from artifacts.adapters.s3.holds import S3ObjectHolds  # noqa: PLC0415 - as above

    return S3ObjectHolds(_bucket(named, named.endpoint))


def copies() -> Copies:
    """Where whole copies of damaged bytes may be."""
    return Copies(_store(), _store(), _second_store())


def scrub_rate() -> int:
    """Bytes a second at which stored bytes are measured again; 0 where they are not."""
    rate: int = settings.SCRUB_BYTES_PER_SECOND
    return rate


def trash_window() -> timedelta:
    """How long what was removed can be restored."""
    return timedelta(days=settings.TRASH_DAYS)


def evidence_life() -> timedelta | None:
    """How long evidence is kept behind the last tombstone of its build; None is for ever."""
    days: int | None = settings.EVIDENCE_DAYS
    return timedelta(days=days) if days is not None else None


def retention_schedule() -> timedelta | None:
    """How often retention runs by the clock; None where it does not."""
    hours: int = settings.RETENTION_EVERY_HOURS
    return timedelta(hours=hours) if hours else None


def run_limits() -> RunLimits:
    """What a scheduled run may take away without a person."""
    return RunLimits(settings.RETENTION_MOST_PERCENT, settings.RETENTION_MOST_BYTES)


def direct_uploads() -> DirectUploads | None:
    """Where clients may send bytes past us; None where there is no bucket."""
    named = settings.S3_BUCKET
    if named is None:
        return None
    from artifacts.adapters.s3.direct import S3DirectUploads  # noqa: PLC0415 - as above

    return S3DirectUploads(
        _bucket(named, named.endpoint),
        public=_bucket(named, named.public_endpoint or named.endpoint),
    )


def upload_target() -> Target:
    """The same with what has to be known to start one."""
    named = settings.S3_BUCKET
    part_bytes = named.part_bytes if named is not None else 0
    return Target(direct_uploads(), probed_place(), part_bytes, settings.MAX_BUILD_FILES)


def probed_place() -> str:
    """What a probe's result is kept under."""
    named = settings.S3_BUCKET
    return f"{named.endpoint or 'amazon'}/{named.name}" if named is not None else "directory"


def probe() -> CapabilityProbe | None:
    """Who tries the bucket; None where there is none."""
    named = settings.S3_BUCKET
    if named is None:
        return None
    from artifacts.adapters.s3.probe import S3Probe  # noqa: PLC0415 - as above

    return S3Probe(_bucket(named, named.endpoint))


def endings() -> Endings:
    """What provenance, which knows nothing of builds, does when some end well or one cannot."""
    return Endings(publish=publish_builds, refuse=refuse_build, transparencies=permit_transparency)
