"""Reads of access: projects by their full name, and what administrators list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access.domain.tokens import TokenKind
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


def issuers() -> QuerySet[Issuer]:
    """Every issuer, by name."""
    return Issuer.objects.order_by("name")
