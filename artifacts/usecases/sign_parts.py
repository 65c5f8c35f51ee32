"""Give a direct upload's client the addresses of parts, each for its own bytes (step 2)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from artifacts.domain.transfer import UploadState
from artifacts.errors import PartUnknown, UploadEnded
from artifacts.models import Upload
from artifacts.ports import DirectUploads, SignedPart
from artifacts.queries import own_upload
from kernel.actor import Actor
from kernel.digest import Sha256


def sign_parts(
    *,
    actor: Actor,
    upload: UUID,
    parts: Mapping[int, Sha256],
    direct: DirectUploads,
    now: datetime,
) -> Sequence[SignedPart]:
    """Addresses for these parts, also for some that had expired or whose bytes were others.

    Raises:
        UploadNotFound: there is no such upload for this actor.
        Unauthenticated, PermissionMissing, BuildNotYours: the actor may not add to its build.
        UploadEnded: it takes no more parts.
        PartUnknown: it has no part of that number.
    """
    found = own_upload(actor=actor, upload=upload)
    if found.state != UploadState.OPEN:
        raise UploadEnded(upload=found.pk, state=found.state, refused=found.refused)
    unknown = [number for number in parts if not 1 <= number <= found.plan.part_count]
    if unknown:
        raise PartUnknown(found=sorted(unknown)[:10], part_count=found.plan.part_count)
    # An upload whose client asks for something is not abandoned.
    Upload.objects.filter(pk=found.pk).update(touched_at=now)
    return direct.resume(found.begun).sign(parts, now=now)
