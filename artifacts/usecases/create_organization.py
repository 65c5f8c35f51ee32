"""Create an organization: the tenant that owns projects."""

from datetime import datetime

from django.db import IntegrityError, transaction

from artifacts.domain.names import parse_slug
from artifacts.errors import NameTaken
from artifacts.models import Organization
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def create_organization(*, actor: Actor, slug: str, now: datetime) -> Organization:
    """Create an organization; only administrators of the instance do.

    Raises:
        UnsafeName: the slug is not one.
        NameTaken: another organization has it.
    """
    actor.require(Permission.ADMINISTER, project=None)
    parse_slug(slug, field="organization")
    try:
        with transaction.atomic(durable=True):
            organization = Organization.objects.create(slug=slug, created_at=now)
            record(actor, "organization.create", slug, now=now, organization=organization.pk)
    except IntegrityError as error:
        raise NameTaken(organization=slug) from error
    return organization
