"""Reads of access: projects by their full name, and what administrators list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Q

from access.domain.places import Place
from access.domain.tokens import TokenKind
from access.errors import IssuerNotFound, PublisherNotFound
from access.models import Invitation, Issuer, Membership, Token, TrustedPublisher
from artifacts.queries import find_project
from kernel.actor import Actor, Permission

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from artifacts.models import Organization, Project


def named_project(name: str) -> Project | None:
    """The project that is called `organization/project`, whoever asks; None when there is none."""
    organization, _, project = name.partition("/")
    return find_project(organization=organization, project=project)


def administered_projects(actor: Actor) -> frozenset[UUID | None]:
    """The projects that this actor's grants administer; None in it stands for all of them."""
    grants = actor.grants
    return frozenset(g.project for g in grants if g.permission is Permission.ADMINISTER)


def place_of(row: Membership | Invitation) -> Place:
    """What the row is about; load `organization` and `project__organization` with it."""
    if row.project is not None:
        return project_place(row.project)
    if row.organization is None:
        raise AssertionError("the table's constraint says one of them")
    return organization_place(row.organization)


def organization_place(organization: Organization) -> Place:
    """An organization as a place of members."""
    return Place(organization.pk, None, organization.slug)


def project_place(project: Project) -> Place:
    """A project as a place of members."""
    return Place(project.organization_id, project.pk, str(project))


def members_of(place: Place) -> QuerySet[Membership]:
    """The members of this very place with their accounts, by name."""
    found = Membership.objects.filter(**place.columns)
    return found.select_related("person").order_by("person__username")


def memberships_of(person: int) -> QuerySet[Membership]:
    """Where a person has roles, oldest first."""
    found = Membership.objects.filter(person_id=person)
    return found.select_related("organization", "project__organization").order_by("since", "id")


def invitations_by(actor: Actor) -> QuerySet[Invitation]:
    """The invitations to what this actor decides about, newest first."""
    found = Invitation.objects.select_related("organization", "project__organization")
    found = found.order_by("-created_at", "id")
    if actor.may(Permission.ADMINISTER, project=None):
        return found
    owned = {
        one.organization for one in actor.organization_grants if one.permission is Permission.OWN
    }
    in_project = Q(project_id__in=[p for p in administered_projects(actor) if p is not None])
    return found.filter(in_project | Q(organization_id__in=owned))


def personal_tokens(person: int) -> QuerySet[Token]:
    """A person's own tokens, newest first; those that are over are shown too."""
    own = Token.objects.filter(kind=TokenKind.PERSONAL.value, person_id=person)
    return own.order_by("-created_at", "id")


def administered_tokens(*, actor: Actor) -> QuerySet[Token]:
    """The API tokens that this actor administers, with their projects, newest first."""
    projects = administered_projects(actor)
    tokens = Token.objects.filter(kind=TokenKind.API.value)
    if None not in projects:
        tokens = tokens.filter(project_id__in=[p for p in projects if p is not None])
    return tokens.select_related("project__organization").order_by("-created_at", "id")


def publishers_of(project: Project) -> QuerySet[TrustedPublisher]:
    """A project's trusted publishers with their issuers, oldest first."""
    publishers = TrustedPublisher.objects.filter(project_id=project.id)
    return publishers.select_related("issuer", "project__organization").order_by("created_at", "id")


def publisher_of(project: Project, publisher: UUID) -> TrustedPublisher:
    """One of the project's trusted publishers, with its issuer.

    Raises:
        PublisherNotFound: the project has none of this id.
    """
    found = publishers_of(project).filter(pk=publisher).first()
    if found is None:
        raise PublisherNotFound
    return found


def wait_for_publishers(project: Project) -> None:
    """Wait until nobody else changes the project's publishers; they change one at a time.

    The policy lists their sources, so each change has to see all the others. An advisory lock,
    because the project's row belongs to another app; it ends with the transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"access.publishers:{project.id}"],
        )


def issuers() -> QuerySet[Issuer]:
    """Every issuer, by name."""
    return Issuer.objects.order_by("name")


def named_issuer(name: str) -> Issuer:
    """The issuer of this name.

    Raises:
        IssuerNotFound: there is none.
    """
    found = Issuer.objects.filter(name=name).order_by("id").first()
    if found is None:
        raise IssuerNotFound(found=name)
    return found


def held_issuer(name: str) -> Issuer:
    """The same, locked against exchanges and changes until the transaction ends.

    Raises:
        IssuerNotFound: there is none.
    """
    # Not FOR UPDATE: rows that refer to the issuer may be written meanwhile.
    locked = Issuer.objects.select_for_update(no_key=True)
    return locked.get(pk=named_issuer(name).pk)
