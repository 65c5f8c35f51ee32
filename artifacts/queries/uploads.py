"""What can be asked of direct uploads, beside who may see one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

from artifacts.domain.transfer import PENDING
from artifacts.errors import DirectUploadsUnavailable
from artifacts.models import Blob, Build, StoreProbe, Upload
from kernel.counting import counted, estimated_rows

# A page of the table holds some sixty blobs: enough of them to say what a blob weighs.
_SAMPLED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Storage:
    """What is stored, estimated from a sample of the blobs."""

    size_bytes: int
    blobs: int
    sampled: int


def pending_uploads(build: Build) -> Sequence[Upload]:
    """Direct uploads to this build that are not in it yet, by path."""
    return list(Upload.objects.filter(build=build, state__in=PENDING).order_by("path"))


def missing_for_direct_uploads(*, place: str) -> Sequence[str] | None:
    """What the bucket was found to lack; nothing is good, and None was never tried."""
    probed = StoreProbe.objects.filter(place=place).first()
    return probed.missing_for_direct if probed is not None else None


def no_bucket() -> DirectUploadsUnavailable:
    """What hinders direct uploads where bytes are kept in a directory."""
    return _hindrance(reason="this store keeps its bytes in a directory")


def hindrance_to_direct(*, place: str) -> DirectUploadsUnavailable | None:
    """Why nothing can be sent straight to the bucket that is probed as `place`; None: it can."""
    probed = StoreProbe.objects.filter(place=place).first()
    if probed is None:
        return _hindrance(
            reason="the bucket has not been probed yet", command="manage.py probe_bucket"
        )
    if probed.missing_for_direct:
        return _hindrance(
            reason="the bucket does not do what they need",
            missing=probed.missing_for_direct,
            probed_at=probed.probed_at,
        )
    return None


def _hindrance(**facts: object) -> DirectUploadsUnavailable:
    return DirectUploadsUnavailable(**facts, instead="PUT the file to the build, through the store")


def uploads_waiting() -> str:
    """How many direct uploads are being sent or measured, for people."""
    return counted(Upload.objects.filter(state__in=PENDING))


def estimated_storage() -> Storage:
    """How much is stored, without reading every blob's row."""
    blobs = estimated_rows(Blob)
    share = min(100.0, 100.0 * _SAMPLED / max(blobs, 1))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(avg(size_bytes), 0) FROM blob TABLESAMPLE SYSTEM (%s)",
            [share],
        )
        sampled, weight = cursor.fetchone()
    return Storage(int(weight * max(blobs, sampled)), max(blobs, sampled), sampled)
