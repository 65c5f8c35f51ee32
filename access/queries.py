"""Reads of access: projects by their full name, and what administrators list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from access.domain.tokens import TokenKind
from access.errors import IssuerNotFound, PublisherNotFound
from access.models import Issuer, Token, TrustedPublisher
from artifacts.queries import find_project
from kernel.actor import Actor, Permission

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from artifacts.models import Project


def named_project(name: str) -> Project | None:
    """The project that is called `organization/project`, whoever asks; None when there is none."""
    organization, _, project = name.partition("/")
    return find_project(organization=organization, project=project)


def administered_projects(actor: Actor) -> frozenset[UUID | None]:
    """The projects that this actor's grants administer; None in it stands for all of them."""
    grants = actor.grants
    return frozenset(g.project for g in grants if g.permission is Permission.ADMINISTER)


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
