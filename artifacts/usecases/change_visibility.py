"""Make a project public, or private."""

from datetime import datetime

from django.db import transaction

from artifacts.models import Project
from artifacts.queries import visible_project
from artifacts.usecases.choose_transparency import require_nothing_on_its_way
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.domain.transparency import Transparency, permitted


def change_visibility(
    *, actor: Actor, organization: str, project: str, is_public: bool, now: datetime
) -> Project:
    """Say who may read it: everybody, or those with a role. A repeat changes nothing.

    Once it is private nothing of it is written into a public log any more, nor when it is made
    public again, until its owner chooses so anew. What a log has, it keeps.

    Raises:
        ProjectNotFound: there is no such project for this actor.
        Unauthenticated, PermissionMissing: the actor does not own it.
        PublicSigningUnderWay: it cannot be private yet, statements are on their way into a log.
    """
    found = visible_project(actor=actor, organization=organization, project=project)
    actor.require(Permission.OWN, project=found.pk)
    with transaction.atomic(durable=True):
        locked = Project.objects.select_for_update().get(pk=found.pk)
        locked.organization = found.organization
        if locked.is_public is not is_public:
            if not is_public:
                require_nothing_on_its_way(project=locked, now=now)
            before = _facts(locked)
            locked.is_public = is_public
            chosen = Transparency(locked.transparency)
            locked.transparency = permitted(chosen, is_public=is_public)
            locked.save(update_fields=["is_public", "transparency"])
            record(
                actor,
                "project.change-visibility",
                str(locked),
                now=now,
                organization=locked.organization_id,
                project=str(locked.pk),
                before=before,
                after=_facts(locked),
            )
    return locked


def _facts(project: Project) -> dict[str, object]:
    return {"is_public": project.is_public, "transparency": str(project.transparency)}
