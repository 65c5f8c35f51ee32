"""What can be asked of direct uploads, beside who may see one."""

from collections.abc import Sequence

from artifacts.domain.transfer import PENDING
from artifacts.models import Build, StoreProbe, Upload


def pending_uploads(build: Build) -> Sequence[Upload]:
    """Direct uploads to this build that are not in it yet, by path."""
    return list(Upload.objects.filter(build=build, state__in=PENDING).order_by("path"))


def missing_for_direct_uploads(*, place: str) -> Sequence[str] | None:
    """What the bucket was found to lack; nothing is good, and None was never tried."""
    probed = StoreProbe.objects.filter(place=place).first()
    return probed.missing_for_direct if probed is not None else None
