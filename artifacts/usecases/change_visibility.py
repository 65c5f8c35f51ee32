"""Make a project public, or private."""

from datetime import datetime

from django.db import transaction

from artifacts.models import Project
from artifacts.queries import visible_project
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def change_visibility(
    *, actor: Actor, organization: str, project: str, is_public: bool, now: datetime
) -> Project:
    """Say who may read it: everybody, or those with a role. A repeat changes nothing.

    Raises:
        ProjectNotFound: there is no such project for this actor.
        Unauthenticated, PermissionMissing: the actor does not own it.
    """
    found = visible_project(actor=actor, organization=organization, project=project)
    actor.require(Permission.OWN, project=found.pk)
    with transaction.atomic(durable=True):
        locked = Project.objects.select_for_update().get(pk=found.pk)
        locked.organization = found.organization
        if locked.is_public is not is_public:
            before = {"is_public": locked.is_public}
            locked.is_public = is_public
            locked.save(update_fields=["is_public"])
            record(
                actor,
                "project.change-visibility",
                str(locked),
                now=now,
                organization=locked.organization_id,
                project=str(locked.pk),
                before=before,
                after={"is_public": is_public},
            )
    return locked
