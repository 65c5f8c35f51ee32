"""Choose where a project's statements are recorded: in a public log, a private one, or in none."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from artifacts.errors import (
    PrivateProjectInPublicLog,
    PublicSigningUnderWay,
    TransparencyNotOffered,
)
from artifacts.models import Project
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.domain.transparency import Transparency, permitted
from provenance.queries import public_signing_until


def choose_transparency(
    *,
    actor: Actor,
    project: Project,
    transparency: Transparency,
    offered: Collection[Transparency],
    now: datetime,
) -> Project:
    """Have what is signed from now on recorded there. A repeat changes nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not own it.
        TransparencyNotOffered: no signer of this store (`offered`) records so.
        PrivateProjectInPublicLog: everybody would see a project that only some may read.
        PublicSigningUnderWay: what was chosen before is still being done.
    """
    actor.require(Permission.OWN, project=project.pk)
    if transparency not in offered:
        raise TransparencyNotOffered(found=transparency.value, expected=sorted(offered))
    with transaction.atomic(durable=True):
        locked = Project.objects.select_for_update().get(pk=project.pk)
        locked.organization = project.organization
        if permitted(transparency, is_public=locked.is_public) is not transparency:
            raise PrivateProjectInPublicLog(found=transparency.value)
        if locked.transparency != transparency:
            require_nothing_on_its_way(project=locked, now=now)
            before = {"transparency": locked.transparency}
            locked.transparency = transparency
            locked.save(update_fields=["transparency"])
            record(
                actor,
                "project.choose-transparency",
                str(locked),
                now=now,
                organization=locked.organization_id,
                project=str(locked.pk),
                before=before,
                after={"transparency": transparency.value},
            )
    return locked


def require_nothing_on_its_way(*, project: Project, now: datetime) -> None:
    """Refuse to say that nothing becomes public as long as a worker may be doing it. Joins.

    The project's row is locked: no worker claims anything of it in the meantime.

    Raises:
        PublicSigningUnderWay: `retry_after_seconds` says when it has ended at the latest.
    """
    until = public_signing_until(project=project.pk, now=now)
    if until is not None:
        raise PublicSigningUnderWay(retry_after_seconds=int((until - now).total_seconds()) + 1)
