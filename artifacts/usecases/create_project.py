"""Create a project: what builds are uploaded to."""

from datetime import datetime

from django.db import IntegrityError, transaction

from artifacts.domain.names import parse_slug
from artifacts.errors import NameTaken
from artifacts.models import Project
from artifacts.queries import visible_organization
from kernel.actor import Actor, Permission, Unauthenticated
from kernel.audit.record import record


def create_project(
    *, actor: Actor, organization: str, slug: str, is_public: bool, now: datetime
) -> Project:
    """Create a project in an organization; its owners and administrators of the instance do.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not own the organization.
        OrganizationNotFound: there is no such organization for this actor.
        UnsafeName: the slug is not one.
        NameTaken: another project of the organization has the slug.
    """
    if actor.is_anonymous:
        raise Unauthenticated(permission=Permission.OWN)
    owner = visible_organization(actor=actor, organization=organization)
    actor.require_in(Permission.OWN, organization=owner.pk)
    parse_slug(slug, field="project")
    try:
        with transaction.atomic(durable=True):
            project = Project.objects.create(
                organization=owner, slug=slug, is_public=is_public, created_at=now
            )
            record(
                actor,
                "project.create",
                f"{organization}/{slug}",
                now=now,
                organization=owner.pk,
                project=str(project.pk),
                is_public=is_public,
            )
    except IntegrityError as error:
        raise NameTaken(organization=organization, project=slug) from error
    return project
