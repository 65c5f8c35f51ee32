"""Set how much an organization or a project may have."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from artifacts.domain.quota import Quota
from artifacts.models import Organization, Project
from artifacts.queries import visible_organization, visible_project
from artifacts.queries.use import Subject
from artifacts.usecases.recount_use import recount_use
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def set_organization_quota(
    *, actor: Actor, organization: str, quota: Quota | None, now: datetime
) -> Organization:
    """Limit an organization, or with None not any more; administrators of the instance only.

    Less than it has already is a quota too: nothing is removed, and nothing more is taken.

    Raises:
        OrganizationNotFound: there is no such organization for this actor.
        Unauthenticated, PermissionMissing: the actor does not administer the instance.
    """
    found = visible_organization(actor=actor, organization=organization)
    actor.require(Permission.ADMINISTER, project=None)
    with transaction.atomic(durable=True):
        locked = Organization.objects.select_for_update().get(pk=found.pk)
        _set(actor, locked, quota, organization=locked.pk, now=now)
    recount_use(subject=locked, now=now)
    return locked


def set_project_quota(
    *, actor: Actor, organization: str, project: str, quota: Quota | None, now: datetime
) -> Project:
    """The same for a project; owners of its organization do.

    Raises:
        ProjectNotFound: there is no such project for this actor.
        Unauthenticated, PermissionMissing: the actor does not own the organization.
    """
    found = visible_project(actor=actor, organization=organization, project=project)
    actor.require_in(Permission.OWN, organization=found.organization_id)
    with transaction.atomic(durable=True):
        locked = Project.objects.select_for_update(of=("self",)).get(pk=found.pk)
        locked.organization = found.organization
        _set(actor, locked, quota, organization=locked.organization_id, now=now)
    recount_use(subject=locked, now=now)
    return locked


def _set(
    actor: Actor, locked: Subject, quota: Quota | None, *, organization: UUID, now: datetime
) -> None:
    before, after = locked.quota, quota.document if quota is not None else None
    if before == after:
        return
    locked.quota = after
    locked.save(update_fields=["quota"])
    kind = "organization" if isinstance(locked, Organization) else "project"
    record(
        actor,
        f"{kind}.set-quota",
        str(locked),
        now=now,
        organization=organization,
        before=before,
        after=after,
    )
