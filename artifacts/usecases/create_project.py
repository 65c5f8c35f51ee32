"""Create a project: what builds are uploaded to."""

from datetime import datetime

from django.db import IntegrityError, transaction

from artifacts.domain.names import parse_slug
from artifacts.errors import NameTaken, OrganizationNotFound
from artifacts.models import Organization, Project
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def create_project(
    *, actor: Actor, organization: str, slug: str, is_public: bool, now: datetime
) -> Project:
    """Create a project in an organization; only administrators of the instance do.

    Raises:
        UnsafeName: a slug is not one.
        OrganizationNotFound: there is no such organization.
        NameTaken: another project of the organization has the slug.
    """
    actor.require(Permission.ADMINISTER, project=None)
    parse_slug(slug, field="project")
    parse_slug(organization, field="organization")
    owner = Organization.objects.filter(slug=organization).first()
    if owner is None:
        raise OrganizationNotFound(organization=organization)
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
                project=str(project.pk),
                is_public=is_public,
            )
    except IntegrityError as error:
        raise NameTaken(organization=organization, project=slug) from error
    return project
