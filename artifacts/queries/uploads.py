"""What can be asked of direct uploads, beside who may see one."""

from collections.abc import Sequence

from artifacts.domain.transfer import PENDING
from artifacts.errors import DirectUploadsUnavailable
from artifacts.models import Build, StoreProbe, Upload


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
